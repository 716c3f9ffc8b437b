/**
 * Brings back the containers of the daemon before, and removes what it left undone.
 *
 * ```text
 * containers/<id>/ with config.json     a container
 * containers/<id>/ without              a creation that a crash cut off: removed
 * containers/<id>.removing/             a removal that a crash cut off: finished
 * containers/<id>.volumes.removing/     the same, with its volumes
 * names without a container             removed
 * ```
 *
 * @origin daemon/daemon.go restore, load, register
 * @module
 */

import posix from "node:path/posix";
import { isErrno, messageOf } from "../errdefs/errdefs.ts";
import { sortByDepth } from "../pkg/graphdb/sort.ts";
import { ZERO_TIME } from "../utils/go-time.ts";
import { ID_PATTERN } from "../utils/utils.ts";
import { BUILDING, removeLeftByBuilds } from "./build/leftovers.ts";
import type { Container } from "./container.ts";
import { loadContainer } from "./container-load.ts";
import { networkedName } from "./container-network.ts";
import type { Daemon } from "./daemon.ts";
import { removeVolumes, removingAllSuffix, removingSuffix } from "./delete.ts";
import { removeUnwritten } from "./durable.ts";
import { generateName, reserveName } from "./names.ts";
import { noNetwork } from "./network-settings.ts";
import { startContainer } from "./start.ts";

/** Exit code of a container that did not survive the daemon. */
const lostExitCode = -127;
/** How many containers are read at once. */
const atOnce = 32;

/** @origin daemon/daemon.go restore */
export async function restore(daemon: Daemon): Promise<void> {
  const { host, log } = daemon;
  const debug = Boolean(host.env["DEBUG"] || host.env["TEST"]);
  if (!debug) log.info("Loading containers: ");
  const { loaded, foreign, halfGone, ofBuilds } = await loadAll(daemon, () => (debug ? undefined : log.raw(".")));
  const registered = registerAll(daemon, loaded, foreign, () => (debug ? undefined : log.raw(".")));
  for (const name of halfGone) await finishRemoval(daemon, name);
  await removeLeftovers(daemon, registered, foreign);
  await removeLeftByBuilds(
    daemon,
    registered.filter(({ id }) => ofBuilds.has(id)),
  );
  if (daemon.config.autoRestart) await restart(daemon, registered);
  if (!debug) log.info(": done.");
}

async function loadAll(
  daemon: Daemon,
  dot: () => void,
): Promise<{
  loaded: Map<string, Container>;
  foreign: Set<string>;
  halfGone: readonly string[];
  ofBuilds: ReadonlySet<string>;
}> {
  const { host, log, driver, repository } = daemon;
  const names = (await host.fs.readdir(repository)).sort();
  const loaded = new Map<string, Container>();
  // Containers that cannot be used now but must be kept: of another driver, or broken.
  const foreign = new Set<string>();
  // Their volumes can be told from those of others only when all are loaded.
  const halfGone: string[] = [];
  const ofBuilds = new Set<string>();
  const load = async (id: string): Promise<void> => {
    dot();
    if (id.endsWith(removingAllSuffix)) {
      halfGone.push(id);
      return;
    }
    if (id.endsWith(removingSuffix)) {
      await host.fs.rm(posix.join(repository, id), { recursive: true, force: true });
      return;
    }
    if (!ID_PATTERN.test(id)) return;
    try {
      const container = await loadContainer(id, daemon.containerRoot(id), host, log);
      if ((await removeUnwritten(host, daemon.containerRoot(id))).includes(BUILDING)) ofBuilds.add(id);
      if (container.driver === driver.name || (container.driver === "" && driver.name === "aufs")) {
        log.debug("daemon.go:319", `Loaded container ${id}`);
        loaded.set(id, container);
        return;
      }
      log.debug("daemon.go:323", `Cannot load container ${id} because it was created with another graph driver.`);
      foreign.add(id);
    } catch (cause) {
      if (isErrno(cause, "ENOENT")) {
        // Never became a container: its layers are orphans.
        await host.fs.rm(daemon.containerRoot(id), { recursive: true, force: true });
        return;
      }
      log.error("daemon.go:310", `Failed to load container ${id}: ${messageOf(cause)}`);
      foreign.add(id);
    }
  };
  for (let at = 0; at < names.length; at += atOnce) await Promise.all(names.slice(at, at + atOnce).map(load));
  return { loaded, foreign, halfGone, ofBuilds };
}

/** Gives each container the deepest of its names, as 1.2.0 finds them. */
function registerAll(
  daemon: Daemon,
  loaded: Map<string, Container>,
  foreign: ReadonlySet<string>,
  dot: () => void,
): Container[] {
  const { containerGraph, log } = daemon;
  const registered: Container[] = [];
  const add = (container: Container): void => {
    loaded.delete(container.id);
    try {
      daemon.register(container);
      registered.push(container);
    } catch (cause) {
      log.debug("daemon.go:340", `Failed to register container ${container.id}: ${messageOf(cause)}`);
    }
  };
  for (const id of containerGraph.entities()) {
    if (!loaded.has(id) && !foreign.has(id)) containerGraph.purge(id);
  }
  const entities = containerGraph.list("/", -1);
  for (const path of sortByDepth([...entities.keys()])) {
    dot();
    const container = loaded.get(entities.get(path) ?? "");
    if (container !== undefined) add(container);
  }
  for (const container of [...loaded.values()]) {
    container.name = nameAgain(daemon, container);
    daemon.beingCreated.delete(container.id);
    add(container);
  }
  return registered;
}

/** Its own name, if that is free: the names were lost, not the containers. */
function nameAgain(daemon: Daemon, { id, name }: Container): string {
  try {
    if (name !== "") return reserveName(daemon, id, name);
  } catch (cause) {
    daemon.log.debug("daemon.go:340", `Cannot give ${id} its name again: ${messageOf(cause)}`);
  }
  return generateName(daemon, id);
}

/** Removes the volumes of a container that is gone with them, then what is left of it. */
async function finishRemoval(daemon: Daemon, name: string): Promise<void> {
  const { host, log, repository } = daemon;
  const directory = posix.join(repository, name);
  try {
    const container = await loadContainer(name.slice(0, -removingAllSuffix.length), directory, host, log);
    const ids = new Set(daemon.volumes.ids());
    const left = Object.entries(container.volumes ?? {}).filter(([, path]) => ids.has(posix.basename(path)));
    await removeVolumes(daemon, { hostConfig: container.hostConfig, volumes: Object.fromEntries(left) });
  } catch (cause) {
    // Without its file nobody knows its volumes any more.
    if (!isErrno(cause, "ENOENT"))
      log.error("daemon.go:310", `Cannot remove the volumes of ${name}: ${messageOf(cause)}`);
  }
  await host.fs.rm(directory, { recursive: true, force: true });
}

/**
 * Ends what still runs, and removes mounts, namespaces and layers of containers that are no more.
 *
 * @deviation A container that was lost has no address any more; 1.2.0 goes on showing that of its last run.
 */
async function removeLeftovers(
  daemon: Daemon,
  registered: readonly Container[],
  foreign: ReadonlySet<string>,
): Promise<void> {
  const { execDriver, log } = daemon;
  const left = new Set(await execDriver.leftovers());
  const wasRunning = registered.filter(({ state, id }) => state.running || state.restarting || left.has(id));
  for (const { id } of wasRunning) left.add(id);
  // Written down first: what tells that they ran is taken away with them, and a crash may come in between.
  await Promise.all(
    wasRunning.map(async (container) => {
      container.state.setStopped(lostExitCode);
      container.networkSettings = noNetwork();
      await container.toDisk(daemon.host);
    }),
  );
  await Promise.all(
    [...left].map(async (id) => {
      log.debug("daemon.go:214", `killing old running container ${id}`);
      await execDriver
        .terminate(id)
        .catch((cause: unknown) =>
          log.error("daemon.go:229", `Cannot end the old container ${id}: ${messageOf(cause)}`),
        );
    }),
  );
  for (const { id } of wasRunning) {
    log.debug("daemon.go:244", `Container ${id} was supposed to be running but is not.`);
    log.debug("daemon.go:246", "Marking as stopped");
  }
  await removeNamespaces(daemon);
  // One that cannot be read may have any of them.
  if (foreign.size === 0) await daemon.volumes.removeLost(daemon.list());
  const keep = new Set(daemon.volumes.ids());
  for (const id of [...daemon.containers.keys(), ...foreign]) keep.add(id).add(`${id}-init`);
  await daemon.graph.removeOrphans(keep);
  // Those that were to vanish after their run do so now.
  for (const container of registered) {
    if (container.hostConfig.AutoRemove === true && container.state.exitCode === lostExitCode) {
      await daemon.autoRemove(container);
    }
  }
}

async function removeNamespaces({ host, netnsRoot, log }: Daemon): Promise<void> {
  if (host.machine.uid !== 0) return; // without root none was ever made
  const names = await host.fs.readdir(netnsRoot).catch((cause: unknown) => {
    if (!isErrno(cause, "ENOENT")) throw cause;
    return [];
  });
  await Promise.all(
    names.map((name) =>
      host.net.removeNetns(posix.join(netnsRoot, name)).catch((cause: unknown) => {
        log.error("daemon.go:235", `Cannot remove the network namespace ${name}: ${messageOf(cause)}`);
      }),
    ),
  );
}

/** Starts what has to run always, failed, or was not stopped by its user. */
async function restart(daemon: Daemon, registered: readonly Container[]): Promise<void> {
  daemon.log.debug("daemon.go:365", "Restarting containers...");
  for (const container of dependenciesFirst(daemon, registered)) {
    if (container.isRemoved || !isToRun(container)) continue;
    daemon.log.debug("daemon.go:371", `Starting container ${container.id}`);
    await startContainer(daemon, container).catch((cause: unknown) => {
      daemon.log.debug("daemon.go:374", `Failed to start container ${container.id}: ${messageOf(cause)}`);
    });
  }
}

function isToRun({ hostConfig, state, stoppedByUser }: Container): boolean {
  switch (hostConfig.RestartPolicy.Name) {
    case "always":
      return true;
    case "on-failure":
      return state.exitCode !== 0;
    case "unless-stopped": // of today's clients
      return !stoppedByUser && state.startedAt !== ZERO_TIME;
    default:
      return false;
  }
}

/**
 * Puts containers behind those they are linked to, and behind the one whose network they join; else the order stays.
 *
 * @deviation 1.2.0 starts them by the depth of their names: a container that comes before one it needs does not run.
 */
export function dependenciesFirst(
  daemon: Pick<Daemon, "children" | "get">,
  containers: readonly Container[],
): readonly Container[] {
  const wanted = new Set(containers);
  const ordered = new Set<Container>();
  const seen = new Set<Container>();
  const visit = (container: Container): void => {
    if (seen.has(container)) return; // also where links go round in a circle
    seen.add(container);
    for (const child of daemon.children(container.name).values()) visit(child);
    const joined = networkedName(container);
    const other = joined === undefined ? undefined : daemon.get(joined);
    if (other !== undefined) visit(other);
    if (wanted.has(container)) ordered.add(container);
  };
  for (const container of containers) visit(container);
  return [...ordered];
}
