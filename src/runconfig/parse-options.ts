/**
 * Options of `docker run` with a little grammar of their own.
 *
 * @origin runconfig/parse.go
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";
import { NumError, parseInteger } from "../pkg/strconv/strconv.ts";
import type { DeviceMapping, RestartPolicy } from "./host-config.ts";

/**
 * Reads `no`, `always`, `on-failure` and `on-failure:<n>`. `no` and nothing are the policy without a name.
 *
 * @throws {BadRequestError}
 * @origin runconfig/parse.go parseRestartPolicy
 */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [name = "", count, ...more] = text.split(":");
  switch (name) {
    case "no":
      return { Name: "", MaximumRetryCount: 0 };
    case "always":
      if (count !== undefined && more.length === 0) {
        throw new BadRequestError('maximum restart count not valid with restart policy of "always"');
      }
      return { Name: name, MaximumRetryCount: 0 };
    case "on-failure":
      // A second colon hides the count: 1.2.0 looks at it only when it is the last part.
      return { Name: name, MaximumRetryCount: count === undefined || more.length > 0 ? 0 : retries(count) };
    default:
      if (text === "") return { Name: "", MaximumRetryCount: 0 };
      throw new BadRequestError(`invalid restart policy ${name}`);
  }
}

function retries(text: string): number {
  try {
    return parseInteger(text);
  } catch (cause) {
    if (cause instanceof NumError) throw new BadRequestError(cause.message, { cause });
    throw cause;
  }
}

/** Takes `bridge`, `none`, `host` and `container:<name|id>`. @origin runconfig/parse.go parseNetMode */
export function parseNetMode(text: string): string {
  const [mode, container = ""] = text.split(":");
  if (mode === "bridge" || mode === "none" || mode === "host") return text;
  if (mode === "container" && container !== "") return text;
  const reason = mode === "container" ? "invalid container format container:<name|id>" : `invalid --net: ${text}`;
  throw new BadRequestError(`--net: invalid net mode: ${reason}`);
}

/** Reads `source[:destination[:permissions]]`. @origin runconfig/parse.go ParseDevice */
export function parseDevice(text: string): DeviceMapping {
  const [source = "", destination = "", permissions = "rwm", ...more] = text.split(":");
  if (more.length > 0) throw new BadRequestError(`Invalid device specification: ${text}`);
  return {
    PathOnHost: source,
    PathInContainer: destination === "" ? source : destination,
    CgroupPermissions: permissions,
  };
}
