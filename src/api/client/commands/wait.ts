/**
 * `docker wait`
 *
 * @module
 */

import type { DockerCli } from "../cli.ts";
import { forEach } from "../each.ts";
import { waitForExit } from "../utils.ts";

/**
 * Waits for containers, one after the other, and prints their exit codes.
 *
 * @origin api/client/commands.go (*DockerCli).CmdWait
 */
export async function cmdWait(cli: DockerCli, args: string[]): Promise<void> {
  const description = "Block until a container stops, then print its exit code.";
  const cmd = cli.subcmd("wait", "CONTAINER [CONTAINER...]", description);
  cmd.parse(args);
  if (cmd.nArg() < 1) cmd.usage();
  const failure = "Error: failed to wait one or more containers";
  await forEach(cli, cmd.args(), failure, async (name) => `${await waitForExit(cli, name)}\n`);
}
