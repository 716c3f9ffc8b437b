/** An answer to exercise 4. @module */

import type { Job, Status } from "../../../src/engine/job.ts";
import { BufferWriter } from "../../../src/sync/io.ts";

/** Collects first and numbers then: the other job closes what it writes to, and that must not be our own output. */
export async function number(job: Job): Promise<Status> {
  const [name = "", ...args] = job.args;
  const other = job.eng.job(name, ...args);
  other.env().init(job.env());
  const output = new BufferWriter();
  other.stdout.add(output);
  let status: Status = 0;
  try {
    await other.run();
  } catch (cause) {
    job.error(cause);
    status = other.statusCode();
  }
  const lines = output.toString().split("\n").slice(0, -1);
  for (const [i, line] of lines.entries()) await job.printf(`${i + 1} ${line}\n`);
  await job.printf(`lines: ${lines.length}\n`);
  return status;
}
