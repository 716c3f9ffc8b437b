/**
 * The C library, by name of the function.
 *
 * Buffers are passed as plain pointers (`void *`) and laid out by hand: koffi's named structures are global to the
 * thread and would clash when a test loads this module twice. All 64-bit Linux targets of Node are little-endian, and
 * the layouts used are the same on x86-64 and arm64.
 *
 * @module
 */

import { getSystemErrorMap } from "node:util";
import { installed } from "./lazy.ts";

/** What the engine calls. */
const PROTOTYPES = {
  bind: "int bind(int fd, void *addr, uint32_t len)",
  chdir: "int chdir(const char *path)",
  chroot: "int chroot(const char *path)",
  close: "int close(int fd)",
  dup: "int dup(int fd)",
  fchdir: "int fchdir(int fd)",
  flock: "int flock(int fd, int operation)",
  futimens: "int futimens(int fd, void *times)",
  ioctl: "int ioctl(int fd, unsigned long request, void *arg)",
  lgetxattr: "long lgetxattr(const char *path, const char *name, void *value, size_t size)",
  listen: "int listen(int fd, int backlog)",
  llistxattr: "long llistxattr(const char *path, void *list, size_t size)",
  lsetxattr: "int lsetxattr(const char *path, const char *name, void *value, size_t size, int flags)",
  mknod: "int mknod(const char *path, uint32_t mode, uint64_t dev)",
  mount: "int mount(const char *source, const char *target, const char *fstype, unsigned long flags, const char *data)",
  pipe2: "int pipe2(void *fds, int flags)",
  prctl: "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)",
  recv: "long recv(int fd, void *buffer, size_t size, int flags)",
  recvmsg: "long recvmsg(int fd, void *message, int flags)",
  sendto: "long sendto(int fd, void *buffer, size_t size, int flags, void *addr, uint32_t len)",
  setns: "int setns(int fd, int type)",
  socket: "int socket(int domain, int type, int protocol)",
  syncfs: "int syncfs(int fd)",
  umount2: "int umount2(const char *target, int flags)",
  unshare: "int unshare(int flags)",
  utimensat: "int utimensat(int dirfd, const char *path, void *times, int flags)",
  waitid: "int waitid(int idtype, uint32_t id, void *info, int options)",
} as const;

interface CFunction {
  (...args: readonly unknown[]): number | bigint;
  async(...args: readonly unknown[]): void;
}

type Koffi = typeof import("koffi");

let koffi: Koffi | undefined;
let library: ReturnType<Koffi["load"]> | undefined;
const functions = new Map<string, CFunction>();

/** Loads koffi, once. */
export function loadKoffi(): Koffi {
  koffi ??= installed<Koffi>("koffi");
  return koffi;
}

/** A failed system call as Node reports its own: `EBUSY: resource busy or locked, umount2 '/mnt'`. */
export class SystemCallError extends Error implements NodeJS.ErrnoException {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;

  /** @param errno - the positive number; kept negative, as Node does */
  constructor(syscall: string, errno: number, path?: string) {
    const known = getSystemErrorMap().get(-errno);
    const code = known?.[0] ?? nameOf(errno);
    super(
      `${code}: ${known?.[1] ?? (errno === ERRNO.ECHILD ? "no child processes" : `error ${errno}`)}, ${syscall}${path === undefined ? "" : ` '${path}'`}`,
    );
    this.name = "Error";
    this.code = code;
    this.errno = -errno;
    this.syscall = syscall;
    if (path !== undefined) this.path = path;
  }
}

/** Name of an error number the runtime's own table does not have. */
function nameOf(errno: number): string {
  const table = Object.entries(loadKoffi().os.errno);
  return table.find(([, value]) => value === errno)?.[0] ?? `E${errno}`;
}

function lookUp(name: keyof typeof PROTOTYPES): CFunction {
  let run = functions.get(name);
  if (run === undefined) {
    // The process itself: Node is linked with the C library of the machine, whichever that is.
    library ??= loadKoffi().load(null);
    run = library.func(PROTOTYPES[name]) as unknown as CFunction;
    functions.set(name, run);
  }
  return run;
}

/** Calls the function; the result may be a failure. */
export function tryCall(name: keyof typeof PROTOTYPES, ...args: readonly unknown[]): number {
  return Number(lookUp(name)(...args));
}

/** Error number of the call before, on this thread. */
export function lastErrno(): number {
  return loadKoffi().errno();
}

/**
 * Calls the function and insists.
 *
 * @param subject - what the call is about, for the message
 * @throws {SystemCallError} when it returns a negative number
 */
export function call(name: keyof typeof PROTOTYPES, subject: string | undefined, ...args: readonly unknown[]): number {
  const result = tryCall(name, ...args);
  if (result < 0) throw new SystemCallError(name, lastErrno(), subject);
  return result;
}

/** Arguments of calls under way: their memory must not be freed meanwhile. */
const underWay = new Set<readonly unknown[]>();

/**
 * Like {@link call} on a thread of its own, for calls that wait for a disk.
 *
 * @throws {SystemCallError} when it returns a negative number
 */
export async function callAside(
  name: keyof typeof PROTOTYPES,
  subject: string | undefined,
  ...args: readonly unknown[]
): Promise<number> {
  underWay.add(args);
  try {
    return await new Promise<number>((resolve, reject) => {
      lookUp(name).async(...args, (cause: Error | null, result: number | bigint) => {
        // The bridge hands on the other thread's error number for as long as this function runs.
        if (cause !== null) reject(cause);
        else if (result < 0) reject(new SystemCallError(name, lastErrno(), subject));
        else resolve(Number(result));
      });
    });
  } finally {
    underWay.delete(args);
  }
}

/** Refuses a text that C would cut short: a NUL inside a path changes its meaning. */
export function cString(text: string): string {
  if (text.includes("\0")) throw new TypeError(`Cannot pass ${JSON.stringify(text)} to the kernel: it contains a NUL`);
  return text;
}

/** Linux's numbers of these errors. */
export const ERRNO = {
  ENOENT: 2,
  ESRCH: 3,
  ECHILD: 10,
  EAGAIN: 11,
  EEXIST: 17,
  EINVAL: 22,
  ERANGE: 34,
  ENODATA: 61,
  EOPNOTSUPP: 95,
} as const;
