/**
 * Records of the original, quoted in the prose.
 *
 * ```text
 * ```json golden system.004                      a record, whole
 * ```json golden system.004 response.body        a part of it
 * ```text golden help_screens.001 stderr         a text, as it is
 * ```text golden boot-log 3-9                    lines of the recorded boot
 * ```
 *
 * @module
 */

import type { Tree } from "./tree.ts";

const RECORDS = "test/golden/records";
const QUOTE = /^(?:json|text) golden (\S+)(?: (\S+))?$/;

/** Whether a fence quotes a record. */
export function isQuote(info: string): boolean {
  return QUOTE.test(info);
}

/** The records of a file, by id; the lines of one without ids. */
function recordOf(tree: Tree, id: string): unknown {
  for (const file of tree.list(RECORDS).filter((name) => name.endsWith(".jsonl"))) {
    for (const line of (tree.read(`${RECORDS}/${file}`) ?? "").split("\n")) {
      // Parsing all of them takes a second: only the one that is asked for is parsed.
      if (line.startsWith(`{"id": ${JSON.stringify(id)},`)) return JSON.parse(line);
    }
  }
  return undefined;
}

/**
 * What a fence with this info is to hold.
 *
 * @returns `undefined` when there is no such record, or no such part of it
 */
export function quoted(tree: Tree, info: string): string | undefined {
  const [, id = "", part] = QUOTE.exec(info) ?? [];
  if (id === "boot-log") {
    const [, from, to] = /^(\d+)-(\d+)$/.exec(part ?? "") ?? [];
    const lines = (tree.read(`${RECORDS}/boot-log.txt`) ?? "").split("\n").slice(Number(from) - 1, Number(to));
    return from === undefined || lines.length === 0 ? undefined : lines.join("\n");
  }
  let value = recordOf(tree, id);
  for (const key of part?.split(".") ?? []) {
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  }
  if (value === undefined) return undefined;
  return typeof value === "string" ? value.replace(/\n$/, "") : JSON.stringify(value, null, 2);
}
