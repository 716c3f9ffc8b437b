/**
 * `docker history`
 *
 * @module
 */

import { Table } from "../../../engine/table.ts";
import { humanSize } from "../../../pkg/units/size.ts";
import { truncateID } from "../../../utils/utils.ts";
import type { DockerCli } from "../cli.ts";
import { ago, cut, table } from "../table.ts";
import { call, readBody } from "../utils.ts";

/**
 * Shows the layers of an image, newest first.
 *
 * @origin api/client/commands.go (*DockerCli).CmdHistory
 */
export async function cmdHistory(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("history", "[OPTIONS] IMAGE", "Show the history of an image");
  const quiet = cmd.bool(["q", "-quiet"], false, "Only show numeric IDs");
  const noTrunc = cmd.bool(["#notrunc", "-no-trunc"], false, "Don't truncate output");
  cmd.parse(args);
  if (cmd.nArg() !== 1) cmd.usage();
  const layers = new Table("Created");
  layers.readListFrom(await readBody(call(cli, "GET", `/images/${cmd.arg(0)}/history`)));
  const rows = layers.rows.map((row) => {
    const id = noTrunc.value ? row.get("Id") : truncateID(row.get("Id"));
    if (quiet.value) return [id];
    const by = noTrunc.value ? row.get("CreatedBy") : cut(row.get("CreatedBy"), 45);
    return [id, ago(cli, row.getInt("Created")), by, humanSize(row.getInt("Size"))];
  });
  if (!quiet.value) rows.unshift(["IMAGE", "CREATED", "CREATED BY", "SIZE"]);
  await cli.out.write(table(cli, rows));
}
