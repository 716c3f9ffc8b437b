/**
 * `docker images`
 *
 * @module
 */

import { Table } from "../../../engine/table.ts";
import { ListOpts } from "../../../opts/opts.ts";
import { parseFlag, toParam } from "../../../pkg/parsers/filters/parse.ts";
import { parseRepositoryTag } from "../../../pkg/parsers/parsers.ts";
import { humanSize } from "../../../pkg/units/size.ts";
import { truncateID } from "../../../utils/utils.ts";
import type { DockerCli } from "../cli.ts";
import { query } from "../query.ts";
import { ago, table } from "../table.ts";
import { call, readBody } from "../utils.ts";

/**
 * Lists images, one line for each of their names.
 *
 * @origin api/client/commands.go (*DockerCli).CmdImages
 */
export async function cmdImages(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("images", "[OPTIONS] [NAME]", "List images");
  const quiet = cmd.bool(["q", "-quiet"], false, "Only show numeric IDs");
  const allHelp = "Show all images (by default filter out the intermediate image layers)";
  const all = cmd.bool(["a", "-all"], false, allHelp);
  const noTrunc = cmd.bool(["#notrunc", "-no-trunc"], false, "Don't truncate output");
  const viz = cmd.bool(["#v", "#viz", "#-viz"], false, "Output graph in graphviz format");
  const tree = cmd.bool(["#t", "#tree", "#-tree"], false, "Output graph in tree format");
  const filter = cmd.var(new ListOpts(), ["f", "-filter"], "Provide filter values (i.e. 'dangling=true')");
  cmd.parse(args);
  if (cmd.nArg() > 1) cmd.usage();
  const filters =
    toParam(filter.value.getAll().reduce((sum, text) => parseFlag(text, sum), parseFlag(""))) || undefined;
  const name = cmd.arg(0);
  const options = { noTrunc: noTrunc.value, name };

  if (viz.value || tree.value) {
    const rows = await list(cli, query({ all: "1", filters }));
    const { imageTree, imageViz } = await import("./images-tree.ts");
    await cli.out.write(cli.show(viz.value ? imageViz(rows, options) : imageTree(rows, options)));
    return;
  }
  const rows = await list(
    cli,
    query({ filters, filter: cmd.nArg() === 1 ? name : undefined, all: all.value ? "1" : undefined }),
  );
  const lines = rows.flatMap((row) =>
    (row.getList("RepoTags") ?? []).map((repoTag) => {
      const id = noTrunc.value ? row.get("Id") : truncateID(row.get("Id"));
      if (quiet.value) return [id];
      return [
        ...parseRepositoryTag(repoTag),
        id,
        ago(cli, row.getInt("Created")),
        humanSize(row.getInt("VirtualSize")),
      ];
    }),
  );
  if (!quiet.value) lines.unshift(["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "VIRTUAL SIZE"]);
  await cli.out.write(table(cli, lines));
}

async function list(cli: DockerCli, values: string): Promise<Table["rows"]> {
  const images = new Table("Created");
  images.readListFrom(await readBody(call(cli, "GET", `/images/json${values}`)));
  return images.rows;
}
