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
import type { Exec, FileSystem, Hasher, Host } from "../host.ts";
import type { View } from "../pool.ts";
import type { SyncFs } from "../sync-fs.ts";
import { linuxExec } from "./exec.ts";
import { builtin } from "./lazy.ts";
import { call, cString, ERRNO, SystemCallError, tryCall } from "./libc.ts";
import { attributeName, lgetxattr, llistxattr } from "./xattr.ts";

const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;
const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MS_REC = 16384;
const MS_SLAVE = 1 << 19;
const O_PATH = 0o10000000;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** As a number of nanoseconds: leave this time as it is. */
const UTIME_OMIT = 0x3ffffffe;

/** Two `struct timespec`: last access and last change; seconds and nanoseconds are two words each, the lower first. */
const times = new Int32Array(new ArrayBuffer(32));
times[2] = UTIME_OMIT;

/** Node's calls plus four of the kernel's. */
export const syncFs: SyncFs = {
  ...fs,
  mknodSync(path, mode, major, minor) {
    call("mknod", path.toString(), nulTerminated(path), mode, makedev(major, minor));
  },
  lsetxattrSync(path, name, value) {
    call("lsetxattr", path.toString(), nulTerminated(path), attributeName(name), Buffer.from(value), value.length, 0);
  },
  utimensSync(file, seconds, nanoseconds) {
    times[4] = seconds;
    times[5] = Math.floor(seconds / 2 ** 32);
    times[6] = nanoseconds;
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

/** An open file, read without leaving the thread. */
function openFile(path: Parameters<FileSystem["open"]>[0], flags: string | number = "r"): object {
  const fd = fs.openSync(path, flags);
  return {
    async read(buffer: Buffer, offset: number, length = buffer.length - offset, position: number | null = null) {
      return { bytesRead: fs.readSync(fd, buffer, offset, length, position), buffer };
    },
    stat: async () => fs.fstatSync(fd),
    close: async () => fs.closeSync(fd),
  };
}

/** A call that answers at once, as one that promises to. */
function promised<A extends unknown[], R>(run: (...args: A) => R): (...args: A) => Promise<R> {
  return async (...args) => run(...args);
}

/**
 * What reading a tree takes, done by this thread itself: Node's own promises are kept by threads that stay outside when
 * this one locks itself in.
 */
export const syncHost: Pick<Host, "fs" | "kernel" | "machine"> = {
  fs: {
    lstat: promised(fs.lstatSync),
    readdir: promised(fs.readdirSync),
    readlink: promised(fs.readlinkSync),
    open: promised(openFile),
  } as unknown as FileSystem,
  kernel: { lgetxattr, llistxattr } as unknown as Host["kernel"],
  machine: { pid: process.pid } as Host["machine"],
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
  tryCall("lgetxattr", nothing, nothing, nothing, 0);
  tryCall("llistxattr", nothing, nothing, 0);
  tryCall("fchdir", -1);
  tryCall("setns", -1, 0);
  tryCall("chroot", nothing);
  tryCall("chdir", nothing);
  void new SystemCallError("preload", ERRNO.ECHILD).message;
}

type Loader = { _resolveFilename(request: string): string };

/** The machine's root directory, held open for the way back; set at the first confinement. */
let outside: number | undefined;

/** Takes the thread's root directory away from the process's; once. @returns the machine's root, open */
function separate(): number {
  if (outside === undefined) {
    preload();
    // Without this the whole process would move.
    call("unshare", undefined, CLONE_FS);
    outside = fs.openSync("/", fs.constants.O_DIRECTORY);
  }
  return outside;
}

/** Keeps Node from loading anything: a package that is asked for now would come out of the image. @returns the end of it */
function refuseLoading(): () => void {
  const loader = builtin("module") as unknown as Loader;
  const resolve = loader._resolveFilename;
  loader._resolveFilename = (request) => {
    throw new Error(`Cannot load ${request}: this thread is locked into a layer`);
  };
  return () => {
    loader._resolveFilename = resolve;
  };
}

/**
 * Makes `root` the root directory of this thread and of no other: from here on no path can name anything outside.
 *
 * What is unpacked meanwhile is data; none of it is run or loaded, so nothing inside can use the way back.
 *
 * @returns the way back, for the next layer
 * @throws `EPERM` without CAP_SYS_CHROOT
 */
export function confineTo(root: string): () => void {
  const home = separate();
  call("chroot", root, cString(root));
  call("chdir", "/", "/");
  const allow = refuseLoading();
  return () => {
    call("fchdir", "/", home);
    call("chroot", "/", ".");
    allow();
  };
}

/** Binds what is open as `fd` to a path, in the thread's root; its place is made when it is missing. */
function bind(fd: number, path: string, writable: boolean): void {
  if (fs.fstatSync(fd).isDirectory()) fs.mkdirSync(path, { recursive: true, mode: 0o755 });
  else if (fs.lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    fs.mkdirSync(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true, mode: 0o755 });
    fs.closeSync(fs.openSync(path, "a", 0o755));
  }
  // Relative to the list of our open files, which only the thread's working directory still leads to.
  call("mount", path, `./${fd}`, cString(path), null, MS_BIND | MS_REC, null);
  const flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | (writable ? 0 : MS_RDONLY);
  call("mount", path, null, cString(path), null, flags, null);
}

/** Locks the thread, which has a mount table of its own already, into a view. */
function lockInto({ root, mounts }: View): void {
  call("mount", "/", null, "/", null, MS_REC | MS_SLAVE, null);
  // Its own mount, so that devices in it are dead: a container may put one in the place of a file at any moment.
  call("mount", root, cString(root), cString(root), null, MS_BIND, null);
  call("mount", root, null, cString(root), null, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV, null);
  // Opened while the machine's names can be seen, mounted when only the container's can.
  const sources: number[] = [];
  const files = fs.openSync("/proc/self/fd", fs.constants.O_DIRECTORY);
  try {
    for (const { source } of mounts) sources.push(fs.openSync(source, O_PATH));
    call("chroot", root, cString(root));
    call("fchdir", "/proc/self/fd", files);
    for (const [index, { destination, writable }] of mounts.entries()) {
      bind(sources[index] as number, destination, writable);
    }
    call("chdir", "/", "/");
  } finally {
    for (const fd of [...sources, files]) fs.closeSync(fd);
  }
}

/**
 * Makes a container's view of its files the thread's own: its root, and its volumes where it sees them. No other thread
 * or process sees these mounts, and no path leads out of them, whatever the container does meanwhile.
 *
 * When it throws, the thread is of no more use.
 *
 * @returns the way back, which takes the mounts down
 * @throws `EPERM` without CAP_SYS_ADMIN
 */
export function enterView(view: View): () => void {
  const home = separate();
  const namespace = fs.openSync("/proc/thread-self/ns/mnt", "r");
  try {
    call("unshare", undefined, CLONE_NEWNS);
    lockInto(view);
  } catch (cause) {
    fs.closeSync(namespace);
    throw cause;
  }
  const allow = refuseLoading();
  return () => {
    call("setns", undefined, namespace, CLONE_NEWNS);
    fs.closeSync(namespace);
    call("fchdir", "/", home);
    call("chroot", "/", ".");
    allow();
  };
}
