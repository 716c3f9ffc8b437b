/**
 * The Linux kernel by system calls.
 *
 * Mounting through mount(2) costs 60 µs where a `mount` process costs 5 ms; see `libc.ts` for the bridge.
 *
 * @module
 */

import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { isErrno } from "../../errdefs/errdefs.ts";
import type { Kernel, MountFlag } from "../kernel.ts";
import { receiveConsole } from "./console.ts";
import { builtin } from "./lazy.ts";
import { call, cString, ERRNO, lastErrno, SystemCallError, tryCall } from "./libc.ts";
import { hasCapability, parseMountInfo, processStartTime } from "./proc.ts";
import { theReaper } from "./reaper.ts";
import { toReader, toWriter } from "./streams.ts";
import { subvolumes } from "./subvolumes.ts";
import { lgetxattr, llistxattr } from "./xattr.ts";

const MOUNT_FLAGS: Readonly<Record<MountFlag, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  remount: 32,
  bind: 4096,
  rec: 16384,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
};
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;
const LOCK_EX_NB = 2 | 4;
const PR_SET_CHILD_SUBREAPER = 36;
const O_CLOEXEC = 0o2000000;
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | O_CLOEXEC;

/** Size of `sun_path`. */
const UNIX_PATH_MAX = 108;

/** `struct sockaddr_un`, and how much of it counts; a leading `@` is an abstract name. */
export function unixAddress(path: string): Buffer {
  const name = path.startsWith("@") ? Buffer.from(`\0${path.slice(1)}`) : Buffer.from(`${cString(path)}\0`);
  if (name.length > UNIX_PATH_MAX)
    throw new RangeError(`Cannot use the socket ${path}: its path is longer than ${UNIX_PATH_MAX - 1} bytes`);
  const address = Buffer.alloc(2 + name.length);
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  return address;
}

/** glibc's makedev: twelve bits of the major and eight of the minor keep their place of old. */
export function deviceNumber(major: number, minor: number): bigint {
  const [a, b] = [BigInt(major), BigInt(minor)];
  return ((a & 0xfffn) << 8n) | (b & 0xffn) | ((b & ~0xffn) << 12n) | ((a & ~0xfffn) << 32n);
}

/** Where we are; `/` when that directory was removed under our feet. */
function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    if (isErrno(cause, "ENOENT")) return "/";
    throw cause;
  }
}

/** The calls, by koffi where Node has none. */
export const linuxKernel: Kernel = {
  mount(source, target, fstype, flags, data, cwd) {
    let bits = 0;
    for (const flag of flags) bits |= MOUNT_FLAGS[flag];
    const options = data === undefined ? null : cString(data);
    const before = cwd === undefined ? undefined : currentDirectory();
    // Everybody else uses absolute paths, and nobody else runs between these lines.
    if (cwd !== undefined) process.chdir(cwd);
    try {
      call("mount", target, cString(source), cString(target), cString(fstype), bits, options);
    } finally {
      if (before !== undefined) process.chdir(before);
    }
  },

  unmount(target, { detach = false } = {}) {
    call("umount2", target, cString(target), UMOUNT_NOFOLLOW | (detach ? MNT_DETACH : 0));
  },

  mounts: () => parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8")),

  mknod(path, mode, major, minor) {
    call("mknod", path, cString(path), mode, deviceNumber(major, minor));
  },

  lgetxattr,
  llistxattr,

  lsetxattr(path, name, value) {
    call("lsetxattr", path, cString(path), cString(name), Buffer.from(value), value.length, 0);
  },

  subvolumes,

  lockFile(path) {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    if (tryCall("flock", fd, LOCK_EX_NB) === 0) return true; // never closed: the lock lives as long as we do
    const errno = lastErrno();
    closeSync(fd);
    if (errno === ERRNO.EAGAIN) return false;
    throw new SystemCallError("flock", errno, path);
  },

  kill(pid, signal) {
    // 0 and negative numbers address whole groups, −1 everything there is.
    if (!Number.isInteger(pid) || pid <= 0) throw new RangeError(`Cannot signal process ${pid}: not a process id`);
    try {
      return process.kill(pid, signal);
    } catch (cause) {
      if (isErrno(cause, "ESRCH")) return false;
      throw cause;
    }
  },

  processStartTime,

  becomeSubreaper() {
    call("prctl", "PR_SET_CHILD_SUBREAPER", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    theReaper().start();
  },

  waitPid: (pid) => theReaper().wait(pid),

  pipe() {
    const fds = Buffer.alloc(8);
    call("pipe2", undefined, fds, O_CLOEXEC);
    return { read: fds.readInt32LE(0), write: fds.readInt32LE(4) };
  },

  readFd(fd) {
    // A socket, whatever it is: libuv polls it, and no thread of the pool is held while nothing comes.
    return toReader(new (builtin("net").Socket)({ fd, readable: true, writable: false }));
  },

  writeFd(fd) {
    return toWriter(new (builtin("net").Socket)({ fd, readable: false, writable: true }), "EPIPE", "ECANCELED");
  },

  closeFd: closeSync,

  receiveConsole,

  sendDatagram(socketPath, data) {
    const address = unixAddress(socketPath);
    const fd = call("socket", undefined, AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
    try {
      const bytes = Buffer.from(data);
      // An abstract name ends with the length, not with a NUL; a path may have one.
      call("sendto", socketPath, fd, bytes, bytes.length, 0, address, address.length);
    } finally {
      closeSync(fd);
    }
  },

  umask: (mask) => process.umask(mask),

  hasCapability: (name) => hasCapability(readFileSync("/proc/self/status", "latin1"), name),
};
