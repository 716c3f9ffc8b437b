/**
 * `docker diff`
 *
 * @module
 */

import { Table } from "../../../engine/table.ts";
import type { DockerCli } from "../cli.ts";
import { call, readBody } from "../utils.ts";

/** The letter of each kind of change: changed, added, deleted. */
const LETTERS = ["C", "A", "D"] as const;

/**
 * Shows what a container has changed in its file system.
 *
 * @origin api/client/commands.go (*DockerCli).CmdDiff
 */
export async function cmdDiff(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("diff", "CONTAINER", "Inspect changes on a container's filesystem");
  cmd.parse(args);
  if (cmd.nArg() !== 1) cmd.usage();
  const changes = new Table("");
  changes.readListFrom(await readBody(call(cli, "GET", `/containers/${cmd.arg(0)}/changes`)));
  const lines = changes.rows.map(
    (change) => `${LETTERS[change.getInt("Kind")] ?? ""} ${cli.show(change.get("Path"))}\n`,
  );
  await cli.out.write(lines.join(""));
}
