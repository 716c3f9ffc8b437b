import { spawnSync } from "node:child_process";
import type { TestProject } from "vitest/node";

/** Builds the site once, before any of its tests; what was wrong is handed to them. */
export default function setup(project: TestProject): void {
  const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", "book/build.ts"], { encoding: "utf8" });
  project.provide("build", { status: status ?? 1, faults: stderr });
}

declare module "vitest" {
  export interface ProvidedContext {
    build: { status: number; faults: string };
  }
}
