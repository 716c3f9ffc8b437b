/**
 * The host the daemon and the client run on: this Linux machine.
 *
 * Making one costs nothing: every part is loaded when it is first touched, so a client that only opens a socket pays
 * for neither koffi nor `node:http`.
 *
 * @module
 */

import { arch, availableParallelism, hostname, release } from "node:os";
import { resolve } from "node:path";
import type { Hasher, Host, Machine, Signals } from "../host.ts";
import type { WorkerPool } from "../pool.ts";
import { linuxClock } from "./clock.ts";
import { linuxExec } from "./exec.ts";
import { linuxFiles } from "./files.ts";
import { linuxKernel } from "./kernel.ts";
import { builtin } from "./lazy.ts";
import { linuxNet } from "./net.ts";
import { ThreadPool } from "./pool.ts";
import { standardInput, standardOutput } from "./streams.ts";
import { LinuxTerminal } from "./terminal.ts";

/** Node's names of processors → Go's. */
const GOARCH: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };

const machine: Machine = {
  os: process.platform,
  arch: GOARCH[arch()] ?? arch(),
  get kernelRelease() {
    return release();
  },
  get hostname() {
    return hostname();
  },
  get cpus() {
    return availableParallelism();
  },
  pid: process.pid,
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  runtime: `node${process.versions.node}`,
  execPath: resolve(process.argv[1] ?? process.execPath),
};

const signals: Signals = {
  on(name, handler) {
    const listener = () => handler();
    process.on(name, listener);
    return () => void process.off(name, listener);
  },
  exit: (code) => process.exit(code),
};

/** Settings of {@link linuxHost}. */
export interface LinuxHostOptions {
  /** The environment; default: this process's own. */
  readonly env?: Record<string, string | undefined>;
  /** Script of the threads that unpack; default: `unpack-worker.cjs` beside the bundle. */
  readonly unpackWorker?: string;
}

/** Makes the host. Needs no privileges by itself; calls that do fail with `EPERM` when they are made. */
export function linuxHost(options: LinuxHostOptions = {}): Host {
  const env = options.env ?? process.env;
  let pool: WorkerPool | undefined;
  return {
    fs: linuxFiles,
    clock: linuxClock,
    random: { bytes: (size) => builtin("crypto").randomBytes(size) },
    exec: linuxExec(env),
    kernel: linuxKernel,
    net: linuxNet,
    machine,
    signals,
    env,
    stdin: standardInput(),
    stdout: standardOutput(1),
    stderr: standardOutput(2),
    terminal: new LinuxTerminal(1, () => process.stdout),
    hash(algorithm) {
      const hash = builtin("crypto").createHash(algorithm);
      const hasher: Hasher = {
        update(chunk) {
          hash.update(chunk);
          return hasher;
        },
        hex: () => hash.digest("hex"),
      };
      return hasher;
    },
    get pool() {
      pool ??= new ThreadPool({
        workers: availableParallelism(),
        ...(options.unpackWorker === undefined ? {} : { script: options.unpackWorker }),
      });
      return pool;
    },
  };
}
