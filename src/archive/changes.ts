/**
 * What differs between two trees, and an archive of just that.
 *
 * @origin archive/changes.go
 * @module
 */

import { join } from "node:path/posix";
import { isErrno } from "../errdefs/errdefs.ts";
import type { FileSystem } from "../host/host.ts";
import type { Reader } from "../sync/io.ts";
import { type ArchiveHost, TarSource } from "./archive.ts";
import { fromText } from "./byte-string.ts";
import { TRAILER } from "./tar/writer.ts";

/** A change between a tree and the one below: 0 modified, 1 added, 2 deleted. @origin archive/changes.go Change */
export interface Change {
  readonly path: string;
  readonly kind: 0 | 1 | 2;
}

/** What `lstat` tells, in plain numbers. */
interface Stats {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly mtimeMs: number;
  isDirectory(): boolean;
}

async function names(fs: FileSystem, path: string): Promise<Map<string, Stats>> {
  const found = new Map<string, Stats>();
  try {
    for (const name of await fs.readdir(path)) found.set(name, await fs.lstat(join(path, name)));
  } catch (cause) {
    if (!isErrno(cause, "ENOENT", "ENOTDIR")) throw cause;
  }
  return found;
}

/** Seconds equal, and fractions too unless one of them was not recorded. @origin archive/changes.go sameFsTime */
function sameTime(a: number, b: number): boolean {
  const whole = (ms: number) => Math.floor(ms / 1000);
  return whole(a) === whole(b) && (a === b || a % 1000 === 0 || b % 1000 === 0);
}

function differs(host: ArchiveHost, path: string, a: Stats, b: Stats, oldPath: string): boolean {
  const capability = (file: string) => host.kernel.lgetxattr(file, "security.capability")?.toString("hex");
  return (
    a.mode !== b.mode ||
    a.uid !== b.uid ||
    a.gid !== b.gid ||
    a.rdev !== b.rdev ||
    (!a.isDirectory() && a.size !== b.size) ||
    !sameTime(a.mtimeMs, b.mtimeMs) ||
    capability(path) !== capability(oldPath)
  );
}

/**
 * Compares two trees.
 *
 * @param dir - the newer one
 * @param old - the one below; `undefined` for none: then everything is new
 * @returns sorted by path; a deleted directory is told once, not with what was in it
 * @origin archive/changes.go ChangesDirs
 * @deviation Sorted; the order of 1.2.0 is that of a Go map.
 */
export async function changesDirs(host: ArchiveHost, dir: string, old: string | undefined): Promise<Change[]> {
  const changes: Change[] = [];
  const compare = async (path: string, isNew: boolean): Promise<void> => {
    const now = await names(host.fs, join(dir, path));
    const before = isNew || old === undefined ? new Map<string, Stats>() : await names(host.fs, join(old, path));
    for (const [name, info] of now) {
      const child = `${path}/${name}`;
      const was = before.get(name);
      before.delete(name);
      if (was === undefined) changes.push({ path: child, kind: 1 });
      else if (differs(host, join(dir, child), info, was, join(old ?? "", child)))
        changes.push({ path: child, kind: 0 });
      if (info.isDirectory()) await compare(child, was === undefined || !was.isDirectory());
    }
    for (const name of before.keys()) changes.push({ path: `${path}/${name}`, kind: 2 });
  };
  await compare("", false);
  return changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** Bytes of added and modified files. @origin archive/changes.go ChangesSize */
export async function changesSize(fs: FileSystem, dir: string, changes: readonly Change[]): Promise<number> {
  let size = 0;
  for (const change of changes) {
    if (change.kind === 2) continue;
    const info = await fs.lstat(join(dir, change.path));
    if (!info.isDirectory()) size += Number(info.size);
  }
  return size;
}

/**
 * An archive of changes: what is new or modified as it is, what is gone as `.wh.<name>`.
 *
 * @origin archive/changes.go ExportChanges
 */
export async function* exportChanges(
  host: ArchiveHost,
  dir: string,
  changes: readonly Change[],
): Reader & AsyncGenerator<Uint8Array> {
  const source = new TarSource(host, dir);
  for (const { path, kind } of changes) {
    const name = fromText(path.slice(1));
    if (kind === 2) {
      const slash = name.lastIndexOf("/");
      yield source.whiteout(name.slice(0, Math.max(0, slash)), name.slice(slash + 1));
      continue;
    }
    const info = await source.stat(name);
    if (info !== undefined) yield* source.entry(name, info);
  }
  yield TRAILER;
}
