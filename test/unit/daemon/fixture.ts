/** A daemon in memory with drivers that do what the test says. */

import type { DaemonConfig } from "../../../src/daemon/config.ts";
import { Daemon } from "../../../src/daemon/daemon.ts";
import type { Command, ExecDriver, ExitStatus, Pipes, Started } from "../../../src/daemon/execdriver/driver.ts";
import type { GraphDriver } from "../../../src/daemon/graphdriver/driver.ts";
import { VolumeStore } from "../../../src/daemon/volume-store.ts";
import { Engine } from "../../../src/engine/engine.ts";
import type { Job } from "../../../src/engine/job.ts";
import { NoSuchError } from "../../../src/errdefs/errdefs.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { TagStore } from "../../../src/graph/tags.ts";
import type { FileSystem } from "../../../src/host/host.ts";
import { type MemoryHost, memoryHost } from "../../../src/host/memory/memory.ts";
import { newSqliteConn } from "../../../src/pkg/graphdb/conn-sqlite3.ts";
import { Logger } from "../../../src/pkg/log/log.ts";
import type { Config } from "../../../src/runconfig/config.ts";
import { newConfig } from "../../../src/runconfig/from-json.ts";
import { type Deferred, deferred } from "../../../src/sync/deferred.ts";
import { BufferWriter } from "../../../src/sync/io.ts";

/** A process the test ends when it likes. */
export class FakeProcess {
  readonly command: Command;
  readonly pipes: Pipes;
  readonly signals: number[] = [];
  readonly #end: Deferred<ExitStatus> = deferred();
  /** What a signal does; default: nothing. */
  onSignal: (signal: number) => void = () => undefined;

  constructor(command: Command, pipes: Pipes) {
    this.command = command;
    this.pipes = pipes;
  }

  get ended(): Promise<ExitStatus> {
    return this.#end.promise;
  }

  exit(exitCode: number, signal?: number): void {
    this.#end.resolve(signal === undefined ? { exitCode } : { exitCode, signal });
  }
}

/** Runs nothing. */
export class FakeExecDriver implements ExecDriver {
  async settled(): Promise<void> {}

  readonly name = "native-0.2";
  readonly processes: FakeProcess[] = [];
  readonly running = new Map<string, FakeProcess>();
  readonly terminated: string[] = [];
  left: string[] = [];
  /** Fails the next start. */
  failure: Error | undefined;
  #waiting: Deferred<FakeProcess>[] = [];

  /** The next process that starts. */
  next(): Promise<FakeProcess> {
    const waiting = deferred<FakeProcess>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  async run(command: Command, pipes: Pipes, started: (info: Started) => void): Promise<ExitStatus> {
    if (this.failure !== undefined) throw this.failure;
    const process = new FakeProcess(command, pipes);
    this.processes.push(process);
    this.running.set(command.id, process);
    started({ pid: 1000 + this.processes.length });
    for (const waiting of this.#waiting.splice(0)) waiting.resolve(process);
    const status = await process.ended;
    this.running.delete(command.id);
    return status;
  }

  async kill(id: string, signal: number): Promise<void> {
    const process = this.running.get(id);
    if (process === undefined) throw new Error(`active container for ${id} does not exist`);
    process.signals.push(signal);
    process.onSignal(signal);
    if (signal === 9) process.exit(-1, 9);
  }

  async pause(): Promise<void> {}
  async unpause(): Promise<void> {}
  isRunning(id: string): boolean {
    return this.running.has(id);
  }
  async pids(): Promise<number[]> {
    return [];
  }
  async terminate(id: string): Promise<void> {
    this.terminated.push(id);
  }
  async leftovers(): Promise<string[]> {
    return this.left;
  }
}

/** Layers that are directories in memory. */
export class FakeGraphDriver {
  readonly name = "vfs";
  readonly layers = new Map<string, string | undefined>();
  readonly mounted = new Map<string, number>();
  readonly #fs: FileSystem;

  constructor(fs: FileSystem) {
    this.#fs = fs;
  }

  async create(id: string, parent?: string): Promise<void> {
    await this.#fs.mkdir(`/layers/${id}`, { recursive: true });
    this.layers.set(id, parent);
  }
  async remove(id: string): Promise<void> {
    this.layers.delete(id);
    await this.#fs.rm(`/layers/${id}`, { recursive: true, force: true });
  }
  async get(id: string): Promise<string> {
    if (!this.layers.has(id)) throw new Error(`no layer ${id}`);
    this.mounted.set(id, (this.mounted.get(id) ?? 0) + 1);
    return `/layers/${id}`;
  }
  async put(id: string): Promise<void> {
    const left = (this.mounted.get(id) ?? 0) - 1;
    if (left > 0) this.mounted.set(id, left);
    else this.mounted.delete(id);
  }
  async changes(): Promise<{ path: string; kind: 0 | 1 | 2 }[]> {
    return [{ path: "/x", kind: 1 }];
  }
  async diffSize(): Promise<number> {
    return 7;
  }
  async ids(): Promise<string[]> {
    return [...this.layers.keys()];
  }
  async status(): Promise<undefined> {
    return undefined;
  }
  async cleanup(): Promise<void> {}
}

/** The id of the only image, `busybox`. */
export const imageId = "1".repeat(64);

/** What a test gets. */
export interface Fixture {
  readonly daemon: Daemon;
  readonly eng: Engine;
  readonly host: MemoryHost;
  readonly exec: FakeExecDriver;
  readonly driver: FakeGraphDriver;
  /** `action name` of each event. */
  readonly events: string[];
  /** Runs a job; its standard output. */
  run(name: string, args: string[], env?: Record<string, unknown>, prepare?: (job: Job) => void): Promise<string>;
  /** Makes a container; its id. */
  create(config?: Record<string, unknown>, name?: string): Promise<string>;
  /** Makes a container and starts it. */
  start(config?: Record<string, unknown>, name?: string): Promise<{ id: string; process: FakeProcess }>;
}

/** Settings as the flags' defaults, without a network. */
export function daemonConfig(given: Partial<DaemonConfig> = {}): DaemonConfig {
  return {
    pidfile: "/run/docker.pid",
    root: "/root",
    autoRestart: true,
    dns: [],
    dnsSearch: [],
    enableIptables: false,
    enableIpForward: false,
    enableIpMasq: false,
    defaultIp: "0.0.0.0",
    bridgeIface: "none",
    bridgeIP: "",
    fixedCIDR: "",
    interContainerCommunication: true,
    graphDriver: "vfs",
    graphOptions: [],
    execDriver: "native",
    mtu: 1500,
    disableNetwork: true,
    enableSelinuxSupport: false,
    mirrors: [],
    insecureRegistries: [],
    ...given,
  };
}

/** @param imageConfig - what the image brings along */
export async function fixture(
  options: { config?: Partial<DaemonConfig>; imageConfig?: Partial<Config>; host?: MemoryHost } = {},
): Promise<Fixture> {
  const host =
    options.host ??
    memoryHost({ files: { "/etc/resolv.conf": "nameserver 10.0.0.1\nsearch a.b\n", "/root/containers": null } });
  const eng = new Engine(host);
  eng.logging = false;
  const driver = new FakeGraphDriver(host.fs);
  const exec = new FakeExecDriver();
  const image = { id: imageId, config: newConfig(options.imageConfig), checkDepth: async () => undefined };
  await driver.create(imageId);
  const events: string[] = [];
  eng.register("log", (job) => {
    const attributes = job.getenvJson<Record<string, string>>("attributes") ?? {};
    const code = attributes["exitCode"] === undefined ? "" : ` ${attributes["exitCode"]}`;
    events.push(`${job.args[0]} ${attributes["name"]}${code}`);
  });
  const config = daemonConfig(options.config);
  await host.fs.mkdir(`${config.root}/containers`, { recursive: true });
  const daemon = new Daemon({
    config,
    eng,
    host,
    log: new Logger(host),
    driver: driver as unknown as GraphDriver,
    graph: {
      hold: () => undefined,
      release: () => undefined,
      isNotExist: () => false,
      ids: () => [imageId],
      async removeOrphans(keep: ReadonlySet<string>) {
        for (const id of await driver.ids()) if (id !== imageId && !keep.has(id)) await driver.remove(id);
        return [];
      },
    } as unknown as Graph,
    repositories: {
      lookupImage: async (name: string) => {
        if (name === "busybox") return image;
        throw new NoSuchError("id", name);
      },
      imageName: () => "busybox:latest",
      install: () => undefined,
    } as unknown as TagStore,
    volumes: await VolumeStore.open(config.root, host),
    containerGraph: await newSqliteConn(":memory:", host),
    sysInfo: { memoryLimit: true, swapLimit: true, ipv4ForwardingDisabled: false, appArmor: false },
    execDriver: exec,
    netnsRoot: "/run/drydock/x/netns",
  });
  daemon.install(eng);

  const run: Fixture["run"] = async (name, args, env = {}, prepare) => {
    const job = eng.job(name, ...args);
    job.importEnv(env);
    const out = new BufferWriter();
    job.stdout.add(out);
    prepare?.(job);
    await job.run();
    return out.toString();
  };
  const create: Fixture["create"] = async (given = {}, name = "") =>
    (await run("create", name === "" ? [] : [name], { Image: "busybox", Cmd: ["true"], ...given })).trim();
  return {
    daemon,
    eng,
    host,
    exec,
    driver,
    events,
    run,
    create,
    async start(given, name) {
      const id = await create(given, name);
      const next = exec.next();
      await run("start", [id]);
      return { id, process: await next };
    },
  };
}

/** Lets everything that is ready to run, run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}
