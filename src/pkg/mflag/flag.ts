/**
 * One flag, and the table that explains many.
 *
 * @origin pkg/mflag/flag.go
 * @module
 */

import { TabWriter } from "../tabwriter/tabwriter.ts";
import { showDefault, type Value } from "./values.ts";

/** One declared flag. @origin pkg/mflag/flag.go Flag */
export interface Flag {
  /** As declared, `#` included. */
  readonly names: readonly string[];
  /** The help text; lines after the first are indented. */
  readonly usage: string;
  readonly value: Value;
  /** The default as text. */
  readonly defValue: string;
}

/** By the first name, upper and lower case together. @origin pkg/mflag/flag.go sortFlags */
export function sortFlags(flags: ReadonlySet<Flag>): Flag[] {
  const key = (flag: Flag) => (flag.names[0] ?? "").replace(/^#/, "").replace(/^-/, "");
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return [...flags].sort((a, b) => order(key(a).toLowerCase(), key(b).toLowerCase()) || order(key(a), key(b)));
}

/** Names, defaults and help in two columns; flags whose names are all deprecated are left out. */
export function flagTable(flags: ReadonlySet<Flag>): string {
  const table = new TabWriter((text) => text, { minWidth: 20, tabWidth: 1, padding: 3 });
  for (const { names, usage, value, defValue } of sortFlags(flags)) {
    const visible = names.filter((name) => !name.startsWith("#"));
    if (visible.length === 0) continue;
    const help = usage.split("\n").map((line, i) => `\t ${i === 0 ? "" : "  "}${line}\n`);
    table.write(`  -${visible.join(", -")}=${showDefault(value, defValue)}${help.join("")}`);
  }
  return table.flush();
}
