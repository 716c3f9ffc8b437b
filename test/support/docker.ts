/**
 * The program inside the test's own process: its streams, its clock and its terminal are the test's.
 */

import nodeFs from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { main } from "../../src/docker/docker.ts";
import type { FileSystem, Host } from "../../src/host/host.ts";
import { linuxNet } from "../../src/host/linux/net.ts";
import type { TerminalSize } from "../../src/host/terminal.ts";
import { BufferWriter, type Reader } from "../../src/sync/io.ts";

/** What the program meets. */
export interface World {
  readonly env?: Record<string, string>;
  readonly stdin?: Reader | string;
  /** Size of the terminal behind standard output; none: no terminal. */
  readonly terminal?: TerminalSize;
  /** Parts of the host that are the test's own. */
  readonly host?: Partial<Host>;
}

/** What the program did. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs; everything a test can do to it meanwhile. */
export class RunningProgram {
  readonly out = new BufferWriter();
  readonly err = new BufferWriter();
  /** Modes the terminal was put in, and restored from, in order. */
  readonly modes: string[] = [];
  size: TerminalSize | undefined;
  readonly outcome: Promise<Outcome>;
  readonly #signals = new Map<string, Set<() => void>>();
  readonly #resized = new Set<() => void>();

  constructor(args: readonly string[], world: World) {
    this.size = world.terminal;
    const host = this.#host(world);
    this.outcome = main(args, host, {
      argv0: "docker",
      mainDaemon: async () => void this.out.write("the daemon\n"),
    }).then((code) => ({ code, stdout: this.out.toString(), stderr: this.err.toString() }));
  }

  /** Names of the signals somebody listens to. */
  get trapped(): string[] {
    return [...this.#signals].filter(([, handlers]) => handlers.size > 0).map(([name]) => name);
  }

  /** Delivers a signal. */
  signal(name: string): void {
    for (const handler of this.#signals.get(name) ?? []) handler();
  }

  /** Changes the window. */
  resize(size: TerminalSize): void {
    this.size = size;
    for (const handler of this.#resized) handler();
  }

  #host(world: World): Host {
    const isTerminal = world.terminal !== undefined;
    const mode = (name: string) => async () => {
      this.modes.push(name);
      let left = false;
      return () => {
        if (!left) this.modes.push(`restored ${name}`);
        left = true;
      };
    };
    const parts: Partial<Host> = {
      fs: nodeFs as FileSystem,
      env: { HOME: "/nonexistent", ...world.env },
      clock: {
        now: () => Date.parse("2014-08-20T20:20:14Z"),
        nowNs: () => BigInt(Date.parse("2014-08-20T20:20:14Z")) * 1_000_000n,
        monotonicMs: () => performance.now(),
        sleep: (ms, signal) => setTimeout(ms, undefined, signal ? { signal } : {}),
      },
      net: linuxNet,
      machine: { os: "linux", arch: "amd64", runtime: "node20" } as Host["machine"],
      signals: {
        on: (name, handler) => {
          const handlers = this.#signals.get(name) ?? new Set();
          this.#signals.set(name, handlers.add(handler));
          return () => handlers.delete(handler);
        },
        exit: (code) => {
          throw new Error(`exit ${code}`);
        },
      },
      stdin: Object.assign(reader(world.stdin ?? ""), { isTerminal }),
      stdout: { isTerminal, write: (chunk) => this.out.write(chunk) },
      stderr: { isTerminal, write: (chunk) => this.err.write(chunk) },
      terminal: {
        size: () => this.size,
        onResize: (handler) => {
          this.#resized.add(handler);
          return () => this.#resized.delete(handler);
        },
        setRaw: mode("raw"),
        disableEcho: mode("quiet"),
      },
      ...world.host,
    };
    return parts as Host;
  }
}

function reader(source: Reader | string): Reader {
  if (typeof source !== "string") return source;
  return (async function* () {
    if (source !== "") yield Buffer.from(source);
  })();
}

/** Starts the program. */
export function start(args: readonly string[], world: World = {}): RunningProgram {
  return new RunningProgram(args, world);
}

/** Runs the program to its end. */
export function docker(args: readonly string[], world: World = {}): Promise<Outcome> {
  return start(args, world).outcome;
}

/** Waits until something is so; for things that happen in another task. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
