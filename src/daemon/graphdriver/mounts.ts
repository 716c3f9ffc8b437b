/**
 * What drivers that mount have in common.
 *
 * @module
 */

import { isErrno } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";
import type { Logger } from "../../pkg/log/log.ts";

/** Unmounts everything at or below a directory, the latest mount first. What was mounted there stays as it is. */
export function unmountBelow({ kernel }: Pick<Host, "kernel">, dir: string): void {
  for (const { mountpoint } of kernel.mounts().reverse()) {
    if (mountpoint === dir || mountpoint.startsWith(`${dir}/`)) kernel.unmount(mountpoint, { detach: true });
  }
}

/**
 * Unmounts one layer; nothing mounted there is no error.
 *
 * @returns `busy` when the mount is in use: it is out of sight, and goes when its last user does
 */
export function unmountLayer({ kernel }: Pick<Host, "kernel">, target: string, log: Logger): "gone" | "busy" {
  try {
    kernel.unmount(target);
    return "gone";
  } catch (cause) {
    if (isErrno(cause, "EINVAL", "ENOENT")) return "gone"; // not mounted
    if (!isErrno(cause, "EBUSY")) throw cause;
    log.debug("driver.go", `${target} is busy: it goes when its last user does`);
    kernel.unmount(target, { detach: true });
    return "busy";
  }
}

/** Whether something is mounted at a directory. @origin pkg/mount/mount.go Mounted */
export function isMounted({ kernel }: Pick<Host, "kernel">, target: string): boolean {
  return kernel.mounts().some(({ mountpoint }) => mountpoint === target);
}

/**
 * Keeps what is mounted below a directory from appearing in other mount namespaces, where nobody would unmount it.
 *
 * @origin daemon/graphdriver/driver.go MakePrivate
 */
export function makePrivate(host: Pick<Host, "kernel">, dir: string): void {
  if (!isMounted(host, dir)) host.kernel.mount(dir, dir, "none", ["bind"]);
  host.kernel.mount("none", dir, "none", ["private"]);
}

/** Whether there is anything at a path. */
export async function exists({ fs }: Pick<Host, "fs">, path: string): Promise<boolean> {
  return fs.lstat(path).then(
    () => true,
    (cause) => {
      if (isErrno(cause, "ENOENT", "ENOTDIR")) return false;
      throw cause;
    },
  );
}
