/**
 * Gives back what a run of a container needed: network, rules, mounts.
 *
 * @origin daemon/container.go cleanup, releaseNetwork
 * @module
 */

import { messageOf } from "../errdefs/errdefs.ts";
import type { ActiveLink, Container } from "./container.ts";
import { releaseNetwork } from "./container-network.ts";
import type { Daemon } from "./daemon.ts";

/**
 * Takes down a run; what is down already is left alone. Failures are logged, never thrown.
 *
 * @origin daemon/container.go cleanup
 * @deviation The links that lead to the container are taken down as well: its address will be another's. 1.2.0 leaves
 *   their rules until the containers they start from end.
 */
export async function cleanup(daemon: Daemon, container: Container): Promise<void> {
  const links = [...container.activeLinks, ...linksTo(daemon, container)];
  container.activeLinks = [];
  await Promise.all([
    releaseNetwork(daemon, container),
    // The cgroup goes first: as long as it is there, somebody may still hold the mount.
    daemon.execDriver.settled(container.id).then(() => unmount(daemon, container)),
    ...links.map((link) => link.disable().catch(() => undefined)),
  ]);
}

/** Takes the links that lead to a container from those they start from. */
function linksTo(daemon: Daemon, container: Container): ActiveLink[] {
  const ip = container.networkSettings.IPAddress;
  if (ip === "") return [];
  return daemon.list().flatMap((parent) => {
    const found = parent.activeLinks.filter(({ childIp }) => childIp === ip);
    if (found.length > 0) parent.activeLinks = parent.activeLinks.filter(({ childIp }) => childIp !== ip);
    return found;
  });
}

/** Mounts the root file system. @origin daemon/daemon.go Mount */
export async function mount(daemon: Daemon, container: Container): Promise<string> {
  if (container.basefs !== undefined) return container.basefs;
  try {
    container.basefs = await daemon.driver.get(container.id, container.mountLabel);
  } catch (cause) {
    const text = `Error getting container ${container.id} from driver ${daemon.driver.name}: ${messageOf(cause)}`;
    throw new Error(text, { cause });
  }
  return container.basefs;
}

/** @origin daemon/daemon.go Unmount */
export async function unmount(daemon: Daemon, container: Container): Promise<void> {
  if (container.basefs === undefined) return;
  container.basefs = undefined;
  try {
    await daemon.driver.put(container.id);
  } catch (cause) {
    daemon.log.error("container.go:512", `${container.id}: Failed to umount filesystem: ${messageOf(cause)}`);
  }
}

/** Keeps the root file system mounted while `work` runs, whatever else happens to the container. */
export async function withRootfs<T>(
  { driver }: Daemon,
  { id, mountLabel }: Container,
  work: (root: string) => Promise<T>,
): Promise<T> {
  const root = await driver.get(id, mountLabel);
  try {
    return await work(root);
  } finally {
    await driver.put(id);
  }
}
