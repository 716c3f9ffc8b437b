/**
 * `docker export`
 *
 * @module
 */

import type { DockerCli } from "../cli.ts";
import { stream } from "../utils.ts";

/**
 * Writes a container's whole file system to standard output, as a tar archive.
 *
 * @origin api/client/commands.go (*DockerCli).CmdExport
 */
export async function cmdExport(cli: DockerCli, args: string[]): Promise<void> {
  const description = "Export the contents of a filesystem as a tar archive to STDOUT";
  const cmd = cli.subcmd("export", "CONTAINER", description);
  cmd.parse(args);
  if (cmd.nArg() !== 1) cmd.usage();
  await stream(cli, "GET", `/containers/${cmd.arg(0)}/export`, { out: cli.out });
}
