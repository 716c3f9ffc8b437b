/**
 * `docker stop`
 *
 * @module
 */

import type { DockerCli } from "../cli.ts";
import { forEach } from "../each.ts";
import { call, readBody } from "../utils.ts";

/**
 * Ends containers: SIGTERM, and SIGKILL after a while.
 *
 * @origin api/client/commands.go (*DockerCli).CmdStop
 */
export async function cmdStop(cli: DockerCli, args: string[]): Promise<void> {
  const description = "Stop a running container by sending SIGTERM and then SIGKILL after a grace period";
  const cmd = cli.subcmd("stop", "[OPTIONS] CONTAINER [CONTAINER...]", description);
  const help = "Number of seconds to wait for the container to stop before killing it. Default is 10 seconds.";
  const seconds = cmd.int(["t", "-time"], 10, help);
  cmd.parse(args);
  if (cmd.nArg() < 1) cmd.usage();
  await forEach(cli, cmd.args(), "Error: failed to stop one or more containers", async (name) => {
    await readBody(call(cli, "POST", `/containers/${name}/stop?t=${seconds.value}`));
    return `${name}\n`;
  });
}
