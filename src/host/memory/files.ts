/**
 * The file system of the memory host: the volume as it is, and where something is mounted, what is seen through that.
 *
 * @module
 */

import { createFsFromVolume, type Volume } from "memfs";
import type { FileSystem } from "../host.ts";
import type { SyncFs } from "../sync-fs.ts";
import type { MountedVolume } from "./mounted-volume.ts";
import type { PathLike } from "./node-values.ts";
import { memorySyncFs } from "./sync-fs.ts";

/** Calls with one path, the first argument. */
const ONE = [
  "access",
  "appendFile",
  "chmod",
  "chown",
  "lchown",
  "lstat",
  "lutimes",
  "mkdir",
  "mkdtemp",
  "readFile",
  "readdir",
  "readlink",
  "realpath",
  "rm",
  "rmdir",
  "stat",
  "statfs",
  "truncate",
  "unlink",
  "utimes",
  "writeFile",
] as const;
const TWO = ["copyFile", "link", "rename"] as const;

type Call = (...args: never[]) => Promise<unknown>;

/** What memfs has besides the calls: files that are open. */
interface Handles {
  readonly fs: unknown;
  readonly FileHandle: new (fs: unknown, fd: number) => { once(event: "close", done: () => void): unknown };
}

const isPath = (value: unknown): value is PathLike => typeof value === "string" || value instanceof Uint8Array;

/**
 * @param mounted - asked for every path that the volume alone does not answer
 */
export function memoryFiles(volume: Volume, mounted: MountedVolume): FileSystem {
  const plain = createFsFromVolume(volume).promises as unknown as Record<string, Call> & Handles;
  const through = mounted as unknown as Record<string, (...args: never[]) => unknown>;
  const files: Record<string, Call> = {};
  const add = (name: string, pathsOf: (args: unknown[]) => unknown[]) => {
    files[name] = async (...args: never[]) => {
      const isPlain = pathsOf(args).every((path) => !isPath(path) || mounted.isPlain(path));
      return isPlain ? plain[name]?.(...args) : through[`${name}Sync`]?.(...args);
    };
  };
  for (const name of ONE) add(name, ([path]) => [path]);
  for (const name of TWO) add(name, ([from, to]) => [from, to]);
  add("symlink", ([, path]) => [path]);
  const open = async (path: PathLike, flags: string | number = "r", mode?: number) => {
    if (!isPath(path) || mounted.isPlain(path)) return plain["open"]?.(...([path, flags, mode] as never[]));
    const { fd, done } = mounted.open(path, flags, mode);
    const file = new plain.FileHandle(plain.fs, fd);
    file.once("close", done);
    return file;
  };
  return { ...files, open } as unknown as FileSystem;
}

const SYNC = ["chmodSync", "lchownSync", "lstatSync", "mkdirSync", "openSync", "readdirSync", "readlinkSync", "rmSync"];

/** The synchronous calls of an unpacker, through the mounts. */
export function memorySyncFiles(volume: Volume, mounted: MountedVolume): SyncFs {
  const plain = memorySyncFs(volume);
  const alone = plain as unknown as Record<string, (...args: never[]) => unknown>;
  const through = mounted as unknown as typeof alone;
  const calls: Record<string, unknown> = {};
  const add = (name: string, pathsOf: (args: unknown[]) => unknown[]) => {
    calls[name] = (...args: never[]) => {
      const isPlain = pathsOf(args).every((path) => !isPath(path) || mounted.isPlain(path));
      return isPlain ? alone[name]?.(...args) : through[name]?.(...args);
    };
  };
  for (const name of SYNC) add(name, ([path]) => [path]);
  add("linkSync", (paths) => paths);
  add("symlinkSync", ([, path]) => [path]);
  const own: Partial<SyncFs> = {
    mknodSync(path, mode, major, minor) {
      if (mounted.isPlain(path)) plain.mknodSync(path, mode, major, minor);
      else mounted.create(path, (real) => plain.mknodSync(real, mode, major, minor));
    },
    utimensSync(file, seconds, nanoseconds) {
      if (typeof file === "number" || mounted.isPlain(file)) plain.utimensSync(file, seconds, nanoseconds);
      else mounted.lutimesSync(file, (mounted.lstatSync(file)?.atimeMs ?? 0) / 1000, seconds + nanoseconds / 1e9);
    },
  };
  return Object.assign(Object.create(plain) as SyncFs, calls, own);
}
