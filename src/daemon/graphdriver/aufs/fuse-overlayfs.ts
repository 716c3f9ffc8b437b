/**
 * Stands in for aufs where the kernel has none: fuse-overlayfs understands and writes the same `.wh.` files.
 *
 * One process serves one mount. It goes into the background once it has mounted, in a session of its own, and ends when
 * it is unmounted; a daemon that is killed leaves it to the next one.
 *
 * @since Debian 10 (fuse-overlayfs 0.3); Docker never had it
 * @module
 */

import { join } from "node:path/posix";
import { SystemError } from "../../../errdefs/errdefs.ts";
import type { Host } from "../../../host/host.ts";
import type { Logger } from "../../../pkg/log/log.ts";
import { exists, isMounted, unmountLayer } from "../mounts.ts";
import { removeTree } from "../remove-tree.ts";
import { type Branches, formatMountLabel, type UnionMount } from "./mount.ts";

/** What mounting touches. */
export type FuseHost = Pick<Host, "fs" | "exec" | "kernel">;

const PROGRAM = "fuse-overlayfs";

/** Why it cannot be used here, with the cure; `undefined` when it can. */
export async function missingFuse(host: FuseHost): Promise<string | undefined> {
  if ((await host.exec.lookPath(PROGRAM)) === undefined)
    return `${PROGRAM} is not installed (apt-get install ${PROGRAM})`;
  if (!(await exists(host, "/dev/fuse"))) return "there is no /dev/fuse (modprobe fuse)";
  return undefined;
}

/** Mounts through the program. */
export class FuseOverlayfs implements UnionMount {
  readonly fstype = "fuse.fuse-overlayfs";
  readonly #host: FuseHost;
  readonly #log: Logger;
  readonly #work: string;

  /** @param work - a directory of our own on the file system of the layers: each mount has one in it while it lasts */
  constructor(work: string, host: FuseHost, log: Logger) {
    this.#work = work;
    this.#host = host;
    this.#log = log;
  }

  async mount({ ro, rw, target, label }: Branches): Promise<void> {
    const { fs, exec } = this.#host;
    // Still there: its process is dead, or it could not be unmounted. Either way it is not to be lain upon.
    unmountLayer(this.#host, target, this.#log);
    const work = this.#workOf(target);
    await fs.mkdir(work, { recursive: true, mode: 0o700 });
    // What is written goes through to the layer at once, since the layer is read behind the mount's back: commit, diff.
    const data = `lowerdir=${ro.join(":")},upperdir=${rw},workdir=${work},writeback=0,dev`;
    // Its options end at a comma, unless that is escaped.
    const options = data + formatMountLabel("", label).replace(/(?<=.)[,\\]/g, "\\$&");
    const env = { FUSE_OVERLAYFS_DISABLE_OVL_WHITEOUT: "1" };
    // Returns when the mount is there: the program goes into the background after that.
    const { code, stderr } = await exec.run(PROGRAM, ["-o", options, target], { env });
    if (code === 0 && isMounted(this.#host, target)) return;
    await fs.rm(work, { recursive: true, force: true });
    const said = stderr
      .toString()
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("unknown argument ignored"));
    throw new SystemError(`Cannot mount ${target}: ${said.join("; ") || `${PROGRAM} ended with ${code}`}`);
  }

  async unmount(target: string): Promise<void> {
    const state = unmountLayer(this.#host, target, this.#log);
    // Whoever still uses the mount still writes through that directory.
    if (state === "gone") await removeTree(this.#host, this.#workOf(target));
  }

  #workOf(target: string): string {
    return join(this.#work, target.slice(target.lastIndexOf("/") + 1));
  }
}
