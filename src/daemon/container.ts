/**
 * A container as the daemon knows it: what is written to its directory, and what lives only while the daemon runs.
 *
 * ```text
 * containers/<id>/config.json       this object
 * containers/<id>/hostconfig.json   how it meets the host
 * containers/<id>/<id>-json.log     what it printed
 * containers/<id>/{hostname,hosts,resolv.conf}   files it sees in /etc
 * ```
 *
 * @origin daemon/container.go
 * @module
 */

import posix from "node:path/posix";
import type { Host } from "../host/host.ts";
import type { Console } from "../host/kernel.ts";
import { BroadcastWriter } from "../pkg/broadcastwriter/broadcastwriter.ts";
import type { Config } from "../runconfig/config.ts";
import type { HostConfig } from "../runconfig/host-config.ts";
import { type Deferred, deferred } from "../sync/deferred.ts";
import { type PipeReader, type PipeWriter, pipe } from "../sync/pipe.ts";
import { asMap, goJson } from "../utils/go-json.ts";
import { rfc3339Nano, ZERO_TIME } from "../utils/go-time.ts";
import { writeDurably } from "./durable.ts";
import type { Command } from "./execdriver/driver.ts";
import type { JsonFileLog } from "./logger/jsonfilelog/jsonfilelog.ts";
import type { ContainerMonitor } from "./monitor.ts";
import { type NetworkSettings, noNetwork } from "./network-settings.ts";
import { State, type StateJson } from "./state.ts";

/** `config.json`: keys in 1.2.0's order. */
export interface ContainerJson {
  ID: string;
  Created: string;
  Path: string;
  Args: string[] | null;
  Config: Config;
  State: StateJson;
  Image: string;
  NetworkSettings: NetworkSettings;
  ResolvConfPath: string;
  HostnamePath: string;
  HostsPath: string;
  Name: string;
  Driver: string;
  ExecDriver: string;
  MountLabel: string;
  ProcessLabel: string;
  RestartCount: number;
  Volumes: Record<string, string> | null;
  VolumesRW: Record<string, boolean> | null;
}

/** What a container is made of when it is created. */
export interface NewContainer {
  readonly id: string;
  readonly root: string;
  readonly name: string;
  readonly path: string;
  readonly args: string[];
  readonly config: Config;
  readonly hostConfig: HostConfig;
  readonly image: string;
  readonly driver: string;
  readonly execDriver: string;
}

/** Rules of the firewall between two containers that are there while both run. */
export interface ActiveLink {
  readonly alias: string;
  /** Address of the container that was linked to. */
  readonly childIp: string;
  disable(): Promise<void>;
}

/** @origin daemon/container.go Container */
export class Container {
  readonly id: string;
  /** `<root>/containers/<id>`. */
  readonly root: string;
  created = ZERO_TIME;
  path: string;
  args: string[];
  config: Config;
  hostConfig: HostConfig;
  readonly state: State;
  /** Id of the image. */
  image: string;
  networkSettings: NetworkSettings = noNetwork();
  resolvConfPath = "";
  hostnamePath = "";
  hostsPath = "";
  /** `/web`. */
  name: string;
  /** Storage driver. */
  driver: string;
  execDriver: string;
  mountLabel = "";
  processLabel = "";
  restartCount = 0;
  /** Whether the last run ended because somebody wanted it to, and not because the daemon did. @since Docker 1.9 */
  stoppedByUser = false;
  /** Path in the container → path on the host; `undefined` before the first start. */
  volumes: Record<string, string> | undefined;
  volumesRW: Record<string, boolean> | undefined;

  readonly stdout: BroadcastWriter;
  readonly stderr: BroadcastWriter;
  /** What clients type; `undefined` for a container without input. */
  stdin: { reader: PipeReader; writer: PipeWriter } | undefined;
  /** The log of the present or last run. */
  log: JsonFileLog | undefined;
  command: Command | undefined;
  monitor: ContainerMonitor | undefined;
  console: Console | undefined;
  /** Whether an address is taken for it. */
  networkAllocated = false;
  /** The network namespace, when the container has one that we made. */
  netnsPath: string | undefined;
  activeLinks: ActiveLink[] = [];
  /** Where the root file system is mounted; `undefined` while it is not. */
  basefs: string | undefined;
  /** Taking down what the last run needed: whoever starts or removes the container waits for it. */
  teardown: Promise<void> | undefined;
  /** Settles when the present run's output has ended. */
  outputEnd: Deferred<void> = deferred();
  /** Settles when the container is gone. */
  readonly removed: Deferred<void> = deferred();
  isRemoved = false;
  #saving: Promise<void> | undefined;
  #again = false;

  constructor(fields: NewContainer, clock: Host["clock"]) {
    const now = () => rfc3339Nano(clock.nowNs());
    this.id = fields.id;
    this.root = fields.root;
    this.name = fields.name;
    this.path = fields.path;
    this.args = fields.args;
    this.config = fields.config;
    this.hostConfig = fields.hostConfig;
    this.image = fields.image;
    this.driver = fields.driver;
    this.execDriver = fields.execDriver;
    this.state = new State(clock);
    this.stdout = new BroadcastWriter(now);
    this.stderr = new BroadcastWriter(now);
    this.openStdin();
  }

  /** Makes a new input for the next run. @origin daemon/monitor.go resetContainer */
  openStdin(): void {
    this.stdin = this.config.OpenStdin ? pipe() : undefined;
  }

  /** @origin daemon/container.go logPath */
  logPath(name: string): string {
    return posix.join(this.root, `${this.id}-${name}.log`);
  }

  /** Path of a file in the container's own directory. @origin daemon/container.go getRootResourcePath */
  rootResource(name: "hostname" | "hosts" | "resolv.conf"): string {
    return posix.join(this.root, name);
  }

  /** @param extended - with what 1.2.0 does not know */
  toJson(extended: boolean): ContainerJson {
    const { MacAddress, ...settings } = this.networkSettings;
    return {
      ID: this.id,
      Created: this.created,
      Path: this.path,
      Args: this.args,
      Config: extended ? this.config : withoutNew(this.config),
      State: this.state.toJson(extended),
      Image: this.image,
      NetworkSettings: extended && MacAddress !== undefined ? { ...settings, MacAddress } : settings,
      ResolvConfPath: this.resolvConfPath,
      HostnamePath: this.hostnamePath,
      HostsPath: this.hostsPath,
      Name: this.name,
      Driver: this.driver,
      ExecDriver: this.execDriver,
      MountLabel: this.mountLabel,
      ProcessLabel: this.processLabel,
      RestartCount: this.restartCount,
      Volumes: this.volumes ? asMap(this.volumes) : null,
      VolumesRW: this.volumesRW ? asMap(this.volumesRW) : null,
    };
  }

  /**
   * Writes both files. Calls that come while it writes share the one write after it.
   *
   * @origin daemon/container.go ToDisk
   * @deviation Whole after any crash; 1.2.0 truncates the old file first.
   */
  async toDisk(host: Pick<Host, "fs">): Promise<void> {
    if (this.#saving !== undefined) {
      this.#again = true;
      return this.#saving;
    }
    const work = async () => {
      try {
        do {
          this.#again = false;
          if (this.isRemoved) return;
          await writeDurably(host, this.root, {
            "config.json": goJson({ ...this.toJson(true), ...this.#stopMark() }),
            "hostconfig.json": goJson(this.hostConfig),
          });
        } while (this.#again);
      } finally {
        this.#saving = undefined;
      }
    };
    this.#saving = work();
    return this.#saving;
  }

  /** What 1.2.0 has no key for, where it matters. */
  #stopMark(): { HasBeenManuallyStopped?: true } {
    const kept = this.stoppedByUser && this.hostConfig.RestartPolicy.Name === "unless-stopped";
    return kept ? { HasBeenManuallyStopped: true } : {};
  }

  /** Settles when nothing is being written any more. */
  async saved(): Promise<void> {
    await this.#saving?.catch(() => undefined);
  }
}

/** The configuration with 1.2.0's 23 keys only. */
function withoutNew(config: Config): Config {
  const { Labels: _labels, StopSignal: _stopSignal, ...rest } = config;
  return rest;
}
