/**
 * The layer between an image and a container: mount points, so that nothing mounted there shows up as a change.
 *
 * @origin graph/graph.go SetupInitLayer
 * @module
 */

import { join } from "node:path/posix";
import { isErrno } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";

type Entry = "dir" | "file" | { readonly link: string };

const ENTRIES: readonly [string, Entry][] = [
  ["/dev/pts", "dir"],
  ["/dev/shm", "dir"],
  ["/proc", "dir"],
  ["/sys", "dir"],
  ["/.dockerinit", "file"],
  ["/.dockerenv", "file"],
  ["/etc/resolv.conf", "file"],
  ["/etc/hosts", "file"],
  ["/etc/hostname", "file"],
  ["/dev/console", "file"],
  ["/etc/mtab", { link: "/proc/mounts" }],
];

/**
 * Creates what is missing. A component that is no directory is removed first: a link of the image is never followed.
 *
 * @param root - the mounted layer
 * @origin graph/graph.go SetupInitLayer
 */
export async function setupInitLayer(
  root: string,
  fs: Pick<Host["fs"], "lstat" | "mkdir" | "open" | "symlink" | "unlink">,
): Promise<void> {
  for (const [path, entry] of ENTRIES) {
    const parts = path.split("/").slice(1);
    let current = root;
    for (const [i, part] of parts.entries()) {
      current = join(current, part);
      const isDirectory = i < parts.length - 1 || entry === "dir";
      const found = await fs.lstat(current).catch((cause: unknown) => {
        if (!isErrno(cause, "ENOENT")) throw cause;
        return undefined;
      });
      if (found?.isDirectory()) continue;
      if (found !== undefined) await fs.unlink(current);
      if (isDirectory) await fs.mkdir(current, { mode: 0o755 });
      else if (typeof entry === "object") await fs.symlink(entry.link, current);
      else await (await fs.open(current, "wx", 0o755)).close();
    }
  }
}
