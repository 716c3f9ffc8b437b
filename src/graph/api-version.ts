/**
 * Which fields a client expects.
 *
 * @module
 */

import type { Job } from "../engine/job.ts";

/** The first version of the API with content-addressed images. */
const FIRST = [1, 22] as const;

/** Whether the client speaks API 1.22 or newer: the server says so in the environment, 1.2.0's clients do not. */
export function isToday(job: Pick<Job, "getenv">): boolean {
  const [major = 0, minor = 0] = job
    .getenv("apiVersion")
    .split(".")
    .map((part) => Number(part) || 0);
  return major > FIRST[0] || (major === FIRST[0] && minor >= FIRST[1]);
}
