/**
 * A job: one piece of work of the engine, shaped like a Unix process.
 *
 * It has a name, arguments, an environment, three streams and an exit status; what it does is decided by the handler that
 * is registered under its name.
 *
 * @origin engine/job.go
 * @article 001/5.5.3
 * @module
 */

import { EngineError, messageOf } from "../errdefs/errdefs.ts";
import type { Engine } from "./engine.ts";
import { Env } from "./env.ts";
import { Input, Output } from "./streams.ts";

/** Exit statuses with a meaning of their own; a handler may return others. */
export const Status = { OK: 0, ERR: 1, NOT_FOUND: 127 } as const;
export type Status = number;

/**
 * What a job does. Throwing is the same as `return job.error(cause)`; returning nothing is success.
 *
 * @origin engine/engine.go Handler
 * @article 001/5.2
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that says nothing succeeds, async or not
export type Handler = (job: Job) => Promise<Status | void> | Status | void;

/** A job that failed. The message is the last line it wrote to its standard error. */
export class JobError extends EngineError {
  readonly statusCode: number;

  /** @param options - `cause`: what the handler threw; its HTTP status becomes this one's */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.statusCode = options?.cause instanceof EngineError ? options.cause.statusCode : 500;
  }
}

/** Not counted among the running jobs: it never ends by itself, and shutdown would wait for it in vain. */
const ENDLESS = "serveapi";

/** @origin engine/job.go Job */
export class Job {
  readonly eng: Engine;
  readonly name: string;
  readonly args: string[];
  readonly stdout = new Output();
  readonly stderr = new Output();
  readonly stdin = new Input();
  readonly #env = new Env();
  readonly #handler: Handler | undefined;
  #status: Status = Status.OK;
  #ended = false;
  #cause: unknown;
  #signal: AbortSignal | undefined;

  /** Jobs are made by {@link Engine.job}. */
  constructor(eng: Engine, name: string, args: string[], handler: Handler | undefined) {
    this.eng = eng;
    this.name = name;
    this.args = args;
    this.#handler = handler;
  }

  /** Aborted when the caller went away: work for nobody may stop. */
  get signal(): AbortSignal {
    // Made when asked for: few handlers do. Each job has its own, so that listeners do not pile up on a shared one.
    this.#signal ??= new AbortController().signal;
    return this.#signal;
  }

  /**
   * Runs the handler and waits for its end; then the streams are closed, standard output first.
   *
   * @param options - `signal`: says that the caller went away
   * @throws {JobError} when the job fails, with the last line of its standard error as message
   * @origin engine/job.go (*Job).Run
   * @article 001/5.5.3
   */
  run(options?: { signal?: AbortSignal | undefined }): Promise<void> {
    if (this.eng.isShutdown()) return Promise.reject(new JobError("engine is shutdown"));
    if (options?.signal !== undefined) this.#signal = options.signal;
    return this.name === ENDLESS ? this.#run() : this.eng.track(() => this.#run());
  }

  async #run(): Promise<void> {
    if (this.#ended) throw new JobError(`${this.name}: job has already completed`);
    this.eng.logf(`+job ${this.callString()}`);
    try {
      const lastLine = this.stderr.addTail(1);
      if (this.#handler === undefined) {
        this.errorf(`${this.name}: command not found`);
        this.#status = Status.NOT_FOUND;
      } else {
        this.#status = await this.#call(this.#handler);
        this.#ended = true;
      }
      try {
        await this.stdout.close();
        await this.stderr.close();
        await this.stdin.close();
      } catch (cause) {
        throw new JobError(messageOf(cause), { cause });
      }
      if (this.#status !== Status.OK) throw new JobError(lastLine(), { cause: this.#cause });
    } finally {
      this.eng.logf(`-job ${this.callString()}${this.statusString()}`);
    }
  }

  async #call(handler: Handler): Promise<Status> {
    try {
      return (await handler(this)) ?? Status.OK;
    } catch (cause) {
      return this.error(cause);
    }
  }

  /** `pull(busybox, latest)` */
  callString(): string {
    return `${this.name}(${this.args.join(", ")})`;
  }

  /** ` = OK (0)`, ` = ERR (1)`; empty while the job has not ended, and for ever when it has no handler. */
  statusString(): string {
    if (!this.#ended) return "";
    return ` = ${this.#status === Status.OK ? "OK" : "ERR"} (${this.#status})`;
  }

  /** `b4c4aeb4.ok(a, b) = OK (0)` */
  toString(): string {
    return `${this.eng}.${this.callString()}${this.statusString()}`;
  }

  /** The exit status; 0 until the job has ended. */
  statusCode(): Status {
    return this.#status;
  }

  /** The environment itself. */
  env(): Env {
    return this.#env;
  }

  /** @see Env.exists */
  envExists(key: string): boolean {
    return this.#env.exists(key);
  }

  /** @see Env.get */
  getenv(key: string): string {
    return this.#env.get(key);
  }

  /** @see Env.getBool */
  getenvBool(key: string): boolean {
    return this.#env.getBool(key);
  }

  /** @see Env.getInt */
  getenvInt(key: string): number {
    return this.#env.getInt(key);
  }

  /** @see Env.getInt64 */
  getenvInt64(key: string): bigint {
    return this.#env.getInt64(key);
  }

  /** @see Env.getList */
  getenvList(key: string): string[] | undefined {
    return this.#env.getList(key);
  }

  /** @see Env.getSubEnv */
  getenvSubEnv(key: string): Env | undefined {
    return this.#env.getSubEnv(key);
  }

  /** @see Env.getJson */
  getenvJson<T>(key: string): T | undefined {
    return this.#env.getJson<T>(key);
  }

  /** @see Env.set */
  setenv(key: string, value: string): void {
    this.#env.set(key, value);
  }

  /** @see Env.setBool */
  setenvBool(key: string, value: boolean): void {
    this.#env.setBool(key, value);
  }

  /** @see Env.setInt */
  setenvInt(key: string, value: number | bigint): void {
    this.#env.setInt(key, value);
  }

  /** @see Env.setList */
  setenvList(key: string, value: readonly string[] | undefined): void {
    this.#env.setList(key, value);
  }

  /** @see Env.setSubEnv */
  setenvSubEnv(key: string, value: Env): void {
    this.#env.setSubEnv(key, value);
  }

  /** @see Env.setJson */
  setenvJson(key: string, value: unknown): void {
    this.#env.setJson(key, value);
  }

  /** @see Env.decode */
  decodeEnv(text: string | Uint8Array): void {
    this.#env.decode(text);
  }

  /** @see Env.encode */
  encodeEnv(): string {
    return this.#env.encode();
  }

  /** @see Env.import */
  importEnv(source: unknown): void {
    this.#env.import(source);
  }

  /** @see Env.map */
  environ(): Map<string, string> {
    return this.#env.map();
  }

  /** Writes to standard output. @throws what a destination throws: the reader may be gone */
  printf(text: string): Promise<void> {
    return this.stdout.write(text);
  }

  /** Writes a line that begins with the job's own name to standard error. */
  logf(text: string): void {
    this.#complain(`[${this}] ${text.replace(/\n+$/, "")}\n`);
  }

  /** Writes a message to standard error and gives the status to return. A newline is added unless there is one. */
  errorf(text: string): Status {
    this.#complain(text.endsWith("\n") ? text : `${text}\n`);
    return Status.ERR;
  }

  /** Writes a failure to standard error, keeps it as the cause, and gives the status to return. */
  error(cause: unknown): Status {
    this.#cause = cause;
    this.#complain(`${messageOf(cause)}\n`);
    return Status.ERR;
  }

  /** A reader of the errors that is gone must not turn an error into another one. */
  #complain(text: string): void {
    this.stderr.write(text).catch(() => undefined);
  }
}
