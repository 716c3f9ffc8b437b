/**
 * What the C library says about a failed system call; Go says the same, and clients and daemon print it.
 *
 * @module
 */

const TEXTS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EAGAIN: "resource temporarily unavailable",
  EBADF: "bad file descriptor",
  EBUSY: "device or resource busy",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EDQUOT: "disk quota exceeded",
  EEXIST: "file exists",
  EFBIG: "file too large",
  EHOSTUNREACH: "no route to host",
  EINVAL: "invalid argument",
  EIO: "input/output error",
  EISDIR: "is a directory",
  ELOOP: "too many levels of symbolic links",
  EMFILE: "too many open files",
  EMLINK: "too many links",
  ENAMETOOLONG: "file name too long",
  ENETUNREACH: "network is unreachable",
  ENFILE: "too many open files in system",
  ENODEV: "no such device",
  ENOENT: "no such file or directory",
  ENOMEM: "cannot allocate memory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
  ENOTSOCK: "socket operation on non-socket",
  ENXIO: "no such device or address",
  EOPNOTSUPP: "operation not supported",
  EPERM: "operation not permitted",
  EPIPE: "broken pipe",
  EPROTOTYPE: "protocol wrong type for socket",
  EROFS: "read-only file system",
  ETIMEDOUT: "connection timed out",
  ETXTBSY: "text file busy",
  EXDEV: "invalid cross-device link",
};

/** Whether a system call failed, rather than something built on it (TLS, a parser). */
export function isSystemError(cause: unknown): boolean {
  return cause instanceof Error && "syscall" in cause;
}

/** Whether Node refused a path for a null byte in it, before any system call could. */
function isNullByteError(cause: Error): boolean {
  return "code" in cause && cause.code === "ERR_INVALID_ARG_VALUE" && cause.message.includes("null bytes");
}

/** The text of a system call's error without Node's additions; of any other failure, its message. */
export function errnoText(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause ? String(cause.code) : "";
  if (isNullByteError(cause)) return "invalid argument";
  return TEXTS[code] ?? cause.message;
}

/** A failed operation on a file as Go's `os.PathError` prints it: `open x: no such file or directory`. */
export function pathErrorText(operation: string, path: string, cause: unknown): string {
  return `${operation} ${path}: ${errnoText(cause)}`;
}

/** What Go calls the system calls that Node names otherwise. */
const OPERATIONS: Readonly<Record<string, string>> = {
  access: "stat",
  copyfile: "open",
  futime: "chtimes",
  lutime: "chtimes",
  mkdtemp: "mkdir",
  opendir: "open",
  rm: "remove",
  rmdir: "remove",
  scandir: "open",
  unlink: "remove",
  utime: "chtimes",
};

/** Node's text of a failed call on a file: `ENOENT: no such file or directory, rename 'a' -> 'b'`. */
const FILE_ERROR = /^(E[A-Z0-9]+): .*?, ([a-z]+)(?: '(.*?)'(?: -> '(.*)')?)?$/s;

/**
 * Go's text of a failed call on files, with the operation and every path it was about.
 *
 * @returns `undefined` for any other failure
 */
export function fileErrorText(cause: Error): string | undefined {
  const { path, dest } = cause as { path?: unknown; dest?: unknown };
  if (isNullByteError(cause)) {
    const received = /Received (.*)$/s.exec(cause.message)?.[1] ?? "a path";
    return `open ${received}: invalid argument`;
  }
  const found = FILE_ERROR.exec(cause.message);
  const text = TEXTS[found?.[1] ?? ""];
  if (found === null || text === undefined) return undefined;
  const [, , call = "", quoted, second] = found;
  const names = [path ?? quoted, dest ?? second].filter((name) => typeof name === "string");
  return `${[OPERATIONS[call] ?? call, ...names].join(" ")}: ${text}`;
}
