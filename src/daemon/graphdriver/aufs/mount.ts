/**
 * Mounts of the kernel's own aufs.
 *
 * @origin daemon/graphdriver/aufs/mount.go
 * @module
 */

import { messageOf } from "../../../errdefs/errdefs.ts";
import type { Host } from "../../../host/host.ts";
import type { Logger } from "../../../pkg/log/log.ts";
import { isMounted, unmountLayer } from "../mounts.ts";

/** mount(2) takes one page of options, the last byte of which it makes zero. */
const MAX_OPTION_BYTES = 4095;

/** Layers to be laid over each other. */
export interface Branches {
  /** The layers below, nearest first; never none. */
  readonly ro: readonly string[];
  /** The layer that takes what is written. */
  readonly rw: string;
  readonly target: string;
  /** For SELinux; "" for none. */
  readonly label: string;
}

/** How layers come to be seen as one tree. */
export interface UnionMount {
  /** What does it, as the mount table names it. */
  readonly fstype: string;
  mount(branches: Branches): Promise<void>;
  /** Nothing mounted there is no error. */
  unmount(target: string): Promise<void>;
}

/** Adds a label to options of mount(2). @origin vendor/src/github.com/docker/libcontainer/label/label_selinux.go FormatMountLabel */
export function formatMountLabel(data: string, label: string): string {
  return label === "" ? data : `${data},context=${JSON.stringify(label)}`;
}

/** Says `mount` and `umount` to the kernel. */
export class KernelAufs implements UnionMount {
  readonly fstype = "aufs";
  readonly #host: Pick<Host, "kernel" | "exec">;
  readonly #log: Logger;

  /** @param log - for warnings */
  constructor(host: Pick<Host, "kernel" | "exec">, log: Logger) {
    this.#host = host;
    this.#log = log;
  }

  /**
   * Mounts all branches at once, the writable one first. One page holds some 40 of them at most: when that fails the
   * others are appended one by one.
   *
   * @origin daemon/graphdriver/aufs/aufs.go (*Driver).aufsMount
   * @deviation What does not fit is not tried. 1.2.0 waited for the kernel to fail at the branch that the end of the page
   *   cuts in two; where it ends just behind one, everything below that was missing, and nobody was told.
   */
  async mount(branches: Branches): Promise<void> {
    const { kernel } = this.#host;
    const { ro, target, label } = branches;
    try {
      this.#tryMount(branches);
    } catch {
      try {
        this.#mountRw(branches);
        for (const layer of ro) {
          kernel.mount("none", target, "aufs", ["remount"], formatMountLabel(`append:${layer}=ro+wh`, label));
        }
      } catch (cause) {
        await this.unmount(target);
        throw cause;
      }
    }
  }

  /**
   * Lets aufs forget its links in memory, then unmounts.
   *
   * @origin daemon/graphdriver/aufs/mount.go Unmount
   * @deviation A mount in use is taken out of sight and goes with its last user; 1.2.0 left it where it was.
   */
  async unmount(target: string): Promise<void> {
    if (!isMounted(this.#host, target)) return;
    try {
      const { code } = await this.#host.exec.run("auplink", [target, "flush"]);
      if (code !== 0) throw new Error(`exit status ${code}`);
    } catch (cause) {
      this.#log.error("mount.go:12", `[warning]: couldn't run auplink before unmount: ${messageOf(cause)}`);
    }
    unmountLayer(this.#host, target, this.#log);
  }

  /** @origin daemon/graphdriver/aufs/aufs.go (*Driver).tryMount */
  #tryMount({ ro, rw, target, label }: Branches): void {
    const data = `br:${rw}=rw:${ro.map((layer) => `${layer}=ro+wh:`).join("")},xino=/dev/shm/aufs.xino`;
    const options = formatMountLabel(data, label);
    if (Buffer.byteLength(options) > MAX_OPTION_BYTES)
      throw new RangeError(`Cannot mount ${target}: too many branches`);
    this.#host.kernel.mount("none", target, "aufs", [], options);
  }

  /** @origin daemon/graphdriver/aufs/aufs.go (*Driver).mountRw */
  #mountRw({ rw, target, label }: Branches): void {
    const data = formatMountLabel(`br:${rw},xino=/dev/shm/aufs.xino`, label);
    this.#host.kernel.mount("none", target, "aufs", [], data);
  }
}
