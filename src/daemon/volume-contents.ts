/**
 * Copies what an image has at a volume's place into the new volume.
 *
 * @origin daemon/volumes.go copyExistingContents, copyOwnership
 * @module
 */

import type { Stats } from "node:fs";
import posix from "node:path/posix";
import type { Host } from "../host/host.ts";

/** What a program may do whoever starts it. */
const CAPABILITY = "security.capability";

/**
 * Fills an empty volume from the image's directory, and gives it that directory's owner and mode.
 *
 * No link is followed on the way: links are copied as links.
 *
 * @param source - resolved inside the container's root
 * @origin daemon/volumes.go copyExistingContents
 * @deviation Devices, sockets and fifos of the image are left out.
 */
export async function copyExistingContents(
  host: Pick<Host, "fs" | "machine" | "kernel">,
  source: string,
  target: string,
): Promise<void> {
  const info = await host.fs.lstat(source);
  if (!info.isDirectory()) return;
  if ((await host.fs.readdir(target)).length === 0) await copyTree(host, source, target);
  await copyOwnership(host, info, target);
}

async function copyTree(host: Pick<Host, "fs" | "machine" | "kernel">, source: string, target: string): Promise<void> {
  const { fs } = host;
  for (const name of await fs.readdir(source)) {
    const from = posix.join(source, name);
    const to = posix.join(target, name);
    const info = await fs.lstat(from);
    if (info.isSymbolicLink()) {
      await fs.symlink(await fs.readlink(from), to);
      if (host.machine.uid === 0) await fs.lchown(to, info.uid, info.gid);
      continue;
    }
    if (info.isDirectory()) {
      await fs.mkdir(to);
      await copyTree(host, from, to);
    } else if (info.isFile()) {
      await fs.copyFile(from, to);
    } else continue;
    await copyOwnership(host, info, to);
    const capability = host.kernel.lgetxattr(from, CAPABILITY);
    // Last: a change of the owner takes it away.
    if (capability !== undefined) host.kernel.lsetxattr(to, CAPABILITY, capability);
    await fs.utimes(to, info.atime, info.mtime);
  }
}

/** @origin daemon/volumes.go copyOwnership */
async function copyOwnership(
  host: Pick<Host, "fs" | "machine" | "kernel">,
  info: Stats,
  target: string,
): Promise<void> {
  if (host.machine.uid === 0) await host.fs.chown(target, info.uid, info.gid);
  await host.fs.chmod(target, info.mode & 0o7777);
}
