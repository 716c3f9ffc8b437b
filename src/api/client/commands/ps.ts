/**
 * `docker ps`
 *
 * @module
 */

import type { Env } from "../../../engine/env.ts";
import { Table } from "../../../engine/table.ts";
import { ListOpts } from "../../../opts/opts.ts";
import { parseFlag, toParam } from "../../../pkg/parsers/filters/parse.ts";
import { quote } from "../../../pkg/strconv/strconv.ts";
import { humanSize } from "../../../pkg/units/size.ts";
import { truncateID } from "../../../utils/utils.ts";
import { displayablePorts } from "../../common.ts";
import type { DockerCli } from "../cli.ts";
import { query } from "../query.ts";
import { ago, cut, table } from "../table.ts";
import { call, readBody } from "../utils.ts";

/**
 * Lists containers.
 *
 * @origin api/client/commands.go (*DockerCli).CmdPs
 */
export async function cmdPs(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("ps", "[OPTIONS]", "List containers");
  const quiet = cmd.bool(["q", "-quiet"], false, "Only display numeric IDs");
  const size = cmd.bool(["s", "-size"], false, "Display sizes");
  const all = cmd.bool(["a", "-all"], false, "Show all containers. Only running containers are shown by default.");
  const noTrunc = cmd.bool(["#notrunc", "-no-trunc"], false, "Don't truncate output");
  const latestHelp = "Show only the latest created container, include non-running ones.";
  const latest = cmd.bool(["l", "-latest"], false, latestHelp);
  const sinceHelp = "Show only containers created since Id or Name, include non-running ones.";
  const since = cmd.string(["#sinceId", "#-since-id", "-since"], "", sinceHelp);
  const beforeHelp = "Show only container created before Id or Name, include non-running ones.";
  const before = cmd.string(["#beforeId", "#-before-id", "-before"], "", beforeHelp);
  const last = cmd.int(["n"], -1, "Show n last created containers, include non-running ones.");
  const filterHelp = "Provide filter values. Valid filters:\nexited=<int> - containers with exit code of <int>";
  const filter = cmd.var(new ListOpts(), ["f", "-filter"], filterHelp);
  cmd.parse(args);

  const limit = last.value === -1 && latest.value ? 1 : last.value;
  const filters = filter.value.getAll().reduce((sum, text) => parseFlag(text, sum), parseFlag(""));
  const values = query({
    all: all.value ? "1" : undefined,
    limit: limit === -1 ? undefined : limit,
    since: since.value || undefined,
    before: before.value || undefined,
    size: size.value ? "1" : undefined,
    filters: toParam(filters) || undefined,
  });
  const containers = new Table("Created");
  containers.readListFrom(await readBody(call(cli, "GET", `/containers/json${values}`)));
  const id = (row: Env) => (noTrunc.value ? row.get("Id") : truncateID(row.get("Id")));
  if (quiet.value) {
    await cli.out.write(
      table(
        cli,
        containers.rows.map((row) => [id(row)]),
      ),
    );
    return;
  }
  const rows = containers.rows.map((row) => {
    const command = quote(row.get("Command"));
    return [
      id(row),
      row.get("Image"),
      noTrunc.value ? command : cut(command, 20),
      ago(cli, row.getInt("Created")),
      row.get("Status"),
      ports(row),
      (row.getList("Names") ?? []).map((name) => name.slice(1)).join(","),
      // An empty last cell: the names are padded even when nothing follows them.
      size.value ? sizes(row) : "",
    ];
  });
  const header = ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"];
  await cli.out.write(table(cli, [size.value ? [...header, "SIZE"] : header, ...rows]));
}

function ports(row: Env): string {
  const list = new Table();
  try {
    list.readListFrom(row.get("Ports"));
  } catch {
    return "";
  }
  return displayablePorts(list.rows);
}

function sizes(row: Env): string {
  const own = humanSize(row.getInt("SizeRw"));
  return row.getInt("SizeRootFs") > 0 ? `${own} (virtual ${humanSize(row.getInt("SizeRootFs"))})` : own;
}
