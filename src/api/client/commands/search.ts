/**
 * `docker search`
 *
 * @module
 */

import { Table } from "../../../engine/table.ts";
import { TabWriter } from "../../../pkg/tabwriter/tabwriter.ts";
import { indexServerAddress, resolveRepositoryName } from "../../../registry/names.ts";
import type { DockerCli } from "../cli.ts";
import { registryAuth } from "../config-file.ts";
import { query } from "../query.ts";
import { cut } from "../table.ts";
import { call, readBody } from "../utils.ts";

/** Longest description in bytes, and what is left of a longer one. */
const [MAX_DESCRIPTION, CUT_DESCRIPTION] = [45, 42];

/**
 * Searches an index for repositories.
 *
 * @origin api/client/commands.go (*DockerCli).CmdSearch
 * @deviation The credentials are those of the registry that the term names: 1.2.0 sends the official index's to any.
 */
export async function cmdSearch(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("search", "TERM", "Search the Docker Hub for images");
  const noTrunc = cmd.bool(["#notrunc", "-no-trunc"], false, "Don't truncate output");
  const trusted = cmd.bool(["#t", "#trusted", "#-trusted"], false, "Only show trusted builds");
  const automated = cmd.bool(["-automated"], false, "Only show automated builds");
  const stars = cmd.int(["s", "#stars", "-stars"], 0, "Only displays with at least x stars");
  cmd.parse(args);
  if (cmd.nArg() !== 1) cmd.usage();

  const term = cmd.arg(0);
  const auth = await registryAuth(cli, hostOf(term));
  const found = new Table("star_count");
  found.readListFrom(await readBody(call(cli, "GET", `/images/search${query({ term })}`, undefined, auth)));
  const writer = new TabWriter((text) => text, { minWidth: 10, tabWidth: 1, padding: 3 });
  writer.write("NAME\tDESCRIPTION\tSTARS\tOFFICIAL\tAUTOMATED\n");
  for (const row of found.rows) {
    const isAutomated = row.getBool("is_automated") || row.getBool("is_trusted");
    const count = row.getInt("star_count");
    if (((automated.value || trusted.value) && !isAutomated) || stars.value > count) continue;
    const all = row.get("description").replace(/[\r\n]/g, " ");
    const isLong = !noTrunc.value && Buffer.byteLength(all) > MAX_DESCRIPTION;
    const description = isLong ? `${cut(all, CUT_DESCRIPTION)}...` : all;
    const texts = [row.get("name"), description].map((text) => cli.show(text).replace(/[\t\v\f\n]/g, " "));
    const marks = [row.getBool("is_official"), isAutomated].map((is) => (is ? "[OK]" : ""));
    writer.write(`${[...texts, count, ...marks].join("\t")}\n`);
  }
  await cli.out.write(writer.flush());
}

/** The registry that a term names; what is wrong with a term, the daemon says. */
function hostOf(term: string): string {
  try {
    return resolveRepositoryName(term).hostname;
  } catch {
    return indexServerAddress();
  }
}
