/**
 * Follows symbolic links as a process would whose `/` is another directory.
 *
 * @origin pkg/symlink/fs.go
 * @module
 */

import posix from "node:path/posix";
import { isErrno } from "../../errdefs/errdefs.ts";

const maxLinks = 100;

/** All that following a link takes. */
interface Links {
  readlink(path: string): Promise<string>;
}

/**
 * Resolves every link of `path` inside `root`; what leads above `root` stays at `root`. The last components need not
 * exist.
 *
 * The answer is about this moment: who can change the tree meanwhile can make it wrong, so it is only for trees that no
 * process runs in.
 *
 * @param path - absolute, at or below `root`
 * @returns an absolute path without links below `root`
 * @throws when `path` is not within `root`, or after 100 links
 * @origin pkg/symlink/fs.go FollowSymlinkInScope
 * @deviation `root` is compared by component: 1.2.0 takes `/rootx` for a part of `/root`. `..` is resolved after the
 *   links before it, as the kernel does; 1.2.0 cuts it out of the text first.
 */
export async function followSymlinkInScope(fs: Links, path: string, root: string): Promise<string> {
  const base = posix.normalize(root).replace(/(.)\/+$/, "$1");
  const whole = path.replace(/\/+$/, "") || "/";
  if (whole === base) return base;
  const prefix = base === "/" ? "/" : `${base}/`;
  if (!whole.startsWith(prefix)) throw new Error(`${path} is not within ${root}`);
  return `${base === "/" ? "" : base}${await resolve(fs, base === "/" ? "" : base, whole.slice(prefix.length))}` || "/";
}

async function resolve(fs: Links, base: string, path: string): Promise<string> {
  const rest = path.split("/").reverse();
  const done: string[] = [];
  let links = 0;
  while (rest.length > 0) {
    const part = rest.pop();
    if (part === undefined || part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    const target = await readlink(fs, `${base}/${[...done, part].join("/")}`);
    if (target === undefined) {
      done.push(part);
      continue;
    }
    if (++links >= maxLinks) throw new Error(`loopCounter reached MAX: ${maxLinks}`);
    if (target.startsWith("/")) done.length = 0;
    rest.push(...target.split("/").reverse());
  }
  return done.length === 0 ? "" : `/${done.join("/")}`;
}

async function readlink(fs: Links, path: string): Promise<string | undefined> {
  try {
    return await fs.readlink(path);
  } catch (cause) {
    // EINVAL: no link. ENOENT, ENOTDIR: nothing there yet.
    if (isErrno(cause, "EINVAL", "ENOENT", "ENOTDIR")) return undefined;
    throw cause;
  }
}
