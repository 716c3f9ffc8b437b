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
  EBUSY: "device or resource busy",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EEXIST: "file exists",
  EHOSTUNREACH: "no route to host",
  EINVAL: "invalid argument",
  EIO: "input/output error",
  EISDIR: "is a directory",
  ELOOP: "too many levels of symbolic links",
  EMFILE: "too many open files",
  ENAMETOOLONG: "file name too long",
  ENETUNREACH: "network is unreachable",
  ENODEV: "no such device",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
  ENOTSOCK: "socket operation on non-socket",
  ENXIO: "no such device or address",
  EPERM: "operation not permitted",
  EPIPE: "broken pipe",
  EPROTOTYPE: "protocol wrong type for socket",
  EROFS: "read-only file system",
  ETIMEDOUT: "connection timed out",
};

/** Whether a system call failed, rather than something built on it (TLS, a parser). */
export function isSystemError(cause: unknown): boolean {
  return cause instanceof Error && "syscall" in cause;
}

/** The text of a system call's error without Node's additions; of any other failure, its message. */
export function errnoText(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause ? String(cause.code) : "";
  return TEXTS[code] ?? cause.message;
}

/** A failed operation on a file as Go's `os.PathError` prints it: `open x: no such file or directory`. */
export function pathErrorText(operation: string, path: string, cause: unknown): string {
  return `${operation} ${path}: ${errnoText(cause)}`;
}
