/**
 * What the client of a job says about itself.
 *
 * @module
 */

import type { Job } from "../engine/job.ts";
import { JsonError } from "../utils/go-json-decode.ts";
import { type AuthConfig, authConfigOf } from "./auth.ts";

/** Name and password, from the environment's `authConfig`. */
export function authOf(job: Job): AuthConfig {
  return authConfigOf(jsonOf(job, "authConfig"));
}

/** The client's `X-Meta-*` headers, from the environment's `metaHeaders`. */
export function metaHeadersOf(job: Job): unknown {
  return jsonOf(job, "metaHeaders");
}

/** What cannot be read counts as nothing, as in 1.2.0. */
function jsonOf(job: Job, key: string): unknown {
  try {
    return job.getenvJson(key);
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    return undefined;
  }
}
