/**
 * What differs between two trees, and an archive of just that.
 *
 * @origin archive/changes.go
 * @module
 */

import type { Reader } from "../sync/io.ts";
import { type ArchiveHost, TarSource } from "./archive.ts";
import { OPAQUE, WHITEOUT } from "./beneath.ts";
import { TRAILER } from "./tar/writer.ts";
import { below, type Stats, Tree, type TreeHost } from "./tree.ts";

/** A change between a tree and the one below: 0 modified, 1 added, 2 deleted. @origin archive/changes.go Change */
export interface Change {
  /** Absolute inside the tree; a byte string. */
  readonly path: string;
  readonly kind: 0 | 1 | 2;
}

/** Seconds equal, and fractions too unless one of them was not recorded. @origin archive/changes.go sameFsTime */
export function sameFsTime(a: number, b: number): boolean {
  const whole = (ms: number) => Math.floor(ms / 1000);
  return whole(a) === whole(b) && (a === b || a % 1000 === 0 || b % 1000 === 0);
}

/** The attributes of a file as {@link Tree.xattrs} gives them. */
export type Attributes = ReadonlyMap<string, Buffer> | undefined;

/**
 * Whether a file is another than the one that was there before; its content is not looked at.
 *
 * @param attributes - reads those of the new and the old one; only asked when all else is equal
 * @origin archive/changes.go (*FileInfo).addChanges
 * @deviation Every attribute that an archive carries counts, of directories, too; 1.2.0 looks at `security.capability` of
 *   files alone, and carries no other.
 */
export function isModified(now: Stats, was: Stats, attributes: () => [now: Attributes, was: Attributes]): boolean {
  if (now.mode !== was.mode || now.uid !== was.uid || now.gid !== was.gid || now.rdev !== was.rdev) return true;
  if (!now.isDirectory() && now.size !== was.size) return true;
  if (!sameFsTime(now.mtimeMs, was.mtimeMs)) return true;
  if (!now.isFile() && !now.isDirectory()) return false;
  const [a, b] = attributes();
  if (a?.size !== b?.size) return true;
  return [...(a ?? [])].some(([name, value]) => b?.get(name)?.equals(value) !== true);
}

/** In the order of their paths, as Go sorts: byte by byte. */
export function sorted(changes: Change[]): Change[] {
  return changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** Before the names that aufs has for itself. */
const META = WHITEOUT + WHITEOUT;

/**
 * Compares two trees.
 *
 * @param dir - the newer one
 * @param old - the one below; `undefined` for none: then everything is new
 * @returns sorted by path; a deleted directory is told once, not with what was in it
 * @origin archive/changes.go ChangesDirs
 * @deviation Sorted; the order of 1.2.0 is that of a Go map.
 */
export async function changesDirs(host: TreeHost, dir: string, old: string | undefined): Promise<Change[]> {
  const changes: Change[] = [];
  const newTree = new Tree(host, dir);
  const oldTree = old === undefined ? undefined : new Tree(host, old);
  const compare = async (path: string, before: Tree | undefined): Promise<void> => {
    const was = new Map(await before?.list(path));
    for (const [name, info] of await newTree.list(path)) {
      const child = below(path, name);
      const one = was.get(name);
      was.delete(name);
      const attributes = (): [Attributes, Attributes] => [newTree.xattrs(child), before?.xattrs(child)];
      if (one === undefined) changes.push({ path: `/${child}`, kind: 1 });
      else if (isModified(info, one, attributes)) changes.push({ path: `/${child}`, kind: 0 });
      if (info.isDirectory()) await compare(child, one?.isDirectory() ? before : undefined);
    }
    for (const name of was.keys()) changes.push({ path: `/${below(path, name)}`, kind: 2 });
  };
  await compare("", oldTree);
  return sorted(changes);
}

/**
 * What a layer changes, read from its own directory and those below it: a `.wh.` file deletes, all else is added, or
 * modified where a layer below has it. A directory that is there only to hold something is not told.
 *
 * @param layers - directories of the layers below, nearest first
 * @param rw - the layer's own directory
 * @returns sorted by path
 * @origin archive/changes.go Changes
 * @deviation An opaque directory deletes what the layers below have in it; 1.2.0 told of a deleted `.wh..opq` instead.
 *   What aufs keeps for itself is passed over with all that is in it, and links of a layer are not followed. Sorted by
 *   the whole path; 1.2.0 went directory by directory.
 */
export async function changes(host: TreeHost, layers: readonly string[], rw: string): Promise<Change[]> {
  const own = new Tree(host, rw);
  const found: Change[] = [];
  /** @param lower - the layers that have a directory there too */
  const visit = async (path: string, lower: readonly Tree[]): Promise<void> => {
    const entries = await own.list(path);
    for (const [name, info] of entries) {
      if (name.startsWith(META)) continue;
      if (name.startsWith(WHITEOUT)) {
        found.push({ path: `/${below(path, name.slice(WHITEOUT.length))}`, kind: 2 });
        continue;
      }
      const child = below(path, name);
      const infos = await Promise.all(lower.map((tree) => tree.lstat(child)));
      const was = infos.find((one) => one !== undefined);
      if (was === undefined) found.push({ path: `/${child}`, kind: 1 });
      else if (!isSameDirectory(info, was)) found.push({ path: `/${child}`, kind: 0 });
      if (!info.isDirectory()) continue;
      await visit(
        child,
        lower.filter((_, index) => infos[index]?.isDirectory()),
      );
    }
    const names = new Set(entries.map(([name]) => name));
    if (!names.has(OPAQUE)) return;
    for (const name of (await Promise.all(lower.map((tree) => tree.list(path)))).flat().map(([one]) => one)) {
      if (name.startsWith(WHITEOUT) || names.has(name) || names.has(WHITEOUT + name)) continue;
      names.add(name);
      found.push({ path: `/${below(path, name)}`, kind: 2 });
    }
  };
  await visit(
    "",
    layers.map((layer) => new Tree(host, layer)),
  );
  return sorted(found);
}

function isSameDirectory(now: Stats, was: Stats): boolean {
  if (!now.isDirectory() || !was.isDirectory()) return false;
  return now.size === was.size && now.mode === was.mode && sameFsTime(now.mtimeMs, was.mtimeMs);
}

/** Bytes of added and modified files. @origin archive/changes.go ChangesSize */
export async function changesSize(host: TreeHost, dir: string, changes: readonly Change[]): Promise<number> {
  let size = 0;
  const tree = new Tree(host, dir);
  for (const { path, kind } of changes) {
    const info = kind === 2 ? undefined : await tree.lstat(path.slice(1));
    if (info !== undefined && !info.isDirectory()) size += info.size;
  }
  return size;
}

/**
 * An archive of changes: what is new or modified as it is, what is gone as `.wh.<name>`.
 *
 * @param changes - sorted by path
 * @origin archive/changes.go ExportChanges
 * @deviation The directories above a change come along: without them, whoever unpacks the layer by itself cannot know
 *   their owners and modes, and `/tmp` becomes closed to all but root.
 */
export async function* exportChanges(
  host: ArchiveHost,
  dir: string,
  changes: readonly Change[],
): Reader & AsyncGenerator<Uint8Array> {
  const source = new TarSource(host, dir);
  const written = new Set<string>([""]);
  for (const { path, kind } of changes) {
    const name = path.slice(1);
    for (let slash = name.indexOf("/"); slash >= 0; slash = name.indexOf("/", slash + 1)) {
      const above = name.slice(0, slash);
      if (written.has(above)) continue;
      written.add(above);
      const info = await source.tree.lstat(above);
      if (info !== undefined) yield* source.entry(above, info);
    }
    if (kind === 2) {
      yield source.whiteout(name);
      continue;
    }
    const info = await source.tree.lstat(name);
    if (info === undefined) continue;
    if (info.isDirectory()) written.add(name);
    yield* source.entry(name, info);
  }
  yield TRAILER;
}
