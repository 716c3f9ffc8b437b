/**
 * Deletes layers: what is in them was made by strangers, and may have been mounted upon.
 *
 * @module
 */

import { fromText, toPath, toText } from "../../archive/byte-string.ts";
import { isErrno, SystemError } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";
import { isMounted, unmountBelow } from "./mounts.ts";

/** What deleting needs. */
export type RemoveHost = Pick<Host, "fs" | "kernel" | "exec">;

/** How many deletions run at once. */
const AT_ONCE = 64;

/**
 * Deletes a directory and everything in it; nothing there is no error. Links are deleted, not followed; what is mounted
 * inside is unmounted first, so that nobody else's files go along.
 *
 * @param dir - absolute path
 * @throws {SystemError} when another file system is still inside
 */
export async function removeTree(host: RemoveHost, dir: string): Promise<void> {
  try {
    const info = await host.fs.lstat(dir);
    unmountBelow(host, dir);
    if (info.isDirectory()) await removeDirectory(host, fromText(dir), info.dev);
    else await host.fs.unlink(dir);
  } catch (cause) {
    if (isErrno(cause, "ENOENT")) return;
    if (!isErrno(cause, "ENAMETOOLONG")) throw cause;
    // A program can build a tree deeper than any path is long; rm(1) goes down step by step.
    const { code, stderr } = await host.exec.run("rm", ["-rf", "--one-file-system", "--", dir]);
    if (code !== 0) throw new SystemError(`Cannot remove ${dir}: ${stderr.toString().trim()}`, { cause });
  }
}

async function removeDirectory(host: RemoveHost, path: string, device: number): Promise<void> {
  const { fs } = host;
  const entries = await insist(host, path, () =>
    fs.readdir(toPath(path), { withFileTypes: true, encoding: "latin1" as "utf8" }),
  );
  const files = entries.filter((entry) => !entry.isDirectory());
  for (let at = 0; at < files.length; at += AT_ONCE) {
    const some = files.slice(at, at + AT_ONCE);
    await insist(host, path, () => Promise.all(some.map(({ name }) => unlink(host, `${path}/${name}`))));
  }
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const child = `${path}/${entry.name}`;
    const { dev } = await fs.lstat(toPath(child));
    // On btrfs a container may have made a subvolume: it has a device of its own, and nothing mounted.
    if (dev !== device && isMounted(host, toText(child)))
      throw new SystemError(`Cannot remove ${child}: another file system is mounted there`);
    await removeDirectory(host, child, dev);
  }
  await fs.rmdir(toPath(path));
}

async function unlink({ fs }: RemoveHost, path: string): Promise<void> {
  try {
    await fs.unlink(toPath(path));
  } catch (cause) {
    if (!isErrno(cause, "ENOENT")) throw cause;
  }
}

/** Without root, an image's directory that nobody may write to has to be opened first. */
async function insist<T>({ fs }: RemoveHost, directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isErrno(cause, "EACCES")) throw cause;
    await fs.chmod(toPath(directory), 0o700);
    return work();
  }
}
