/** An answer to exercise 4. @module */

import type { DockerCli } from "../../../src/api/client/cli.ts";
import { call, readBody } from "../../../src/api/client/utils.ts";

/** Three lines that most commands begin with, one request, one line of output. */
export async function cmdPing(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("ping", "", "Ask whether the daemon is there");
  cmd.parse(args);
  if (cmd.nArg() > 0) cmd.usage();
  const answer = await readBody(call(cli, "GET", "/_ping"));
  await cli.out.write(`${cli.show(answer.toString())}\n`);
}
