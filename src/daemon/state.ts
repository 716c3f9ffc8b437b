/**
 * Whether a container runs, and how it ended last.
 *
 * @origin daemon/state.go
 * @module
 */

import type { Clock } from "../host/clock.ts";
import { humanDuration } from "../pkg/units/duration.ts";
import { type Deferred, deferred } from "../sync/deferred.ts";
import { parseRfc3339, rfc3339Nano, ZERO_TIME } from "../utils/go-time.ts";

/** Disk and wire shape, keys in 1.2.0's order. */
export interface StateJson {
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  Pid: number;
  ExitCode: number;
  StartedAt: string;
  FinishedAt: string;
  /** The signal that ended the process; only on disk and for clients of today, absent when there was none. */
  ExitSignal?: number;
}

/**
 * The state of one container.
 *
 * Changes happen in memory at once and wake whoever waits; writing them to disk is the container's business.
 *
 * @origin daemon/state.go State
 */
export class State {
  running = false;
  paused = false;
  /** Between two runs of a restart policy; {@link running} is true as well. */
  restarting = false;
  pid = 0;
  exitCode = 0;
  exitSignal: number | undefined;
  startedAt = ZERO_TIME;
  finishedAt = ZERO_TIME;
  readonly #clock: Pick<Clock, "now" | "nowNs">;
  #change: Deferred<void> = deferred();
  #exit: Deferred<void> = deferred();
  #stop: Deferred<void> = deferred();

  constructor(clock: Pick<Clock, "now" | "nowNs">) {
    this.#clock = clock;
  }

  /** The process runs. @origin daemon/state.go SetRunning */
  setRunning(pid: number): void {
    this.running = true;
    this.paused = false;
    this.restarting = false;
    this.exitCode = 0;
    this.exitSignal = undefined;
    this.pid = pid;
    this.startedAt = rfc3339Nano(this.#clock.nowNs());
    this.#change = renew(this.#change);
  }

  /**
   * The process ended and will not run again by itself.
   *
   * @origin daemon/state.go SetStopped
   * @deviation A container that ended is not paused either; 1.2.0 leaves the mark.
   */
  setStopped(exitCode: number, signal?: number): void {
    this.running = false;
    this.paused = false;
    this.#ended(exitCode, signal);
    this.#stop = renew(this.#stop);
  }

  /** The process ended and will run again. @origin daemon/state.go SetRestarting */
  setRestarting(exitCode: number, signal?: number): void {
    // Counts as running, because of all that asks before a stop, a removal and so on.
    this.running = true;
    this.#ended(exitCode, signal, true);
  }

  #ended(exitCode: number, signal: number | undefined, restarting = false): void {
    this.restarting = restarting;
    this.pid = 0;
    this.finishedAt = rfc3339Nano(this.#clock.nowNs());
    this.exitCode = exitCode;
    this.exitSignal = signal;
    this.#change = renew(this.#change);
    this.#exit = renew(this.#exit);
  }

  /**
   * Waits for the next change, unless the container does not run.
   *
   * @origin daemon/state.go WaitStop
   */
  async waitStop(): Promise<number> {
    if (this.running) await this.#change.promise;
    return this.exitCode;
  }

  /** Waits until the container runs no more, restarts included. */
  async waitNotRunning(): Promise<number> {
    while (this.running) await this.#stop.promise;
    return this.exitCode;
  }

  /** Waits for the next end of the process, also when it has not started yet. */
  async waitNextExit(): Promise<number> {
    await this.#exit.promise;
    return this.exitCode;
  }

  /** The exit code as a shell tells it: 128 and the number of the signal. */
  get shellExitCode(): number {
    return this.exitSignal === undefined ? this.exitCode : 128 + this.exitSignal;
  }

  /** `Up 3 seconds`, `Exited (0) 2 minutes ago`. @origin daemon/state.go String */
  toString(): string {
    return this.describe(this.exitCode);
  }

  /** The same with an exit code of the caller's choice. */
  describe(exitCode: number): string {
    if (this.running) {
      if (this.paused) return `Up ${this.#since(this.startedAt)} (Paused)`;
      if (this.restarting) return `Restarting (${exitCode}) ${this.#since(this.finishedAt)} ago`;
      return `Up ${this.#since(this.startedAt)}`;
    }
    if (this.finishedAt === ZERO_TIME) return "";
    return `Exited (${exitCode}) ${this.#since(this.finishedAt)} ago`;
  }

  #since(time: string): string {
    // Never negative: the wall clock may have been set back.
    return humanDuration(Math.max(0, this.#clock.now() - Number(parseRfc3339(time) / 1_000_000n)));
  }

  /** @param extended - with what 1.2.0 does not know */
  toJson(extended: boolean): StateJson {
    return {
      Running: this.running,
      Paused: this.paused,
      Restarting: this.restarting,
      Pid: this.pid,
      ExitCode: this.exitCode,
      StartedAt: this.startedAt,
      FinishedAt: this.finishedAt,
      ...(extended && this.exitSignal !== undefined ? { ExitSignal: this.exitSignal } : {}),
    };
  }

  /** Takes what was on disk; a field of another type counts as absent. */
  load(json: Partial<Record<keyof StateJson, unknown>>): void {
    this.running = json.Running === true;
    this.paused = json.Paused === true;
    this.restarting = json.Restarting === true;
    this.pid = number(json.Pid);
    this.exitCode = number(json.ExitCode);
    this.exitSignal = typeof json.ExitSignal === "number" ? json.ExitSignal : undefined;
    this.startedAt = time(json.StartedAt);
    this.finishedAt = time(json.FinishedAt);
  }
}

function renew(before: Deferred<void>): Deferred<void> {
  before.resolve();
  return deferred();
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function time(value: unknown): string {
  if (typeof value !== "string") return ZERO_TIME;
  try {
    parseRfc3339(value);
    return value;
  } catch {
    return ZERO_TIME;
  }
}
