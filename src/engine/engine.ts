/**
 * The engine: handlers under names, and jobs that run them.
 *
 * It knows nothing of Docker. Each part of the daemon installs its handlers here and reaches the others by the names of
 * their jobs; the engine keeps count of what runs, writes one line when a job begins and one when it ends, and shuts
 * everything down in order.
 *
 * @origin engine/engine.go
 * @article 001/5.2
 * @module
 */

import { messageOf } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { Reader, Writer } from "../sync/io.ts";
import { TaskGroup } from "../sync/task-group.ts";
import { compareBytes } from "../utils/go-json.ts";
import { Hack } from "./hack.ts";
import { type JobResponse, serveHTTP } from "./http.ts";
import { type Handler, Job } from "./job.ts";

/**
 * A part of the daemon that adds its handlers to an engine.
 *
 * @origin engine/engine.go Installer
 * @article 001/5.4
 */
export interface Installer {
  /** @throws when one of its names is taken */
  install(engine: Engine): void;
}

const globalHandlers = new Map<string, Handler>();

/**
 * Adds a handler to every engine made from now on.
 *
 * @returns takes it back
 * @throws when the name is taken
 * @origin engine/engine.go Register
 */
export function register(name: string, handler: Handler): () => void {
  if (globalHandlers.has(name)) throw new Error(`Can't overwrite global handler for command ${name}`);
  globalHandlers.set(name, handler);
  return () => {
    globalHandlers.delete(name);
  };
}

/** Limits of {@link Engine.shutdown}: running jobs, then the callbacks. */
const JOBS_TIMEOUT_MS = 5_000;
const CALLBACKS_TIMEOUT_MS = 10_000;

/** @origin engine/engine.go Engine */
export class Engine {
  /** 64 hexadecimal digits; log lines show the first 8. */
  readonly id: string;
  /** Whether jobs are logged, and their errors repeated on the engine's standard error. */
  logging = true;
  stdin: Reader;
  stdout: Writer;
  stderr: Writer;
  readonly #handlers = new Map<string, Handler>();
  readonly #hack = new Hack();
  readonly #clock: Host["clock"];
  readonly #jobs: TaskGroup;
  readonly #onShutdown: (() => Promise<void> | void)[] = [];
  #catchall: Handler | undefined;
  #shutdown = false;

  /**
   * Makes an engine that knows `commands` and the global handlers.
   *
   * @origin engine/engine.go New
   * @article 001/5.2
   */
  constructor(host: Pick<Host, "random" | "clock" | "stdin" | "stdout" | "stderr">) {
    this.id = host.random.bytes(32).toString("hex");
    this.stdin = host.stdin;
    this.stdout = host.stdout;
    this.stderr = host.stderr;
    this.#clock = host.clock;
    this.#jobs = new TaskGroup(host.clock);
    this.register("commands", async (job) => {
      await job.printf(
        this.commands()
          .map((name) => `${name}\n`)
          .join(""),
      );
    });
    for (const [name, handler] of globalHandlers) this.#handlers.set(name, handler);
  }

  /** The first 8 digits of the id. */
  toString(): string {
    return this.id.slice(0, 8);
  }

  /** @throws when the name is taken @origin engine/engine.go (*Engine).Register */
  register(name: string, handler: Handler): void {
    if (this.#handlers.has(name)) throw new Error(`Can't overwrite handler for command ${name}`);
    this.#handlers.set(name, handler);
  }

  /** Sets the handler for names nobody registered. @origin engine/engine.go (*Engine).RegisterCatchall */
  registerCatchall(handler: Handler): void {
    this.#catchall = handler;
  }

  /** The registered names, sorted. @origin engine/engine.go (*Engine).commands */
  commands(): string[] {
    return [...this.#handlers.keys()].sort(compareBytes);
  }

  /**
   * Makes a job; it does nothing before it is run.
   *
   * @origin engine/engine.go (*Engine).Job
   * @article 001/5.5.3
   */
  job(name: string, ...args: string[]): Job {
    const handler = this.#handlers.get(name) ?? (name === "" ? undefined : this.#catchall);
    const job = new Job(this, name, args, handler);
    // Not the stream itself: closing the job's output must not close the daemon's.
    if (this.logging) job.stderr.add({ write: (chunk) => this.stderr.write(chunk) });
    return job;
  }

  /**
   * Makes a job from words: `KEY=value` goes to the environment, the first other word is the name, the rest arguments.
   * Quotes and backslashes mean nothing.
   *
   * @throws when there is no name
   * @origin engine/engine.go (*Engine).ParseJob
   */
  parseJob(text: string): Job {
    const words = text.split(/\s+/).filter((word) => word !== "");
    const [name, ...args] = words.filter((word) => !word.includes("="));
    if (name === undefined) throw new Error(`empty command: '${text}'`);
    const job = this.job(name, ...args);
    for (const word of words) {
      const equals = word.indexOf("=");
      if (equals >= 0) job.setenv(word.slice(0, equals), word.slice(equals + 1));
    }
    return job;
  }

  /**
   * Writes `[<id8>] <text>` to the engine's standard error, when it logs.
   *
   * @origin engine/engine.go (*Engine).Logf
   * @deviation Control characters are escaped: arguments come from clients, who must not forge lines or drive a terminal.
   */
  logf(text: string): void {
    if (!this.logging) return;
    const line = text.replace(/\n+$/, "").replace(/[\x00-\x1f\x7f]/g, (c) => JSON.stringify(c).slice(1, -1));
    // A log nobody reads any more must not fail the jobs.
    (async () => this.stderr.write(`[${this}] ${line}\n`))().catch(() => undefined);
  }

  /** Counts a running job until it ends, for {@link shutdown}. Only {@link Job.run} calls it. */
  track(work: () => Promise<void>): Promise<void> {
    return this.#jobs.run(work);
  }

  /** Adds a callback for {@link shutdown}. @origin engine/engine.go (*Engine).OnShutdown */
  onShutdown(callback: () => Promise<void> | void): void {
    this.#onShutdown.push(callback);
  }

  /** Whether the engine is shut down or about to be. @origin engine/engine.go (*Engine).IsShutdown */
  isShutdown(): boolean {
    return this.#shutdown;
  }

  /**
   * Refuses new jobs, waits up to 5 s for those that run, then runs all callbacks side by side, up to 10 s.
   *
   * A second call returns at once.
   *
   * @origin engine/engine.go (*Engine).Shutdown
   * @article 001/5.3
   */
  async shutdown(): Promise<void> {
    if (this.#shutdown) return;
    this.#shutdown = true;
    await this.#jobs.drain(JOBS_TIMEOUT_MS);
    const callbacks = new TaskGroup(this.#clock);
    for (const callback of this.#onShutdown) {
      callbacks
        .run(async () => callback())
        .catch((cause: unknown) => this.logf(`Cannot run a shutdown callback: ${messageOf(cause)}`));
    }
    await callbacks.drain(CALLBACKS_TIMEOUT_MS);
  }

  /** @see serveHTTP */
  serveHTTP(response: JobResponse, request: { url?: string }, signal?: AbortSignal): Promise<void> {
    return serveHTTP(this, response, request, signal);
  }

  /** Leaves a value for other parts. @see Hack */
  hackSetGlobalVar(key: string, value: unknown): void {
    this.#hack.set(key, value);
  }

  /** A value other parts left. @see Hack */
  hackGetGlobalVar(key: string): unknown {
    return this.#hack.get(key);
  }
}
