/**
 * The container's /etc/passwd and /etc/group, as its first process will see them.
 *
 * They come from an image or from another container, and are read twice: here, and by `runc` inside the container. What
 * would make either of them wait for ever is refused.
 *
 * @module
 */

import { join } from "node:path/posix";
import { isErrno, SystemError } from "../../../errdefs/errdefs.ts";
import type { FileSystem } from "../../../host/host.ts";
import { followSymlinkInScope } from "../../../pkg/symlink/fs.ts";
import type { Command } from "../driver.ts";

/** More than this is not read. */
const MOST_BYTES = 4 << 20;
/** What is mounted there is not the image's: a terminal, an endless file. */
const KERNEL_PLACES = ["/dev", "/proc", "/sys"];

type Files = Pick<FileSystem, "stat" | "readFile" | "readlink">;
type Container = Pick<Command, "rootfs" | "mounts">;

/**
 * Reads a file below the container's /etc; links stay inside the container, and what is mounted over it counts.
 *
 * @param name - `passwd` or `group`
 * @returns its text; "" when there is none
 * @throws {SystemError} when it is no plain file, or too long
 */
export async function readAccountFile(fs: Files, container: Container, name: string): Promise<string> {
  const refuse = (what: string): never => {
    throw new SystemError(`Cannot look up the user: /etc/${name} in the container ${what}`);
  };
  try {
    const path = await onHost(fs, container, `/etc/${name}`);
    if (path === undefined) return refuse("leads into a file system of the kernel: make it a plain file");
    const info = await fs.stat(path);
    if (!info.isFile()) return refuse("is not a plain file: replace or remove it");
    if (info.size > MOST_BYTES) return refuse(`has ${info.size} bytes: ${MOST_BYTES} are read at most`);
    return await fs.readFile(path, "utf8");
  } catch (cause) {
    if (isErrno(cause, "ENOENT", "ENOTDIR", "ELOOP")) return "";
    throw cause;
  }
}

/** Where a path of the container's is on the host; `undefined` where the kernel's own file systems are mounted. */
async function onHost(fs: Files, { rootfs, mounts }: Container, path: string): Promise<string | undefined> {
  const within = async (place: string) =>
    (await followSymlinkInScope(fs, join(rootfs, place), rootfs)).slice(rootfs.length);
  const inside = await within(path);
  if (inside !== path) {
    for (const place of KERNEL_PLACES) {
      // The one device that is often meant: an empty file.
      if (inside !== "/dev/null" && isBelow(inside, await within(place))) return undefined;
    }
  }
  let found = join(rootfs, inside);
  for (const { source, destination, private: ours } of mounts) {
    if (ours) continue; // the daemon's own files, which are others
    const place = await within(join("/", destination));
    // The last one covers those before it.
    if (isBelow(inside, place))
      found = await followSymlinkInScope(fs, join(source, inside.slice(place.length)), source);
  }
  return found;
}

function isBelow(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}
