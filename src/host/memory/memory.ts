/**
 * A world in memory: files, time, chance, programs and signals that a test or a web page holds in its hand.
 *
 * @module
 */

import type { DirectoryJSON, Volume } from "memfs";
import type { Writer } from "../../sync/io.ts";
import type { Hasher, Host, Machine } from "../host.ts";
import type { Net } from "../net.ts";
import type { WorkerPool } from "../pool.ts";
import { ManualClock } from "./clock.ts";
import { type Answer, RecordedExec } from "./exec.ts";
import { memoryFiles, memorySyncFiles } from "./files.ts";
import { pureHash } from "./hash.ts";
import { MemoryKernel } from "./kernel.ts";
import { MountedVolume } from "./mounted-volume.ts";
import { MountTable } from "./mounts.ts";
import { MemoryNet } from "./net.ts";
import { MemoryPool } from "./pool.ts";
import { CapturedStream, MemorySignals, MemoryTerminal, memoryInput, SeededRandom } from "./process.ts";
import { cp } from "./programs.ts";
import { memoryVolume } from "./volume.ts";

/** How the world begins; everything has a default. */
export interface MemoryHostOptions {
  /** Files by path; `null` is an empty directory. */
  files?: DirectoryJSON;
  /** Milliseconds since 1970; default: 2014-08-20 20:20:14 UTC, the day of Docker 1.2.0. */
  now?: number;
  seed?: number;
  /** Programs by name, beside cp(1). */
  exec?: Readonly<Record<string, Answer>>;
  env?: Record<string, string | undefined>;
  machine?: Partial<Machine>;
  stdin?: Uint8Array | string;
  /** Whether the standard streams are a terminal (of 80 × 24). */
  terminal?: boolean;
  /** Parts of the network that replace {@link MemoryHost.network}; what neither has fails with its name. */
  net?: Partial<Net>;
  /** Answers every HTTP request. */
  fetch?: Net["fetch"];
  /** Default: hashes in TypeScript alone, which a web page has, too. */
  hash?: (algorithm: "sha256" | "sha1" | "md5") => Hasher;
  /** Default: layers are unpacked into {@link MemoryHost.volume}. */
  pool?: Partial<WorkerPool>;
}

/** A host whose parts can be looked into and moved. */
export interface MemoryHost extends Host {
  readonly volume: Volume;
  readonly clock: ManualClock;
  readonly exec: RecordedExec;
  readonly kernel: MemoryKernel;
  /** Sockets that lead from one part of this world to another. */
  readonly network: MemoryNet;
  readonly signals: MemorySignals;
  readonly terminal: MemoryTerminal;
  readonly stdout: CapturedStream;
  readonly stderr: CapturedStream;
}

const MACHINE: Machine = {
  os: "linux",
  arch: "amd64",
  kernelRelease: "3.16.0",
  hostname: "memory",
  cpus: 2,
  pid: 4242,
  uid: 0,
  gid: 0,
  runtime: "memory",
  execPath: "/usr/bin/docker",
};

/** Fills what is given up with functions that fail with their own name. */
function partial<T extends object>(given: Partial<T>, names: readonly (keyof T & string)[], what: string): T {
  const whole: Record<string, unknown> = {};
  for (const name of names) {
    whole[name] =
      given[name] ??
      (() => {
        throw new Error(`Cannot call ${name}(): the memory host has no ${what}`);
      });
  }
  return whole as T;
}

/** Makes a world of its own: nothing in it touches the machine. */
export function memoryHost(options: MemoryHostOptions = {}): MemoryHost {
  const volume = memoryVolume(options.files ?? {});
  const exec = new RecordedExec({ cp: cp(volume), ...options.exec });
  const hash = options.hash ?? pureHash;
  const terminal = options.terminal ?? false;
  const netNames: (keyof Net)[] = [
    "createHttpServer",
    "listen",
    "dial",
    "fetch",
    "createNetns",
    "removeNetns",
    "links",
    "forwardPort",
  ];
  const clock = new ManualClock(options.now ?? Date.UTC(2014, 7, 20, 20, 20, 14));
  const now = () => clock.now();
  const kernel = new MemoryKernel(new MountTable(volume, now));
  const mounted = new MountedVolume(volume, kernel.table, now, () => kernel.currentUmask);
  const machine = { ...MACHINE, ...options.machine };
  const network = new MemoryNet({ volume, clock, machine });
  const { createHttpServer, listen, dial } = network;
  const fetch = options.fetch === undefined ? {} : { fetch: options.fetch };
  const fs = memoryFiles(volume, mounted);
  const files = { fs: memorySyncFiles(volume, mounted), files: fs };
  return {
    volume,
    fs,
    clock,
    random: new SeededRandom(options.seed ?? 1),
    exec,
    kernel,
    network,
    net: partial<Net>({ createHttpServer, listen, dial, ...options.net, ...fetch }, netNames, "network of this kind"),
    machine,
    signals: new MemorySignals(),
    env: { ...options.env },
    stdin: memoryInput(options.stdin ?? "", terminal),
    stdout: new CapturedStream(terminal),
    stderr: new CapturedStream(terminal),
    terminal: new MemoryTerminal(terminal ? { height: 24, width: 80 } : undefined),
    hash,
    pool: Object.assign(new MemoryPool({ ...files, kernel, machine, exec, hash }), options.pool),
  };
}

/** Sends both output streams of a host to one writer, in the order of the writes, as `2>&1` does. */
export function tee(host: MemoryHost, into: Writer): void {
  for (const stream of [host.stdout, host.stderr]) {
    const write = stream.write.bind(stream);
    stream.write = (chunk) => {
      write(chunk);
      void into.write(chunk);
    };
  }
}
