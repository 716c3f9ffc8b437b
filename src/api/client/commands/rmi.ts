/**
 * `docker rmi`
 *
 * @module
 */

import { Table } from "../../../engine/table.ts";
import type { DockerCli } from "../cli.ts";
import { forEach } from "../each.ts";
import { query } from "../query.ts";
import { call, readBody } from "../utils.ts";

/**
 * Removes names of images, and the images that no name is left for.
 *
 * @origin api/client/commands.go (*DockerCli).CmdRmi
 */
export async function cmdRmi(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("rmi", "IMAGE [IMAGE...]", "Remove one or more images");
  const force = cmd.bool(["f", "-force"], false, "Force removal of the image");
  const noPrune = cmd.bool(["-no-prune"], false, "Do not delete untagged parents");
  cmd.parse(args);
  if (cmd.nArg() < 1) cmd.usage();
  const values = query({ force: force.value ? "1" : undefined, noprune: noPrune.value ? "1" : undefined });
  await forEach(cli, cmd.args(), "Error: failed to remove one or more images", async (name) => {
    const table = new Table("Created");
    table.readListFrom(await readBody(call(cli, "DELETE", `/images/${name}${values}`)));
    return table.rows
      .map((row) => {
        const deleted = row.get("Deleted");
        return cli.show(deleted === "" ? `Untagged: ${row.get("Untagged")}\n` : `Deleted: ${deleted}\n`);
      })
      .join("");
  });
}
