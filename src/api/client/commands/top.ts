/**
 * `docker top`
 *
 * @module
 */

import type { DockerCli } from "../cli.ts";
import { query } from "../query.ts";
import { table } from "../table.ts";
import { call, readEnv } from "../utils.ts";

/**
 * Shows the processes of a container, as `ps` does.
 *
 * @origin api/client/commands.go (*DockerCli).CmdTop
 */
export async function cmdTop(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("top", "CONTAINER [ps OPTIONS]", "Display the running processes of a container");
  cmd.parse(args);
  if (cmd.nArg() === 0) cmd.usage();
  const [name, ...options] = cmd.args();
  const values = query({ ps_args: options.length > 0 ? options.join(" ") : undefined });
  const processes = await readEnv(call(cli, "GET", `/containers/${name}/top${values}`));
  const rows = processes.getJson<string[][]>("Processes") ?? [];
  await cli.out.write(table(cli, [processes.getList("Titles") ?? [], ...rows]));
}
