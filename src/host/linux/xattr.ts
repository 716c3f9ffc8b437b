/**
 * Extended attributes of files, read.
 *
 * @module
 */

import { cString, ERRNO, lastErrno, SystemCallError, tryCall } from "./libc.ts";

/** An attribute's name, a byte string, as C takes it. */
export function attributeName(name: string): Buffer {
  return Buffer.from(`${cString(name)}\0`, "latin1");
}

/** A path as C takes it; names need not be UTF-8. */
function pathBytes(path: string | Buffer): string | Buffer {
  return typeof path === "string" ? cString(path) : Buffer.concat([path, Buffer.alloc(1)]);
}

/** Calls with a buffer that is large enough; `undefined` for an attribute that is not there or not supported. */
function attribute(name: string, path: string | Buffer, run: (into: Buffer) => number): Buffer | undefined {
  let value = Buffer.alloc(256);
  for (;;) {
    const size = run(value);
    if (size >= 0) return value.subarray(0, size);
    const errno = lastErrno();
    if (errno === ERRNO.ENODATA || errno === ERRNO.EOPNOTSUPP) return undefined;
    if (errno !== ERRNO.ERANGE || value.length > 1 << 16) throw new SystemCallError(name, errno, path.toString());
    value = Buffer.alloc(1 << 17);
  }
}

/** One attribute; never follows a link. */
export function lgetxattr(path: string | Buffer, name: string): Buffer | undefined {
  return attribute("lgetxattr", path, (value) =>
    tryCall("lgetxattr", pathBytes(path), attributeName(name), value, value.length),
  );
}

/** The names of all attributes, byte strings; never follows a link. */
export function llistxattr(path: string | Buffer): string[] {
  const names = attribute("llistxattr", path, (list) => tryCall("llistxattr", pathBytes(path), list, list.length));
  return names?.toString("latin1").split("\0").slice(0, -1) ?? [];
}
