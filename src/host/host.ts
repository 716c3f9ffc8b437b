/**
 * The world outside the engine, as one interface.
 *
 * Files, clock, random, processes, kernel calls, listeners and `fetch` reach the engine only through here; a function
 * takes `Pick<Host, "fs" | …>` of what it touches. `linux/` is the real thing, `memory/` lets every chapter run without
 * root, without Linux and in a browser page.
 *
 * @module
 */

import type nodeFs from "node:fs/promises";
import type { Reader, Writer } from "../sync/io.ts";
import type { Clock } from "./clock.ts";
import type { Kernel } from "./kernel.ts";
import type { Net } from "./net.ts";
import type { Terminal } from "./terminal.ts";

/** The calls of `node:fs/promises` the engine needs; the promises API of memfs has them too. */
export type FileSystem = Pick<
  typeof nodeFs,
  | "access"
  | "appendFile"
  | "chmod"
  | "chown"
  | "copyFile"
  | "lchown"
  | "link"
  | "lstat"
  | "lutimes"
  | "mkdir"
  | "mkdtemp"
  | "open"
  | "readFile"
  | "readdir"
  | "readlink"
  | "realpath"
  | "rename"
  | "rm"
  | "rmdir"
  | "stat"
  | "statfs"
  | "symlink"
  | "truncate"
  | "unlink"
  | "utimes"
  | "writeFile"
>;

/** Unpredictable bytes (predictable ones in the memory host). */
export interface Random {
  bytes(size: number): Buffer;
}

/** A running hash. */
export interface Hasher {
  update(chunk: Uint8Array | string): this;
  /** Ends the hash. */
  hex(): string;
}

/** How a finished process ended. Exactly one of `code` and `signal` is set. */
export interface ExecResult {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** What a process gets besides its arguments. */
export interface ExecOptions {
  /** The whole environment; default: PATH only. Never pass an image's environment. */
  env?: Record<string, string>;
  cwd?: string;
  /** Written to its standard input, which is /dev/null otherwise. */
  input?: Uint8Array | string | Reader;
  /** Kills the process when aborted. */
  signal?: AbortSignal;
  /** Whether all that the process has started is killed with it. It has no terminal then. */
  group?: boolean;
  /**
   * Descriptors for its standard streams instead of captured ones; `"ignore"` is /dev/null. A captured stream shows up
   * in {@link ExecResult}.
   */
  stdio?: readonly (number | "ignore" | "capture")[];
}

/** Other programs. */
export interface Exec {
  /** Runs a program to its end. @throws an `ENOENT` error when there is no such program */
  run(command: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Streams a program's output while feeding its input: decompressors. Throws at the end if it failed, with its stderr. */
  pipe(command: string, args: readonly string[], input: Reader): Reader;
  /** The absolute path of a program found on PATH. */
  lookPath(command: string): Promise<string | undefined>;
}

/** What the machine is. */
export interface Machine {
  /** `linux`, as Go's GOOS. */
  readonly os: string;
  /** `amd64`, `arm64`, …: Go's GOARCH. */
  readonly arch: string;
  /** `uname -r`. */
  readonly kernelRelease: string;
  readonly hostname: string;
  readonly cpus: number;
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** Version of the runtime, as the `GoVersion` field reports it (`node20.20.2`). */
  readonly runtime: string;
  /** Absolute path of the program that runs, and what starts it again. */
  readonly execPath: string;
}

/** Signals to this process, and its end. */
export interface Signals {
  /** Calls `handler` for each arrival of `name` (`SIGTERM`); the default action no longer happens. */
  on(name: string, handler: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): never;
}

/** Everything at once; take `Pick<Host, …>` of what you really use. */
export interface Host {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly exec: Exec;
  readonly kernel: Kernel;
  readonly net: Net;
  readonly machine: Machine;
  readonly signals: Signals;
  /** The environment; written by the daemon too (`TMPDIR`). */
  readonly env: Record<string, string | undefined>;
  readonly stdin: Reader & { readonly isTerminal: boolean };
  readonly stdout: Writer & { readonly isTerminal: boolean };
  readonly stderr: Writer & { readonly isTerminal: boolean };
  /** The terminal a command was started from. */
  readonly terminal: Terminal;
  /** Starts a hash: `sha256`, `sha1`, `md5`. */
  hash(algorithm: "sha256" | "sha1" | "md5"): Hasher;
  /** Runs heavy synchronous work (unpacking layers) off the event loop; see `pool.ts`. */
  readonly pool: import("./pool.ts").WorkerPool;
}
