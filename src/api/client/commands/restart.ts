/**
 * `docker restart`
 *
 * @module
 */

import type { DockerCli } from "../cli.ts";
import { forEach } from "../each.ts";
import { call, readBody } from "../utils.ts";

/**
 * Stops containers and starts them again.
 *
 * @origin api/client/commands.go (*DockerCli).CmdRestart
 */
export async function cmdRestart(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("restart", "[OPTIONS] CONTAINER [CONTAINER...]", "Restart a running container");
  const help =
    "Number of seconds to try to stop for before killing the container. Once killed it will then be restarted. Default is 10 seconds.";
  const seconds = cmd.int(["t", "-time"], 10, help);
  cmd.parse(args);
  if (cmd.nArg() < 1) cmd.usage();
  await forEach(cli, cmd.args(), "Error: failed to restart one or more containers", async (name) => {
    await readBody(call(cli, "POST", `/containers/${name}/restart?t=${seconds.value}`));
    return `${name}\n`;
  });
}
