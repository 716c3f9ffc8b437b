/**
 * The daemon: containers on top of images, reached through jobs.
 *
 * @origin daemon/daemon.go
 * @article 001/5.5
 * @module
 */

import posix from "node:path/posix";
import type { Engine, Installer } from "../engine/engine.ts";
import type { Handler, Job } from "../engine/job.ts";
import { messageOf, NoSuchError, SystemError } from "../errdefs/errdefs.ts";
import type { Graph } from "../graph/graph.ts";
import type { TagStore } from "../graph/tags.ts";
import type { Host } from "../host/host.ts";
import type { Database } from "../pkg/graphdb/graphdb.ts";
import type { Logger } from "../pkg/log/log.ts";
import type { SysInfo } from "../pkg/sysinfo/sysinfo.ts";
import { TruncIndex } from "../pkg/truncindex/truncindex.ts";
import { KeyedMutex } from "../sync/keyed-mutex.ts";
import { TaskGroup } from "../sync/task-group.ts";
import { containerAttach } from "./attach.ts";
import { cmdBuild } from "./build/build.ts";
import { containerChanges } from "./changes.ts";
import { containerCommit } from "./commit.ts";
import type { DaemonConfig } from "./config.ts";
import type { Container } from "./container.ts";
import { containerCopy } from "./copy.ts";
import { containerCreate } from "./create.ts";
import { createdNs } from "./created.ts";
import { containerDestroy, destroy } from "./delete.ts";
import type { ExecDriver } from "./execdriver/driver.ts";
import { containerExport } from "./export.ts";
import type { GraphDriver } from "./graphdriver/driver.ts";
import { imageDelete } from "./image-delete.ts";
import { cmdInfo } from "./info.ts";
import { containerInspect } from "./inspect.ts";
import { containers } from "./list.ts";
import { containerLogs } from "./logs.ts";
import { fullContainerName } from "./names.ts";
import { containerPause, containerUnpause } from "./pause.ts";
import { containerResize } from "./resize.ts";
import { containerStart } from "./start.ts";
import { containerKill, containerRestart, containerStop } from "./stop.ts";
import { containerTop } from "./top.ts";
import type { VolumeStore } from "./volume-store.ts";
import { containerWait } from "./wait.ts";

/** What a daemon is made of. */
export interface DaemonParts {
  readonly config: DaemonConfig;
  readonly eng: Engine;
  readonly host: Host;
  readonly log: Logger;
  readonly driver: GraphDriver;
  readonly graph: Graph;
  readonly repositories: TagStore;
  readonly volumes: VolumeStore;
  readonly containerGraph: Database;
  readonly sysInfo: SysInfo;
  readonly execDriver: ExecDriver;
  /** Where network namespaces are kept. */
  readonly netnsRoot: string;
}

/** @origin daemon/daemon.go Daemon */
export class Daemon implements Installer, DaemonParts {
  readonly config: DaemonConfig;
  readonly eng: Engine;
  readonly host: Host;
  readonly log: Logger;
  readonly driver: GraphDriver;
  readonly graph: Graph;
  readonly repositories: TagStore;
  readonly volumes: VolumeStore;
  readonly containerGraph: Database;
  readonly sysInfo: SysInfo;
  readonly execDriver: ExecDriver;
  readonly netnsRoot: string;
  /** `<root>/containers`. */
  readonly repository: string;
  /** By id. */
  readonly containers = new Map<string, Container>();
  /** Ids whose names are taken and whose containers are on their way. */
  readonly beingCreated = new Set<string>();
  /** One start, signal, removal at a time for each container; never held while a container runs. */
  readonly locks = new KeyedMutex();
  /** Everything that runs in the background. */
  readonly tasks: TaskGroup;
  /** The daemon is shutting down. */
  stopping = false;
  readonly #idIndex = new TruncIndex();
  #list: Container[] | undefined;

  constructor(parts: DaemonParts) {
    this.config = parts.config;
    this.eng = parts.eng;
    this.host = parts.host;
    this.log = parts.log;
    this.driver = parts.driver;
    this.graph = parts.graph;
    this.repositories = parts.repositories;
    this.volumes = parts.volumes;
    this.containerGraph = parts.containerGraph;
    this.sysInfo = parts.sysInfo;
    this.execDriver = parts.execDriver;
    this.netnsRoot = parts.netnsRoot;
    this.repository = posix.join(parts.config.root, "containers");
    this.tasks = new TaskGroup(parts.host.clock);
  }

  /**
   * Adds the daemon's jobs, and those of its tag store, to the engine.
   *
   * @origin daemon/daemon.go Install
   */
  install(eng: Engine): void {
    const jobs: Record<string, (daemon: Daemon, job: Job) => ReturnType<Handler>> = {
      attach: containerAttach,
      build: cmdBuild,
      commit: containerCommit,
      container_changes: containerChanges,
      container_copy: containerCopy,
      container_inspect: containerInspect,
      containers,
      create: containerCreate,
      delete: containerDestroy,
      export: containerExport,
      info: cmdInfo,
      kill: containerKill,
      logs: containerLogs,
      pause: containerPause,
      resize: containerResize,
      restart: containerRestart,
      start: containerStart,
      stop: containerStop,
      top: containerTop,
      unpause: containerUnpause,
      wait: containerWait,
      image_delete: imageDelete,
    };
    for (const [name, run] of Object.entries(jobs)) {
      try {
        eng.register(name, (job) => run(this, job));
      } catch (cause) {
        throw new SystemError(`Could not register "${name}": ${messageOf(cause)}`, { cause });
      }
    }
    this.repositories.install(eng);
    // How other parts of 1.2.0 reach the daemon object.
    eng.hackSetGlobalVar("httpapi.daemon", this);
  }

  /** The container with this id, prefix of an id, or name. @origin daemon/daemon.go Get */
  get(name: string): Container | undefined {
    try {
      return this.containers.get(this.#idIndex.get(name));
    } catch {
      // No id, or the beginning of several.
    }
    return name === "" ? undefined : this.containers.get(this.containerGraph.get(fullContainerName(name)) ?? "");
  }

  /** @throws {NoSuchError} when there is none */
  mustGet(name: string): Container {
    const container = this.get(name);
    if (container === undefined) throw new NoSuchError("container", name);
    return container;
  }

  /** @throws when no container has that name @origin daemon/daemon.go GetByName */
  getByName(name: string): Container {
    const id = this.containerGraph.get(fullContainerName(name));
    if (id === undefined) throw new SystemError(`Could not find entity for ${name}`);
    const container = this.containers.get(id);
    if (container === undefined) throw new SystemError(`Could not find container for entity id ${id}`);
    return container;
  }

  /** The containers a container is linked to, by the full name of the link. @origin daemon/daemon.go Children */
  children(name: string): Map<string, Container> {
    const children = new Map<string, Container>();
    if (!this.containerGraph.exists(name)) return children;
    for (const { id, fullPath } of this.containerGraph.children(name, 0)) {
      const child = this.containers.get(id);
      if (child !== undefined) children.set(fullPath, child);
    }
    return children;
  }

  /** All containers, newest first. @origin daemon/daemon.go List */
  list(): readonly Container[] {
    this.#list ??= [...this.containers.values()].sort((a, b) => {
      const [x, y] = [createdNs(a), createdNs(b)];
      return x < y ? 1 : x > y ? -1 : 0;
    });
    return this.#list;
  }

  /** @origin daemon/daemon.go containerRoot */
  readonly containerRoot = (id: string): string => posix.join(this.repository, id);

  /** Makes a container known. @origin daemon/daemon.go register */
  register(container: Container): void {
    if (this.containers.has(container.id)) throw new SystemError("Container is already loaded");
    this.beingCreated.delete(container.id);
    this.containers.set(container.id, container);
    this.#idIndex.add(container.id);
    this.#list = undefined;
  }

  /** Forgets a container. */
  unregister(container: Container): void {
    this.containers.delete(container.id);
    this.#idIndex.delete(container.id);
    this.#list = undefined;
  }

  /** Writes a container's state beside everything else; a failure is logged. */
  save(container: Container): void {
    void this.tasks.run(async () => {
      await container.toDisk(this.host).catch((cause: unknown) => {
        this.log.error("monitor.go:96", `Error dumping container ${container.id} state to disk: ${messageOf(cause)}`);
      });
    });
  }

  /** Removes a container that was to be gone after its run, and its volumes with it. @since Docker 1.13 */
  async autoRemove(container: Container): Promise<void> {
    try {
      await destroy(this, container, true);
    } catch (cause) {
      this.log.error("monitor.go:96", `Cannot remove container ${container.id} after its end: ${messageOf(cause)}`);
    }
  }

  /**
   * Tells the world what happened to a container; nobody waits for it.
   *
   * @param attributes - what clients of today see besides name and image
   * @origin daemon/container.go LogEvent
   */
  logEvent(container: Container, action: string, attributes: Record<string, string> = {}): void {
    const job = this.eng.job("log", action, container.id, this.repositories.imageName(container.image));
    job.setenvJson("attributes", {
      ...container.config.Labels,
      image: container.config.Image,
      name: container.name.replace(/^\//, ""),
      ...attributes,
    });
    job.run().catch((cause: unknown) => {
      if (!this.eng.isShutdown()) this.log.error("container.go:188", `Cannot log an event: ${messageOf(cause)}`);
    });
  }
}
