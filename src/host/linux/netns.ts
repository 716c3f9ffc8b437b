/**
 * Network namespaces, from this very thread.
 *
 * setns(2) and unshare(2) change the calling thread only. That is safe here for one reason: everything between going
 * in and coming back is synchronous, so no other code of ours, and no new thread, ever sees the wrong namespace.
 * Making a namespace takes 0.4 ms this way, most of it the kernel's own work.
 *
 * @module
 */

import { closeSync, mkdirSync, openSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { isErrno } from "../../errdefs/errdefs.ts";
import { linuxKernel } from "./kernel.ts";
import { call, tryCall } from "./libc.ts";
import { NetlinkLinks } from "./netlink/links.ts";

const CLONE_NEWNET = 0x4000_0000;

/** The namespace of the calling thread. `/proc/self` would be that of the first thread: wrong inside a worker. */
const OWN = "/proc/thread-self/ns/net";

/** Runs `work` elsewhere and comes back, or ends the process: nothing may go on in the wrong namespace. */
function away<T>(enter: () => void, work: () => T): T {
  const home = openSync(OWN, "r");
  try {
    enter();
    try {
      return work();
    } finally {
      if (tryCall("setns", home, CLONE_NEWNET) !== 0) process.abort();
    }
  } finally {
    closeSync(home);
  }
}

/** Runs `work` inside the namespace at `path`. It must be synchronous. */
export function insideNetns<T>(path: string, work: () => T): T {
  const fd = openSync(path, "r");
  try {
    return away(() => call("setns", path, fd, CLONE_NEWNET), work);
  } finally {
    closeSync(fd);
  }
}

/** Opens a conversation about the links at `path`, or of our own namespace. It stays there. */
export function openLinks(path?: string): NetlinkLinks {
  return path === undefined ? new NetlinkLinks() : insideNetns(path, () => new NetlinkLinks());
}

/** See `Net.createNetns`. Loopback is up. @throws `EEXIST` when there is something at `path` */
export function createNetns(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, "wx", 0));
  try {
    away(
      () => call("unshare", "network namespace", CLONE_NEWNET),
      () => {
        linuxKernel.mount(OWN, path, "none", ["bind"]);
        const links = new NetlinkLinks();
        try {
          links.setUp("lo");
        } finally {
          links.close();
        }
      },
    );
  } catch (cause) {
    removeNetns(path);
    throw cause;
  }
}

/** See `Net.removeNetns`. */
export function removeNetns(path: string): void {
  try {
    linuxKernel.unmount(path, { detach: true });
  } catch (cause) {
    // EINVAL: not a mount point, as after a crash between making the file and mounting on it. EPERM: we never could.
    if (!isErrno(cause, "EINVAL", "ENOENT", "EPERM")) throw cause;
  }
  try {
    unlinkSync(path);
  } catch (cause) {
    if (!isErrno(cause, "ENOENT")) throw cause;
  }
}
