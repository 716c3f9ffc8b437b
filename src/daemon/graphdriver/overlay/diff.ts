/**
 * What a layer of the overlay driver adds, changes and hides, read from its own directory without mounting anything.
 *
 * @since Docker 1.4 (daemon/graphdriver/overlay)
 * @module
 */

import { join } from "node:path/posix";
import type { Change } from "../../../archive/changes.ts";
import { isErrno } from "../../../errdefs/errdefs.ts";
import type { FileSystem, Host } from "../../../host/host.ts";

type DiffHost = Pick<Host, "fs" | "kernel">;
/** What `lstat` tells, in plain numbers. */
interface Stats {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly dev: number;
  readonly ino: number;
  readonly rdev: number;
  readonly size: number;
  readonly mtimeMs: number;
  isDirectory(): boolean;
  isCharacterDevice(): boolean;
}

const OPAQUE_XATTR = "trusted.overlay.opaque";

/** Whether this is overlay's mark of a deleted file. */
export function isWhiteout(info: Stats): boolean {
  return info.isCharacterDevice() && info.rdev === 0;
}

/** Whether a directory hides everything of its name below. */
export function isOpaque(host: DiffHost, path: string): boolean {
  return host.kernel.lgetxattr(path, OPAQUE_XATTR)?.toString() === "y";
}

async function lstat(fs: FileSystem, path: string): Promise<Stats | undefined> {
  try {
    return await fs.lstat(path);
  } catch (cause) {
    if (isErrno(cause, "ENOENT", "ENOTDIR")) return undefined;
    throw cause;
  }
}

/** What the layers below show under a path, the nearest that says anything; `undefined` when it is not there. */
async function below(host: DiffHost, lower: readonly string[], path: string): Promise<Stats | undefined> {
  for (const layer of lower) {
    const info = await lstat(host.fs, join(layer, path));
    if (info !== undefined) return isWhiteout(info) ? undefined : info;
    // An opaque directory above the path hides what deeper layers have there.
    for (let dir = path.slice(0, path.lastIndexOf("/")); dir !== ""; dir = dir.slice(0, dir.lastIndexOf("/"))) {
      const above = await lstat(host.fs, join(layer, dir));
      if (above !== undefined && (!above.isDirectory() || isOpaque(host, join(layer, dir)))) return undefined;
    }
  }
  return undefined;
}

function sameDirectory(a: Stats, b: Stats): boolean {
  return (
    b.isDirectory() &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    Math.trunc(a.mtimeMs / 1000) === Math.trunc(b.mtimeMs / 1000)
  );
}

/**
 * The changes of a layer, sorted by path, in the sense of `docker diff`.
 *
 * @param diff - the layer's own directory
 * @param lower - directories of the layers below, nearest first
 */
export async function overlayChanges(host: DiffHost, diff: string, lower: readonly string[]): Promise<Change[]> {
  const changes: Change[] = [];
  const visit = async (dir: string) => {
    for (const name of (await host.fs.readdir(join(diff, dir))).sort()) {
      const path = `${dir}/${name}`;
      const info = await lstat(host.fs, join(diff, path));
      if (info === undefined) continue;
      const old = await below(host, lower, path);
      if (isWhiteout(info)) {
        if (old !== undefined) changes.push({ path, kind: 2 });
        continue;
      }
      if (old === undefined) changes.push({ path, kind: 1 });
      else if (!(info.isDirectory() && sameDirectory(info, old))) changes.push({ path, kind: 0 });
      if (info.isDirectory()) await visit(path);
    }
  };
  await visit("");
  return changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** Bytes of the regular files below a directory, each inode once. @origin utils/utils.go TreeSize */
export async function treeSize(fs: FileSystem, dir: string): Promise<number> {
  const seen = new Set<string>();
  let size = 0;
  const visit = async (path: string) => {
    for (const entry of await fs.readdir(path, { withFileTypes: true })) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) await visit(child);
      else if (entry.isFile()) {
        const info = await lstat(fs, child);
        if (info === undefined || seen.has(`${info.dev}:${info.ino}`)) continue;
        seen.add(`${info.dev}:${info.ino}`);
        size += info.size;
      }
    }
  };
  await visit(dir);
  return size;
}
