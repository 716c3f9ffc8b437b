/**
 * One critical section per key, in order of arrival: what a `sync.Mutex` around I/O was in Go.
 *
 * @module
 */

import { deferred } from "./deferred.ts";

/** Runs pieces of work one after another when they share a key, side by side when they do not. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>();

  /**
   * Runs `work` when everything that was queued under `key` before it has ended, well or badly.
   *
   * @param key - what the work must have for itself
   * @returns what `work` returns; its failure is the caller's alone
   */
  async run<T>(key: string, work: () => Promise<T> | T): Promise<T> {
    const before = this.#tails.get(key);
    const { promise, resolve } = deferred();
    this.#tails.set(key, promise);
    try {
      await before;
      return await work();
    } finally {
      resolve();
      if (this.#tails.get(key) === promise) this.#tails.delete(key);
    }
  }

  /** Whether something runs or waits under `key`. */
  busy(key: string): boolean {
    return this.#tails.has(key);
  }
}
