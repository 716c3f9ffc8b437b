/**
 * Builds the daemon, step by step, and brings back what was there before.
 *
 * @origin daemon/daemon.go NewDaemon, NewDaemonFromDirectory
 * @article 001/5.5.1
 * @module
 */

import posix from "node:path/posix";
import type { Engine } from "../engine/engine.ts";
import { messageOf, SystemError } from "../errdefs/errdefs.ts";
import { Graph } from "../graph/graph.ts";
import { TagStore } from "../graph/tags.ts";
import type { Host } from "../host/host.ts";
import { newSqliteConn } from "../pkg/graphdb/conn-sqlite3.ts";
import { type Database, isCorrupt } from "../pkg/graphdb/graphdb.ts";
import type { Logger } from "../pkg/log/log.ts";
import { newSysInfo } from "../pkg/sysinfo/sysinfo.ts";
import { createPidFile, removePidFile } from "../utils/daemon.ts";
import { checkKernelAndArch } from "./check-machine.ts";
import {
  checkDaemonConfig,
  checkMtu,
  type DaemonConfig,
  disableNetworkBridge,
  getDefaultNetworkMtu,
} from "./config.ts";
import { Daemon } from "./daemon.ts";
import type { ExecDriver } from "./execdriver/driver.ts";
import { checkDriver, newDriver } from "./execdriver/execdrivers/execdrivers.ts";
import type { GraphDriver } from "./graphdriver/driver.ts";
import { newGraphDriver } from "./graphdriver/graphdriver.ts";
import { initNetworkDriver } from "./init-network.ts";
import { checkLocalDns } from "./local-dns.ts";
import { restore } from "./restore.ts";
import { claimRoot, makeRoot } from "./root.ts";
import { shutdown } from "./shutdown.ts";
import { VolumeStore } from "./volume-store.ts";

/** Parts that a host without SQLite, without drivers or a test brings itself. */
export interface DaemonOverrides {
  readonly openGraph?: (path: string, host: Host) => Promise<Database>;
  readonly graphDriver?: (root: string) => Promise<GraphDriver>;
  readonly execDriver?: (root: string) => Promise<ExecDriver>;
}

/**
 * Makes a daemon that serves all containers of its root. Its jobs are not in the engine yet: {@link Daemon.install}.
 *
 * @throws when it cannot; the caller ends the process
 * @origin daemon/daemon.go NewDaemonFromDirectory
 */
export async function newDaemon(
  config: DaemonConfig,
  eng: Engine,
  host: Host,
  log: Logger,
  overrides: DaemonOverrides = {},
): Promise<Daemon> {
  if (config.mtu === 0) config.mtu = getDefaultNetworkMtu(host);
  else checkMtu(config.mtu);
  checkDaemonConfig(config);
  if (config.pidfile !== "") {
    // A listener may have failed meanwhile: whoever shuts down now waits, and then knows the file it has to remove.
    if (eng.isShutdown()) throw new SystemError("Cannot boot: the engine is shut down");
    const written = createPidFile(config.pidfile, host);
    eng.onShutdown(async () => {
      const ours = await written.then(
        () => true,
        () => false,
      );
      if (ours) await removePidFile(config.pidfile, host, log);
    });
    await written;
  }
  const unprivileged = host.machine.uid !== 0;
  if (unprivileged) adaptToUser(config, log);
  checkKernelAndArch(host, log);
  // Asked before anything is made.
  if (overrides.execDriver === undefined) await checkDriver(config.execDriver, host);
  await prepareRoot(config, host);
  const driver = await (overrides.graphDriver?.(config.root) ?? openGraphDriver(config, host, log));
  log.debug("daemon.go:751", `Using graph driver ${driver.name}`);
  if (config.enableSelinuxSupport && driver.name === "btrfs") {
    await driver.cleanup();
    throw new SystemError("SELinux is not supported with the BTRFS graph driver!");
  }

  const repository = posix.join(config.root, "containers");
  await host.fs.mkdir(repository, { recursive: true, mode: 0o700 });
  log.debug("daemon.go:769", "Creating images graph");
  const graph = await Graph.open(posix.join(config.root, "graph"), driver, host, log);
  log.debug("daemon.go:781", "Creating volumes graph");
  const volumes = await VolumeStore.open(config.root, host);
  log.debug("graph.go:68", `Restored ${volumes.ids().length} elements`);
  log.debug("daemon.go:786", "Creating repository list");
  const repositories = await openTagStore(config, driver, graph, host, log);

  if (!config.disableNetwork) await initNetworkDriver(config, eng);
  const openGraph = overrides.openGraph ?? newSqliteConn;
  const containerGraph = await openNames(openGraph, posix.join(config.root, "linkgraph.db"), host, log);
  const sysInfo = await newSysInfo(host, (text) => log.std(text.trimEnd()));
  const execDriver = await (overrides.execDriver?.(config.root) ??
    newDriver(config.execDriver, config.root, host, log));
  const daemon = new Daemon({
    config,
    eng,
    host,
    log,
    driver,
    graph,
    repositories,
    volumes,
    containerGraph,
    sysInfo,
    execDriver,
    netnsRoot: netnsRoot(config.root, host),
  });
  await checkLocalDns(daemon);
  // From here on there may be containers: they are stopped in any case.
  eng.onShutdown(() => shutdown(daemon));
  await restore(daemon);
  return daemon;
}

/**
 * Chooses what works without root.
 *
 * @deviation 1.2.0 refuses: `The Docker daemon needs to be run as root`.
 */
function adaptToUser(config: DaemonConfig, log: Logger): void {
  config.graphDriver = "vfs";
  config.execDriver = "dry";
  config.bridgeIface = disableNetworkBridge;
  config.bridgeIP = "";
  log.info(
    "Not running as root: storage driver vfs, exec driver dry, no network. Containers are prepared but do not run.",
  );
}

async function prepareRoot(config: DaemonConfig, host: Host): Promise<void> {
  const { fs } = host;
  // Made before it is resolved: 1.2.0 leaves a new root with links in its path as it was given.
  await makeRoot(config.root, host);
  try {
    config.root = await fs.realpath(config.root);
  } catch (cause) {
    throw new SystemError(`Unable to get the full path to root (${config.root}): ${messageOf(cause)}`, { cause });
  }
  await claimRoot(config.root, host);
  const configured = host.env["DOCKER_TMPDIR"];
  const tmp = configured === undefined || configured === "" ? posix.join(config.root, "tmp") : configured;
  try {
    // What an earlier daemon left in its own directory is of no use to anybody.
    if (tmp === posix.join(config.root, "tmp")) await fs.rm(tmp, { recursive: true, force: true });
    await fs.mkdir(tmp, { recursive: true, mode: 0o700 });
    host.env["TMPDIR"] = await fs.realpath(tmp);
  } catch (cause) {
    throw new SystemError(`Unable to get the TempDir under ${config.root}: ${messageOf(cause)}`, { cause });
  }
}

async function openGraphDriver(config: DaemonConfig, host: Host, log: Logger): Promise<GraphDriver> {
  return newGraphDriver(
    config.root,
    { name: config.graphDriver, env: host.env, options: config.graphOptions },
    host,
    log,
  );
}

async function openTagStore(
  config: DaemonConfig,
  driver: GraphDriver,
  graph: Graph,
  host: Host,
  log: Logger,
): Promise<TagStore> {
  const path = posix.join(config.root, `repositories-${driver.name}`);
  try {
    return await TagStore.open(path, graph, host, log, {
      mirrors: config.mirrors,
      insecureRegistries: config.insecureRegistries,
    });
  } catch (cause) {
    throw new SystemError(`Couldn't create Tag store: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Opens the names of the containers; a file that is none is put aside.
 *
 * @deviation 1.2.0 does not start with a broken one. The containers still know their names; links are lost.
 */
async function openNames(
  open: (path: string, host: Host) => Promise<Database>,
  path: string,
  host: Host,
  log: Logger,
): Promise<Database> {
  try {
    return await open(path, host);
  } catch (cause) {
    if (!isCorrupt(cause)) throw cause;
    log.error("daemon.go:803", `Cannot read ${path}: ${messageOf(cause)}; it is kept as ${path}.corrupt`);
    await host.fs.rename(path, `${path}.corrupt`);
    return open(path, host);
  }
}

/** A directory of this root's own outside it: what is mounted there is no part of the root's tree. */
function netnsRoot(root: string, host: Host): string {
  return posix.join("/run/drydock", host.hash("sha256").update(root).hex().slice(0, 12), "netns");
}
