/**
 * What a thread of the pool may touch: its port to the main thread, synchronous files, hashes, decompressing programs,
 * and the calls that confine it.
 *
 * Everything is loaded when this module is: after the chroot there is nothing to load from.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { type MessagePort, parentPort } from "node:worker_threads";
import { call, cString, ERRNO, lastErrno, SystemCallError, tryCall } from "./libc.ts";

const CLONE_FS = 0x200;

/** The synchronous calls an extractor makes; paths are absolute. */
export type SyncFs = Pick<
  typeof fs,
  | "chmodSync"
  | "chownSync"
  | "closeSync"
  | "fchmodSync"
  | "fchownSync"
  | "ftruncateSync"
  | "futimesSync"
  | "lchownSync"
  | "linkSync"
  | "lstatSync"
  | "lutimesSync"
  | "mkdirSync"
  | "openSync"
  | "readdirSync"
  | "rmSync"
  | "rmdirSync"
  | "symlinkSync"
  | "unlinkSync"
  | "utimesSync"
  | "writeSync"
> & {
  /** @param mode - type bits and permissions */
  mknodSync(path: string | Buffer, mode: number, major: number, minor: number): void;
  lsetxattrSync(path: string | Buffer, name: string, value: Uint8Array): void;
};

/** Node's calls plus two of the kernel's. */
export const syncFs: SyncFs = {
  ...fs,
  mknodSync(path, mode, major, minor) {
    const high = (BigInt(major) & 0xfffff000n) << 32n;
    const low = (BigInt(minor) & 0xffffff00n) << 12n;
    const dev = high | low | ((BigInt(major) & 0xfffn) << 8n) | (BigInt(minor) & 0xffn);
    call("mknod", path.toString(), nulTerminated(path), mode, dev);
  },
  lsetxattrSync(path, name, value) {
    if (tryCall("lsetxattr", nulTerminated(path), cString(name), Buffer.from(value), value.length, 0) === 0) return;
    // A file system without extended attributes is not the archive's fault.
    if (lastErrno() !== ERRNO.EOPNOTSUPP) throw new SystemCallError("lsetxattr", lastErrno(), path.toString());
  },
};

/** A path as C takes it; names need not be UTF-8. */
function nulTerminated(path: string | Buffer): string | Buffer {
  return typeof path === "string" ? cString(path) : Buffer.concat([path, Buffer.alloc(1)]);
}

/** The port to the main thread. @throws {TypeError} when this is no thread */
export function workerPort(): MessagePort {
  if (parentPort === null) throw new TypeError("not a worker thread");
  return parentPort;
}

/** Starts a hash. */
export function sha256() {
  return createHash("sha256");
}

/** Starts a decompressing program of this machine, never one of an image: found before the chroot, with a bare environment. */
export function startProgram(command: string, args: readonly string[]): ChildProcess {
  return spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
  });
}

/**
 * Makes `root` the root directory of this thread and of no other: from here on no path can name anything outside.
 *
 * @throws `EPERM` without CAP_SYS_CHROOT
 */
export function confineTo(root: string): void {
  // Names and numbers of failures are looked up now: later there is no file to load them from.
  tryCall("lsetxattr", "/", "user.none", Buffer.alloc(0), 0, 2);
  call("unshare", undefined, CLONE_FS);
  call("chroot", root, cString(root));
  call("chdir", "/", "/");
}
