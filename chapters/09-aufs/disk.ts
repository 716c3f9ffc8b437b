/**
 * What lies in the directories of the storage driver and of the graph, and what is to be seen of it.
 *
 * @module
 */

import { join } from "node:path/posix";
import type { Header } from "../../src/archive/tar/header.ts";
import { TarParser } from "../../src/archive/tar/parser.ts";
import type { FileSystem } from "../../src/host/host.ts";
import type { Reader } from "../../src/sync/io.ts";

/** Something in a layer's own directory. */
export interface Entry {
  /** Below the directory, with a slash at the end when it is one itself. */
  readonly path: string;
  readonly mode: number;
  /** First line of a file. */
  readonly text: string;
  readonly size: number;
}

/** What is on the disk of one layer. */
export interface Layer {
  readonly id: string;
  /** Lines of `layers/<id>`. */
  readonly below: readonly string[];
  readonly diff: readonly Entry[];
  /** Files in `graph/<id>`; none for the layer of a container. */
  readonly graph: readonly { readonly name: string; readonly text: string }[];
}

/** Something that is seen at the mount point. */
export interface Shown {
  readonly path: string;
  readonly text: string;
  /** Layers that have it, topmost first; what is seen of a file is the first one's. */
  readonly layers: readonly string[];
}

/** Something that a layer has and nobody sees. */
export interface Hidden {
  readonly path: string;
  readonly layers: readonly string[];
  /** The layer that hides it, and with what: a whiteout, an opaque mark, or something else in its place. */
  readonly by: { readonly layer: string; readonly path: string } | undefined;
}

/** Aufs's own files, at the root of a writable branch. */
export const isOwn = (path: string): boolean => /^\.wh\.\.wh\.(?!\.opq)/.test(path);

/** Everything below a directory, sorted. */
export async function entriesOf(fs: FileSystem, root: string, at = ""): Promise<Entry[]> {
  const found: Entry[] = [];
  for (const name of (await fs.readdir(join(root, at))).sort()) {
    const path = at + name;
    const info = await fs.lstat(join(root, path));
    if (info.isDirectory()) {
      found.push({ path: `${path}/`, mode: info.mode, text: "", size: 0 });
      found.push(...(await entriesOf(fs, root, `${path}/`)));
    } else {
      const content = info.isFile() ? await fs.readFile(join(root, path), "utf8") : "";
      found.push({ path, mode: info.mode, text: content.split("\n")[0] ?? "", size: info.size });
    }
  }
  return found;
}

/** What changed between two looks at a directory. */
export function differences(before: readonly Entry[], after: readonly Entry[]): string[] {
  const was = new Map(before.map((entry) => [entry.path, JSON.stringify(entry)]));
  const changes = after
    .filter((entry) => was.get(entry.path) !== JSON.stringify(entry))
    .map((entry) => `${was.has(entry.path) ? "~" : "+"} ${entry.path}`);
  const there = new Set(after.map(({ path }) => path));
  return [...before.filter(({ path }) => !there.has(path)).map(({ path }) => `- ${path}`), ...changes];
}

/** The headers of an archive. */
export async function headersOf(archive: Reader): Promise<Header[]> {
  const headers: Header[] = [];
  const nothing = () => undefined;
  const parser = new TarParser({ entry: (header) => headers.push(header), data: nothing, endEntry: nothing });
  for await (const chunk of archive) parser.feed(Buffer.from(chunk));
  return headers;
}

/** The first layer with a whiteout of a path or of a directory on the way, or with an opaque mark there. */
function markOn(path: string, layers: readonly Layer[]): { readonly at: number; readonly path: string } | undefined {
  const parts = path.split("/").filter(Boolean);
  const directories = parts.map((_, depth) =>
    parts
      .slice(0, depth)
      .map((part) => `${part}/`)
      .join(""),
  );
  const whiteouts = parts.map((name, depth) => `${directories[depth]}.wh.${name}`);
  const inside = path.endsWith("/") ? [...directories.slice(1), path] : directories.slice(1);
  const marks = [...whiteouts, ...inside.map((directory) => `${directory}.wh..wh..opq`)];
  for (const [at, { diff }] of layers.entries()) {
    const mark = diff.find((entry) => marks.includes(entry.path));
    if (mark !== undefined) return { at, path: mark.path };
  }
  return undefined;
}

/** The first layer with something of another kind in the place of a path, or of a directory on the way. */
function coverOn(path: string, layers: readonly Layer[]): { readonly at: number; readonly path: string } | undefined {
  const parts = path.split("/").filter(Boolean);
  const ways = parts.map((_, depth) => parts.slice(0, depth + 1).join("/"));
  const others = path.endsWith("/") ? ways : [...ways.slice(0, -1), `${path}/`];
  for (const [at, { diff }] of layers.entries()) {
    const cover = diff.find((entry) => others.includes(entry.path));
    if (cover !== undefined) return { at, path: cover.path };
  }
  return undefined;
}

/** What one sees at the mount point, and what not. */
export function look(view: readonly Entry[], layers: readonly Layer[]): { shown: Shown[]; hidden: Hidden[] } {
  const having = (path: string, to = layers.length) =>
    layers.slice(0, to).flatMap(({ id, diff }) => (diff.some((entry) => entry.path === path) ? [id] : []));
  const shown = view.map(({ path, text }) => {
    // Of a directory one sees what several layers have in it, down to an opaque mark.
    const mark = path.endsWith("/") ? markOn(path, layers) : undefined;
    return { path, text, layers: having(path, mark && mark.at + 1) };
  });
  const seen = new Set(view.map(({ path }) => path));
  const all = layers.flatMap(({ diff }) => diff.map(({ path }) => path));
  const hidden = [...new Set(all)]
    .filter((path) => !seen.has(path) && !/(^|\/)\.wh\./.test(path))
    .sort()
    .map((path) => {
      const mark = markOn(path, layers) ?? coverOn(path, layers);
      const layer = mark && layers[mark.at];
      return { path, layers: having(path), by: mark && layer && { layer: layer.id, path: mark.path } };
    });
  return { shown, hidden };
}

/** The disk of a layer. */
export async function layerOf(fs: FileSystem, root: string, id: string): Promise<Layer> {
  const below = (await fs.readFile(join(root, "aufs/layers", id), "utf8")).split("\n").filter(Boolean);
  const graph: { name: string; text: string }[] = [];
  for (const name of ["json", "layersize"]) {
    const text = await fs.readFile(join(root, "graph", id, name), "utf8").catch(() => undefined);
    if (text !== undefined) graph.push({ name, text });
  }
  return { id, below, diff: await entriesOf(fs, join(root, "aufs/diff", id)), graph };
}
