/**
 * The synchronous calls of an unpacker, on files in memory.
 *
 * @module
 */

import { createFsFromVolume, type Volume } from "memfs";
import type { SyncFs } from "../sync-fs.ts";
import { inodeOf } from "./volume.ts";

const S_IFMT = 0o170000;

/** @deviation Attributes are refused with `ENOTSUP`, as by a file system that has none; nanoseconds are cut off. */
export function memorySyncFs(volume: Volume): SyncFs {
  const fs = createFsFromVolume(volume) as unknown as SyncFs & {
    lutimesSync(path: string | Buffer, atime: number, mtime: number): void;
    futimesSync(fd: number, atime: number, mtime: number): void;
    fstatSync(fd: number): { atimeMs: number };
  };
  const calls: Partial<SyncFs> = {
    mknodSync(path, mode, major, minor) {
      fs.closeSync(fs.openSync(path, "wx", mode & 0o7777));
      const inode = inodeOf(volume, path.toString());
      if (inode === undefined) throw new TypeError(`Cannot make ${path.toString()}: it is gone`);
      inode.mode = (inode.mode & ~S_IFMT) | (mode & S_IFMT);
      inode.rdev = (major << 8) | minor;
    },
    lsetxattrSync(path, name) {
      const syscall = "lsetxattr";
      throw Object.assign(new Error(`ENOTSUP: ${syscall} '${path.toString()}' ${name}`), { code: "ENOTSUP", syscall });
    },
    utimensSync(file, seconds, nanoseconds) {
      const mtime = seconds + Math.floor(nanoseconds / 1e6) / 1e3;
      if (typeof file === "number") fs.futimesSync(file, fs.fstatSync(file).atimeMs / 1000, mtime);
      else fs.lutimesSync(file, fs.lstatSync(file).atimeMs / 1000, mtime);
    },
    syncfsSync() {
      // Memory is as durable as it gets.
    },
  };
  return Object.assign(Object.create(fs) as SyncFs, calls);
}
