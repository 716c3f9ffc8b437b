/**
 * Exercise 4: a handler that runs another job.
 *
 * `number NAME ARG...` runs the job NAME with its own environment, writes the lines of that job's standard output with
 * numbers in front, and then the line `lines: N`. It ends with the status of the other job, and when that one failed,
 * with its error.
 *
 * ```text
 * number commands   →   1 commands
 *                       2 echo
 *                       …
 *                       lines: 5
 * ```
 *
 * @module
 */

import type { Job, Status } from "../../../src/engine/job.ts";
import { yourTurn } from "../../lib/exercise.ts";

/** The handler. */
export async function number(job: Job): Promise<Status> {
  return yourTurn(job);
}
