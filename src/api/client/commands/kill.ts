/**
 * `docker kill`
 *
 * @module
 */

import type { DockerCli } from "../cli.ts";
import { forEach } from "../each.ts";
import { call, readBody } from "../utils.ts";

/**
 * Sends a signal to containers.
 *
 * @origin api/client/commands.go (*DockerCli).CmdKill
 */
export async function cmdKill(cli: DockerCli, args: string[]): Promise<void> {
  const description = "Kill a running container using SIGKILL or a specified signal";
  const cmd = cli.subcmd("kill", "[OPTIONS] CONTAINER [CONTAINER...]", description);
  const signal = cmd.string(["s", "-signal"], "KILL", "Signal to send to the container");
  cmd.parse(args);
  if (cmd.nArg() < 1) cmd.usage();
  await forEach(cli, cmd.args(), "Error: failed to kill one or more containers", async (name) => {
    // Unescaped, as in 1.2.0.
    await readBody(call(cli, "POST", `/containers/${name}/kill?signal=${signal.value}`));
    return `${name}\n`;
  });
}
