/**
 * `docker rm`
 *
 * @module
 */

import type { DockerCli } from "../cli.ts";
import { forEach } from "../each.ts";
import { query } from "../query.ts";
import { call, readBody } from "../utils.ts";

/**
 * Removes containers, or a link between two.
 *
 * @origin api/client/commands.go (*DockerCli).CmdRm
 */
export async function cmdRm(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("rm", "[OPTIONS] CONTAINER [CONTAINER...]", "Remove one or more containers");
  const volumes = cmd.bool(["v", "-volumes"], false, "Remove the volumes associated with the container");
  const link = cmd.bool(["l", "#link", "-link"], false, "Remove the specified link and not the underlying container");
  const force = cmd.bool(["f", "-force"], false, "Force the removal of a running container (uses SIGKILL)");
  cmd.parse(args);
  if (cmd.nArg() < 1) cmd.usage();
  const on = (flag: { value: boolean }) => (flag.value ? "1" : undefined);
  const values = query({ v: on(volumes), link: on(link), force: on(force) });
  await forEach(cli, cmd.args(), "Error: failed to remove one or more containers", async (name) => {
    await readBody(call(cli, "DELETE", `/containers/${name}${values}`));
    return `${name}\n`;
  });
}
