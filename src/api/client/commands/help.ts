/**
 * `docker help`
 *
 * @module
 */

import { DEFAULTUNIXSOCKET } from "../../common.ts";
import type { DockerCli } from "../cli.ts";

/**
 * Shows a command's usage, or the list of commands.
 *
 * @origin api/client/commands.go (*DockerCli).CmdHelp
 */
export async function cmdHelp(cli: DockerCli, args: string[]): Promise<void> {
  const [name] = args;
  if (name !== undefined) {
    const method = cli.getMethod(name);
    if (method) return method("--help");
    await cli.err.write(`Error: Command not found: ${cli.show(name)}\n`);
  }
  const lines = [...cli.commands.values()]
    .filter(({ description }) => description !== undefined)
    .map((command) => `    ${command.name.slice(0, 10).padEnd(10)}${command.description}\n`);
  const head =
    `Usage: docker [OPTIONS] COMMAND [arg...]\n -H=[unix://${DEFAULTUNIXSOCKET}]: tcp://host:port to bind/connect to or ` +
    "unix://path/to/socket to use\n\nA self-sufficient runtime for linux containers.\n\nCommands:\n";
  await cli.err.write(`${head}${lines.join("")}\n`);
}
