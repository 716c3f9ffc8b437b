/**
 * The recorded graph root of 1.2.0, read; and a graph root of ours, written the same way.
 */

import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";

/** What a file holds, or what there is in a database. */
export type Contents = ReadonlyMap<string, string>;

/** One moment of the record. */
export interface DiskStage {
  /** `after import` */
  readonly title: string;
  /** `added` is all there is, not what has changed since the stage before. */
  readonly isWhole: boolean;
  readonly commands: readonly DiskCommand[];
  /** `f 0600 graph/<id1>/layersize  7 bytes`; what is as in the root file system is left out. */
  readonly added: readonly string[];
  /** Lines of the stage before that hold no more. */
  readonly gone: readonly string[];
  readonly contents: Contents;
  /** `undefined`: as it was. */
  readonly linkGraph: { readonly entities: readonly string[]; readonly edges: readonly string[] } | undefined;
}

/** A command line of the record, and what it wrote. */
export interface DiskCommand {
  readonly line: string;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

/** Reads the record. @param text - `disk.txt` */
export function diskStages(text: string): DiskStage[] {
  return text
    .split(/^======== /m)
    .slice(1)
    .map(readStage);
}

function readStage(text: string): DiskStage {
  const [head = "", ...sections] = text.trimEnd().split(/^---- /m);
  const [title = "", ...dialogue] = head.trimEnd().split("\n");
  const commands: { line: string; stdout: string[]; stderr: string[] }[] = [];
  for (const line of dialogue) {
    const last = commands.at(-1);
    if (line.startsWith("$ ")) commands.push({ line: line.slice(2), stdout: [], stderr: [] });
    else if (line.startsWith("2> ")) last?.stderr.push(line.slice(3));
    else last?.stdout.push(line.slice(2));
  }
  const contents = new Map<string, string>();
  let added: string[] = [];
  let gone: string[] = [];
  let isWhole = false;
  let linkGraph: DiskStage["linkGraph"];
  for (const section of sections) {
    const [name = "", ...lines] = section.replace(/\n+$/, "").split("\n");
    const entries = lines.filter((line) => !line.startsWith("  ("));
    if (name === "entries") isWhole = true;
    if (name === "entries" || name === "new or changed entries") added = entries;
    else if (name === "gone or changed") gone = entries;
    else if (name === "linkgraph.db") linkGraph = readLinkGraph(lines);
    else contents.set(name.replace(/^content of /, ""), lines.join("\n"));
  }
  return { title, isWhole, commands, added, gone, contents, linkGraph };
}

function readLinkGraph(lines: readonly string[]): DiskStage["linkGraph"] {
  if (lines[0] === "(unchanged)") return undefined;
  const rowsAfter = (start: string) => {
    const at = lines.findIndex((line) => line.startsWith(start));
    const end = lines.findIndex((line, i) => i > at && line.startsWith("--"));
    return lines.slice(at + 1, end < 0 ? undefined : end).map((line) => line.trim());
  };
  return { entities: rowsAfter("-- entity:"), edges: rowsAfter("-- edge:") };
}

/** Rows of the database of names, as the record writes them. */
export function linkGraphOf(root: string): { entities: string[]; edges: string[] } {
  const database = new Database(join(root, "linkgraph.db"), { readonly: true });
  try {
    const rows = (sql: string) => database.prepare(sql).raw().all() as (string | null)[][];
    const shown = (row: (string | null)[]) => row.map((value) => value ?? "None").join(", ");
    return {
      entities: rows("SELECT id FROM entity").map(shown),
      edges: rows("SELECT entity_id, parent_id, name FROM edge").map(shown),
    };
  } finally {
    database.close();
  }
}

/** What lies below a root: path to its line. @param base - lines below `vfs/dir/<id>` that every root file system has */
export function diskEntries(root: string, base: ReadonlySet<string> = new Set()): Map<string, string> {
  const entries = new Map<string, string>();
  const walk = (path: string) => {
    for (const name of readdirSync(join(root, path))) {
      const at = path === "" ? name : `${path}/${name}`;
      const line = lineOf(root, at);
      if (line === undefined) continue; // gone meanwhile
      const inLayer = /^vfs\/dir\/[^/]+\/(.*)$/.exec(at)?.[1];
      if (inLayer === undefined || !base.has(line.replace(at, inLayer))) entries.set(at, line);
      if (line.startsWith("d")) walk(at);
    }
  };
  walk("");
  return entries;
}

function lineOf(root: string, path: string): string | undefined {
  const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const mode = `0${(stat.mode & 0o7777).toString(8).padStart(3, "0")}`;
  if (stat.isDirectory()) return `d ${mode} ${path}`;
  if (stat.isSymbolicLink()) return `l ${mode} ${path} -> ${readlinkSync(join(root, path))}`;
  if (stat.isFile()) return `f ${mode} ${path}  ${stat.size} bytes`;
  return `s ${mode} ${path}`;
}

/** What the layer of an image has, for {@link diskEntries}. @param shortId - the first digits of its id */
export function baseOf(root: string, shortId: string): Set<string> {
  const id = readdirSync(join(root, "vfs/dir")).find((name) => name.startsWith(shortId));
  const below = `vfs/dir/${id}/`;
  const lines = [...diskEntries(root)].filter(([path]) => path.startsWith(below));
  return new Set(lines.map(([, line]) => line.replace(below, "")));
}

/** The text of a file as the record shows it: JSON is laid out anew. @param leftOut - keys that are not shown */
export function shownText(root: string, path: string, leftOut: readonly string[]): string {
  const text = readFileSync(join(root, path), "utf8");
  const isJson = path.endsWith("json") || path.startsWith("repositories-");
  if (!isJson) return text.replace(/\n$/, "");
  const kept = (key: string, value: unknown) => (leftOut.includes(key) ? undefined : value);
  return JSON.stringify(JSON.parse(text), kept, 1);
}

/** Ids by the names that the record gives them. */
export class DiskIds {
  readonly #names = new Map<string, string>();

  /** @param id - 64 digits, or its first twelve */
  bind(name: string, id: string): void {
    this.#names.set(id.slice(0, 12), name);
  }

  /** The 12 digits that go by a name. */
  shortIdOf(name: string): string | undefined {
    return [...this.#names].find(([, one]) => one === name)?.[0];
  }

  /** Learns ids from a line that the record has as `wanted`. */
  learn(wanted: string, line: string): void {
    const names: string[] = [];
    const pattern = wanted
      .split(/(<id\d+(?::12)?>)/)
      .map((part) => {
        const name = /^<(id\d+)(:12)?>$/.exec(part);
        if (name === null) return part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
        names.push(name[1] as string);
        return name[2] === undefined ? "([0-9a-f]{64})" : "([0-9a-f]{12})";
      })
      .join("");
    const found = new RegExp(`^${pattern}$`).exec(line);
    for (const [i, name] of names.entries()) if (found !== null) this.bind(name, found[i + 1] as string);
  }

  /** A text with the names instead of the ids. */
  normalise(text: string): string {
    return text
      .replace(/\b[0-9a-f]{64}\b/g, (id) => {
        const name = this.#names.get(id.slice(0, 12));
        return name === undefined ? id : `<${name}>`;
      })
      .replace(/\b[0-9a-f]{12}\b/g, (id) => {
        const name = this.#names.get(id);
        return name === undefined ? id : `<${name}:12>`;
      });
  }
}
