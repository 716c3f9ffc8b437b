/**
 * What is at a path of a container: looked at, archived, written into.
 *
 * A path here is one that the container's processes would use. It is resolved below a root, and no link leads out of
 * that. While the container runs its processes may put a link in the place of a directory that has been looked at, so
 * the caller has to be where that does no harm: locked into the root.
 *
 * @since Docker 1.8
 * @module
 */

import posix from "node:path/posix";
import { isErrno } from "../errdefs/errdefs.ts";
import type { ArchiveSink, Destination, PathStat, ViewMount } from "../host/pool.ts";
import type { SyncFs } from "../host/sync-fs.ts";
import { followSymlinkInScope } from "../pkg/symlink/fs.ts";
import { rfc3339Nano } from "../utils/go-time.ts";
import { type ArchiveHost, tarAs } from "./archive.ts";
import { fromText } from "./byte-string.ts";

/** A copy that is refused. */
export class CopyError extends Error {
  /** `ENOENT`: the destination is not there. `EDESTINATION`: it is no place to write to. `EKIND`: what is there stays. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "CopyError";
    this.code = code;
  }
}

const S_IFMT = 0o170000;
/** Bits of the type: the kernel's, and those of Go's `os.FileMode`. */
const TYPE_BITS = new Map([
  [0o040000, 1 << 31],
  [0o120000, 1 << 27],
  [0o060000, 1 << 26],
  [0o020000, (1 << 26) | (1 << 21)],
  [0o010000, 1 << 25],
  [0o140000, 1 << 24],
]);
/** Set-user-id, set-group-id, sticky. */
const SPECIAL_BITS = [
  [0o4000, 1 << 23],
  [0o2000, 1 << 22],
  [0o1000, 1 << 20],
] as const;

/** The kernel's mode as Go's `os.FileMode`. */
export function goFileMode(mode: number): number {
  let bits = (mode & 0o777) | (TYPE_BITS.get(mode & S_IFMT) ?? 0);
  for (const [theirs, ours] of SPECIAL_BITS) if ((mode & theirs) !== 0) bits |= ours;
  return bits >>> 0;
}

/**
 * The shortest form of a path, absolute. A slash or `/.` at its end says that a directory is meant, and stays.
 */
export function absolutePath(path: string): string {
  const clean = posix.join("/", path).replace(/(.)\/+$/, "$1");
  if (path === "." || path.endsWith("/.")) return clean === "/" ? "/." : `${clean}/.`;
  return path.endsWith("/") && clean !== "/" ? `${clean}/` : clean;
}

/** The last part of a path, as Go's `filepath.Base` has it. */
function baseOf(path: string): string {
  return posix.basename(path) || "/";
}

/** Where a path lies when all links but one at its very end are followed. */
async function resolve({ fs }: Pick<ArchiveHost, "fs">, root: string, path: string): Promise<string> {
  const slash = path.lastIndexOf("/") + 1;
  const directory = await followSymlinkInScope(fs, `${root}${path.slice(0, slash)}`, root || "/");
  return `${directory.replace(/\/$/, "")}/${path.slice(slash)}`;
}

/**
 * Looks at what is at a path. A link at its end is not followed, unless a slash comes behind.
 *
 * @param root - without a slash at the end; "" is `/`
 */
export async function statPath(host: ArchiveHost, root: string, path: string): Promise<PathStat> {
  const absolute = absolutePath(path);
  const info = await host.fs.lstat(await resolve(host, root, absolute), { bigint: true });
  const mode = Number(info.mode);
  return {
    name: baseOf(absolute),
    size: Number(info.size),
    mode: goFileMode(mode),
    mtime: rfc3339Nano(info.mtimeNs),
    linkTarget: (mode & S_IFMT) === 0o120000 ? await targetOf(host, root, absolute) : "",
  };
}

async function targetOf({ fs }: ArchiveHost, root: string, path: string): Promise<string> {
  const end = await followSymlinkInScope(fs, `${root}${path}`, root || "/");
  return root === "" ? end : end.slice(root.length) || "/";
}

/** The beginning of a plain file, links followed; nothing when there is none. */
export async function readPath(host: ArchiveHost, root: string, path: string, maxBytes: number): Promise<Uint8Array> {
  const O_NONBLOCK = 0o4000;
  try {
    const real = await followSymlinkInScope(host.fs, `${root}${absolutePath(path)}`, root || "/");
    if (!(await host.fs.lstat(real)).isFile()) return new Uint8Array(0);
    const file = await host.fs.open(real, O_NONBLOCK);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (isErrno(cause, "ENOENT", "ENOTDIR")) return new Uint8Array(0);
    throw cause;
  }
}

/**
 * Archives what is at a path, under the last part of the path's name; of the root the names begin with a slash.
 */
export async function archivePath(host: ArchiveHost, root: string, path: string, sink: ArchiveSink): Promise<void> {
  const absolute = absolutePath(path);
  const stat = await statPath(host, root, absolute);
  const real = await resolve(host, root, absolute);
  sink.begin(stat);
  const source = real.replace(/(.)\/\.?$/, "$1");
  for await (const chunk of tarAs(host, source, stat.name)) await sink.write(chunk);
}

/**
 * Finds the directory that an archive is to be unpacked into.
 *
 * @param mounts - what is mounted below the root
 * @returns its real path, relative to the root, as a byte string
 * @throws {CopyError} when it is no directory, or lies in a mount that may not be written to
 */
export async function findDestination(
  fs: SyncFs,
  root: string,
  { path }: Destination,
  mounts: readonly ViewMount[] = [],
): Promise<string> {
  const absolute = absolutePath(path);
  const readlink = async (link: string) => fs.readlinkSync(link);
  const real = await followSymlinkInScope({ readlink }, `${root}${absolute}`, root || "/");
  const info = fs.lstatSync(real, { throwIfNoEntry: false });
  if (info === undefined) throw new CopyError("ENOENT", `lstat ${absolute}: no such file or directory`);
  if (!info.isDirectory()) throw new CopyError("EDESTINATION", "extraction point is not a directory");
  const inside = root === "" ? real : real.slice(root.length) || "/";
  const around = mounts
    .filter(({ destination }) => inside === destination || inside.startsWith(`${destination}/`))
    .sort((a, b) => b.destination.length - a.destination.length);
  if (around[0]?.writable === false) throw new CopyError("EDESTINATION", "mounted volume is marked read-only");
  return fromText(inside.slice(1));
}
