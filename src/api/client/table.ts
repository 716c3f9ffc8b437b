/**
 * Tables as `docker ps`, `images` and `history` print them.
 *
 * @module
 */

import { TabWriter } from "../../pkg/tabwriter/tabwriter.ts";
import { humanDuration } from "../../pkg/units/duration.ts";
import type { DockerCli } from "./cli.ts";

/** The layout of all tables: columns of 20 characters at least, three blanks between. */
export const layout = { minWidth: 20, tabWidth: 1, padding: 3 };

/** Aligned text. Cells that come from elsewhere cannot break out of their column. */
export function table(cli: DockerCli, rows: readonly (readonly string[])[]): string {
  const writer = new TabWriter((text) => text, layout);
  for (const row of rows) writer.write(`${row.map((cell) => cli.show(cell)).join("\t")}\n`);
  return writer.flush();
}

/** How long ago a moment was. @param created - Unix seconds */
export function ago(cli: DockerCli, created: number): string {
  return `${humanDuration(cli.host.clock.now() - created * 1000)} ago`;
}

/**
 * The beginning of a text, `limit` bytes at most.
 *
 * @origin utils/utils.go Trunc
 * @deviation Never cuts within a character.
 */
export function cut(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  let end = limit;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}
