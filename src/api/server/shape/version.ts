/**
 * `/version` for clients newer than 1.2.0.
 *
 * @module
 */

import { type JsonObject, textAt } from "../services.ts";
import { MAX_API_VERSION, MIN_API_VERSION } from "../version.ts";

/** @param version - what the job `version` says */
export function shapeVersion(version: JsonObject): JsonObject {
  const common = {
    ApiVersion: MAX_API_VERSION,
    MinAPIVersion: MIN_API_VERSION,
    GitCommit: textAt(version, "GitCommit"),
    GoVersion: textAt(version, "GoVersion"),
    Os: textAt(version, "Os"),
    Arch: textAt(version, "Arch"),
    KernelVersion: textAt(version, "KernelVersion"),
    BuildTime: textAt(version, "BuildTime"),
  };
  return {
    Platform: { Name: "" },
    Components: [
      { Name: "Engine", Version: textAt(version, "Version"), Details: { ...common, Experimental: "false" } },
    ],
    Version: textAt(version, "Version"),
    ...common,
  };
}
