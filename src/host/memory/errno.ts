/**
 * Failed calls, as Node reports those of a kernel.
 *
 * @module
 */

const ERRORS = {
  EPERM: [1, "operation not permitted"],
  ENOENT: [2, "no such file or directory"],
  EBUSY: [16, "resource busy or locked"],
  EEXIST: [17, "file already exists"],
  EXDEV: [18, "cross-device link not permitted"],
  ENOTDIR: [20, "not a directory"],
  EISDIR: [21, "illegal operation on a directory"],
  EINVAL: [22, "invalid argument"],
  EROFS: [30, "read-only file system"],
  ENAMETOOLONG: [36, "name too long"],
  ENOTEMPTY: [39, "directory not empty"],
  ELOOP: [40, "too many symbolic links encountered"],
} as const;

/** Names of the errors that this machine makes. */
export type ErrorCode = keyof typeof ERRORS;

/** Makes the error of a call; a call with two paths has both in its message. */
export function failure(code: ErrorCode, syscall: string, path?: string, dest?: string): Error {
  const [number, text] = ERRORS[code];
  const paths = path === undefined ? "" : dest === undefined ? ` '${path}'` : ` '${path}' -> '${dest}'`;
  return Object.assign(new Error(`${code}: ${text}, ${syscall}${paths}`), {
    code,
    errno: -number,
    syscall,
    ...(path !== undefined && { path }),
    ...(dest !== undefined && { dest }),
  });
}
