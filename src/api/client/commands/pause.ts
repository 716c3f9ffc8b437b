/**
 * `docker pause` and `docker unpause`
 *
 * @module
 */

import type { DockerCli } from "../cli.ts";
import { forEach } from "../each.ts";
import { call, readBody } from "../utils.ts";

async function freeze(cli: DockerCli, args: string[], verb: "pause" | "unpause", description: string): Promise<void> {
  const cmd = cli.subcmd(verb, "CONTAINER", description);
  cmd.parse(args);
  if (cmd.nArg() !== 1) cmd.usage();
  await forEach(cli, cmd.args(), `Error: failed to ${verb} container named ${cmd.arg(0)}`, async (name) => {
    await readBody(call(cli, "POST", `/containers/${name}/${verb}`));
    return `${name}\n`;
  });
}

/** Halts the processes of a container. @origin api/client/commands.go (*DockerCli).CmdPause */
export function cmdPause(cli: DockerCli, args: string[]): Promise<void> {
  return freeze(cli, args, "pause", "Pause all processes within a container");
}

/** Lets them go on. @origin api/client/commands.go (*DockerCli).CmdUnpause */
export function cmdUnpause(cli: DockerCli, args: string[]): Promise<void> {
  return freeze(cli, args, "unpause", "Unpause all processes within a container");
}
