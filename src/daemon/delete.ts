/**
 * Removes containers, links, and the volumes nobody needs any more.
 *
 * @origin daemon/delete.go
 * @module
 */

import posix from "node:path/posix";
import type { Job } from "../engine/job.ts";
import { ConflictError, isErrno, messageOf, NoSuchError, SystemError } from "../errdefs/errdefs.ts";
import { syncDirectory } from "../utils/durable.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";
import { rephrase } from "./errors.ts";
import { fullContainerName } from "./names.ts";
import { unpauseIfNeeded } from "./pause.ts";
import { killContainer, stopContainer } from "./stop.ts";

/** A directory with this ending belongs to a container that is being removed. */
export const removingSuffix = ".removing";
/** With this one its volumes go too. */
export const removingAllSuffix = ".volumes.removing";

/**
 * Job `delete CONTAINER`: `removeVolume`, `removeLink`, `forceRemove`.
 *
 * @origin daemon/delete.go ContainerDestroy
 * @deviation By force a paused container is killed and removed too; 1.2.0 refuses.
 */
export async function containerDestroy(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length > 1) {
    throw new SystemError(`Not enough arguments. Usage: ${job.name} CONTAINER\n`);
  }
  const container = daemon.get(name);
  if (job.getenvBool("removeLink")) {
    if (container === undefined) throw new NoSuchError("link", name);
    return removeLink(daemon, name);
  }
  if (container === undefined) throw new NoSuchError("container", name);
  if (container.state.running) {
    if (!job.getenvBool("forceRemove")) {
      throw new ConflictError(
        "You cannot remove a running container. Stop the container before attempting removal or use -f",
      );
    }
    try {
      await unpauseIfNeeded(daemon, container);
      await killContainer(daemon, container);
    } catch (cause) {
      throw rephrase(cause, (text) => `Could not kill running container, cannot remove - ${text}`);
    }
  }
  try {
    await destroy(daemon, container, job.getenvBool("removeVolume"), job.getenvBool("forceRemove"));
  } catch (cause) {
    if (cause instanceof VolumeError) throw cause;
    throw rephrase(cause, (text) => `Cannot destroy container ${name}: ${text}`);
  }
}

/** A volume that could not be removed: the container is gone all the same. */
class VolumeError extends SystemError {}

async function removeLink(daemon: Daemon, name: string): Promise<void> {
  const path = fullContainerName(name);
  const parent = posix.dirname(path);
  if (parent === "/") throw new ConflictError("Conflict, cannot remove the default name of the container");
  const parentId = daemon.containerGraph.get(parent);
  if (parentId === undefined) throw new SystemError(`Cannot get parent ${parent}/ for name ${path}`);
  const container = daemon.get(parentId);
  const closed = container?.activeLinks.filter(({ alias }) => alias === posix.basename(path)) ?? [];
  // Forgotten, too: the same rules may belong to a link by another name.
  if (container !== undefined) container.activeLinks = container.activeLinks.filter((link) => !closed.includes(link));
  await Promise.all(closed.map((link) => link.disable()));
  daemon.containerGraph.delete(path);
}

/**
 * Removes a container: layers, volumes when wanted, directory, names.
 *
 * The directory is renamed first: from then on the next boot finishes what a crash leaves undone.
 *
 * @param force - kills it when somebody starts it meanwhile
 * @param silent - tells nobody: a build removes what it made itself
 * @origin daemon/delete.go Destroy
 */
export async function destroy(
  daemon: Daemon,
  container: Container,
  withVolumes: boolean,
  force = false,
  silent = false,
): Promise<void> {
  const { id, root } = container;
  const { fs } = daemon.host;
  if (daemon.containers.get(id) !== container) {
    throw new SystemError(`Container ${id} not found - maybe it was already destroyed?`);
  }
  await stopContainer(daemon, container, 3);
  // A start that was under way is over when we have the lock.
  while (!(await takeOut(daemon, container))) {
    if (!force) throw new ConflictError(`Container ${id} was started meanwhile`);
    await killContainer(daemon, container);
  }
  try {
    await container.log?.close();
    await container.saved();
    const trash = `${root}${withVolumes ? removingAllSuffix : removingSuffix}`;
    await fs.rename(root, trash).catch((cause: unknown) => {
      if (!isErrno(cause, "ENOENT")) throw cause;
    });
    await syncDirectory(daemon.host.fs, daemon.repository);
    await removeLayer(daemon, id, "root");
    await removeLayer(daemon, `${id}-init`, "init");
    // The directory says which they are, so it goes after them.
    const failure = withVolumes ? await failureOf(removeVolumes(daemon, container)) : undefined;
    await fs.rm(trash, { recursive: true, force: true }).catch((cause: unknown) => {
      throw new SystemError(`Unable to remove filesystem for ${id}: ${messageOf(cause)}`, { cause });
    });
    // Last: on a full disk there is room for it only now. A name without a container is taken over by the next.
    daemon.containerGraph.purge(id);
    if (failure !== undefined) throw new VolumeError(messageOf(failure), { cause: failure });
  } finally {
    if (!silent) daemon.logEvent(container, "destroy");
    container.removed.resolve();
  }
}

/** Takes a container that does not run out of every list. @returns `false` when it runs */
function takeOut(daemon: Daemon, container: Container): Promise<boolean> {
  const { id } = container;
  return daemon.locks.run(id, async () => {
    await container.teardown;
    if (container.isRemoved) throw new SystemError(`Container ${id} not found - maybe it was already destroyed?`);
    if (container.state.running) return false;
    container.isRemoved = true;
    daemon.unregister(container);
    return true;
  });
}

function failureOf(work: Promise<void>): Promise<unknown> {
  return work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
}

async function removeLayer({ driver }: Daemon, id: string, which: "root" | "init"): Promise<void> {
  try {
    await driver.remove(id);
  } catch (cause) {
    const text = `Driver ${driver.name} failed to remove ${which} filesystem ${id}: ${messageOf(cause)}`;
    throw new SystemError(text, { cause });
  }
}

/** @origin daemon/delete.go ContainerDestroy (removeVolume) */
export async function removeVolumes(
  daemon: Daemon,
  container: Pick<Container, "volumes" | "hostConfig">,
): Promise<void> {
  const volumeId = (path: string) => posix.basename(path.replace(/\/layer$/, ""));
  const binds = new Set<string>();
  for (const bind of container.hostConfig.Binds ?? []) {
    const source = bind.split(":")[0] ?? "";
    binds.add(
      // A source that is no path, or is gone: nothing was ever mounted from it.
      await daemon.host.fs.realpath(source).catch(() => source),
    );
  }
  const used = new Map<string, string>();
  for (const other of daemon.list()) {
    for (const path of Object.values(other.volumes ?? {})) used.set(volumeId(path), other.id);
  }
  for (const path of new Set(Object.values(container.volumes ?? {}))) {
    if (binds.has(path)) continue;
    const id = volumeId(path);
    const user = used.get(id);
    if (user !== undefined) {
      daemon.log.info(`The volume ${id} is used by the container ${user}. Impossible to remove it. Skipping.`);
      continue;
    }
    try {
      await daemon.volumes.delete(id);
    } catch (cause) {
      throw rephrase(cause, (text) => `Error calling volumes.Delete(${JSON.stringify(id)}): ${text}`);
    }
  }
}
