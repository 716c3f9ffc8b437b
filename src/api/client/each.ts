/**
 * The same for every name on the command line.
 *
 * @module
 */

import { messageOf } from "../../errdefs/errdefs.ts";
import type { DockerCli } from "./cli.ts";

/**
 * Works through names in order: what `work` returns is printed, a failure goes to standard error and the next name is
 * tried.
 *
 * @param failure - what the command says at the end if one of them failed
 */
export async function forEach(
  cli: DockerCli,
  names: readonly string[],
  failure: string,
  work: (name: string) => Promise<string>,
): Promise<void> {
  let failed = false;
  for (const name of names) {
    let text: string;
    try {
      text = await work(name);
    } catch (cause) {
      await cli.err.write(`${messageOf(cause)}\n`);
      failed = true;
      continue;
    }
    await cli.out.write(text);
  }
  if (failed) throw new Error(failure);
}
