/**
 * Work that runs beside the caller and is not forgotten: what `go f()` with a `WaitGroup` was in Go.
 *
 * @module
 */

import type { Clock } from "../host/clock.ts";

/** Keeps hold of running promises until they settle. */
export class TaskGroup {
  readonly #running = new Set<Promise<unknown>>();
  readonly #clock: Pick<Clock, "sleep">;

  /** @param clock - measures the limit of {@link drain} */
  constructor(clock: Pick<Clock, "sleep">) {
    this.#clock = clock;
  }

  /** How many tasks have not settled. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * Starts `work` now and keeps it until it settles.
   *
   * @returns the work's own promise; a caller who does not need it may drop it, a failure is then ignored
   */
  run<T>(work: () => Promise<T>): Promise<T> {
    const task = work();
    this.#running.add(task);
    const done = () => this.#running.delete(task);
    task.then(done, done);
    return task;
  }

  /**
   * Waits until no task runs, or until the time is over; tasks that join meanwhile count too.
   *
   * @param timeoutMs - limit in milliseconds
   */
  async drain(timeoutMs: number): Promise<"drained" | "timeout"> {
    const stop = new AbortController();
    const timer = this.#clock.sleep(timeoutMs, stop.signal).then(
      () => "timeout" as const,
      () => "drained" as const, // aborted below: the race is already decided
    );
    const drained = (async () => {
      while (this.#running.size > 0) await Promise.allSettled(this.#running);
      return "drained" as const;
    })();
    try {
      return await Promise.race([drained, timer]);
    } finally {
      stop.abort();
    }
  }
}
