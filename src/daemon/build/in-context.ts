/**
 * Paths in a context: what they lead to, and that they do not lead out of it.
 *
 * Nothing outside is looked at, not even to say whether it is there.
 *
 * @origin daemon/build.go
 * @module
 */

import posix from "node:path/posix";
import type { Stats } from "../../archive/tree.ts";
import { ForbiddenError, isErrno, NotFoundError } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";

/** As the kernel. */
const MAX_LINKS = 40;

/** Something in a context. */
export interface Found {
  /** Relative to the context, without links; `""` is the context itself. */
  readonly path: string;
  readonly info: Stats;
}

/**
 * What is at a path of a context. Links are followed; `..` is resolved in the text first, as in 1.2.0.
 *
 * @param orig - as in the Dockerfile; from a leading slash on it is relative to the context
 * @throws {NotFoundError} `<orig>: no such file or directory`; {ForbiddenError} when it leads out of the context
 * @origin daemon/build.go (*buildFile).checkPathForAddition
 * @deviation What is above the context is forbidden, what is beside it is not there; 1.2.0 looks whether it is.
 */
export async function findInContext(
  fs: Pick<Host["fs"], "lstat" | "readlink">,
  root: string,
  orig: string,
): Promise<Found> {
  const missing = (cause?: unknown) => new NotFoundError(`${orig}: no such file or directory`, { cause });
  const whole = posix.join(root, orig).replace(/(.)\/+$/, "$1");
  if (whole === "/" || root.startsWith(`${whole}/`)) throw forbidden(orig, whole);
  if (whole !== root && !whole.startsWith(`${root}/`)) throw missing();
  const rest = whole.slice(root.length).split("/").reverse();
  const done: string[] = [];
  for (let links = 0; rest.length > 0; ) {
    const part = rest.pop();
    if (part === undefined || part === "" || part === ".") continue;
    if (part === "..") {
      if (done.pop() === undefined) throw forbidden(orig, posix.join(root, ...done, "..", ...rest.reverse()));
      continue;
    }
    const path = posix.join(root, ...done, part);
    const here = await fs.lstat(path).catch((cause: unknown) => {
      throw isErrno(cause, "ENOENT", "ENOTDIR") ? missing(cause) : cause;
    });
    if (!here.isSymbolicLink()) {
      if (rest.some((name) => name !== "" && name !== ".") && !here.isDirectory()) throw missing();
      done.push(part);
      continue;
    }
    if (++links > MAX_LINKS) throw new ForbiddenError(`${orig}: too many levels of symbolic links`);
    const target = await fs.readlink(path);
    if (target.startsWith("/")) throw forbidden(orig, posix.join(target, ...rest.reverse()));
    rest.push(...target.split("/").reverse());
  }
  return { path: done.join("/"), info: await fs.lstat(posix.join(root, ...done)) };
}

function forbidden(orig: string, resolved: string): ForbiddenError {
  return new ForbiddenError(`Forbidden path outside the build context: ${orig} (${resolved})`);
}
