/**
 * What a thread of the pool may touch: its port to the main thread, synchronous files, hashes, decompressing programs,
 * and the calls that confine it.
 *
 * Everything is loaded when this module is: after the chroot there is nothing to load from.
 *
 * @module
 */

import { createHash } from "node:crypto";
import fs from "node:fs";
import { type MessagePort, parentPort } from "node:worker_threads";
import type { Exec, Hasher } from "../host.ts";
import type { SyncFs } from "../sync-fs.ts";
import { linuxExec } from "./exec.ts";
import { builtin } from "./lazy.ts";
import { call, cString, ERRNO, SystemCallError, tryCall } from "./libc.ts";

const CLONE_FS = 0x200;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** As a number of nanoseconds: leave this time as it is. */
const UTIME_OMIT = 0x3ffffffen;

/** Two `struct timespec`: last access and last change. */
const times = Buffer.alloc(32);
times.writeBigInt64LE(UTIME_OMIT, 8);

/** Node's calls plus four of the kernel's. */
export const syncFs: SyncFs = {
  ...fs,
  mknodSync(path, mode, major, minor) {
    call("mknod", path.toString(), nulTerminated(path), mode, makedev(major, minor));
  },
  lsetxattrSync(path, name, value) {
    call("lsetxattr", path.toString(), nulTerminated(path), cString(name), Buffer.from(value), value.length, 0);
  },
  utimensSync(file, seconds, nanoseconds) {
    times.writeBigInt64LE(BigInt(seconds), 16);
    times.writeBigInt64LE(BigInt(nanoseconds), 24);
    if (typeof file === "number") call("futimens", undefined, file, times);
    else call("utimensat", file.toString(), AT_FDCWD, nulTerminated(file), times, AT_SYMLINK_NOFOLLOW);
  },
  syncfsSync(path) {
    const fd = fs.openSync(path, fs.constants.O_DIRECTORY);
    try {
      call("syncfs", path.toString(), fd);
    } finally {
      fs.closeSync(fd);
    }
  },
};

/** glibc's makedev. */
function makedev(major: number, minor: number): bigint {
  const [a, b] = [BigInt(major), BigInt(minor)];
  return ((a & 0xfffff000n) << 32n) | ((b & 0xffffff00n) << 12n) | ((a & 0xfffn) << 8n) | (b & 0xffn);
}

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
export function sha256(): Hasher {
  const hash = createHash("sha256");
  const hasher: Hasher = {
    update(chunk) {
      hash.update(chunk);
      return hasher;
    },
    hex: () => hash.digest("hex"),
  };
  return hasher;
}

/** Programs of this machine, with an environment that holds nothing but where to find them. */
export const workerExec: Exec = linuxExec({});

/** Calls every function once, in a way that does nothing: what they need is then loaded. */
function preload(): void {
  const nothing = Buffer.alloc(1);
  tryCall("lsetxattr", nothing, nothing, nothing, 0, 0);
  tryCall("mknod", nothing, 0, 0n);
  tryCall("futimens", -1, times);
  tryCall("utimensat", AT_FDCWD, nothing, times, AT_SYMLINK_NOFOLLOW);
  tryCall("syncfs", -1);
  tryCall("chroot", nothing);
  tryCall("chdir", nothing);
  void new SystemCallError("preload", ERRNO.ECHILD).message;
}

type Loader = { _resolveFilename(request: string): string };

/** The machine's root directory, held open for the way back; set at the first confinement. */
let outside: number | undefined;

/**
 * Makes `root` the root directory of this thread and of no other: from here on no path can name anything outside.
 *
 * What is unpacked meanwhile is data; none of it is run or loaded, so nothing inside can use the way back.
 *
 * @returns the way back, for the next layer
 * @throws `EPERM` without CAP_SYS_CHROOT
 */
export function confineTo(root: string): () => void {
  if (outside === undefined) {
    preload();
    // Without this the whole process would move.
    call("unshare", undefined, CLONE_FS);
    outside = fs.openSync("/", fs.constants.O_DIRECTORY);
  }
  const home = outside;
  call("chroot", root, cString(root));
  call("chdir", "/", "/");
  // A package that is asked for from now on would come out of the image.
  const loader = builtin("module") as unknown as Loader;
  const resolve = loader._resolveFilename;
  loader._resolveFilename = (request) => {
    throw new Error(`Cannot load ${request}: this thread is locked into a layer`);
  };
  return () => {
    call("fchdir", "/", home);
    call("chroot", "/", ".");
    loader._resolveFilename = resolve;
  };
}
