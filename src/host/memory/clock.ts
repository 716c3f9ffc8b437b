/**
 * A clock that a test moves by hand.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** A sleeper and when it is to wake up. */
interface Timer {
  readonly at: number;
  wake(): void;
}

/** Lets everything that is ready to run do so, timers of the runtime aside. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Stands still until {@link advance} is called. */
export class ManualClock implements Clock {
  #wallNs: bigint;
  #monotonic = 0;
  readonly #timers = new Set<Timer>();

  /** @param startMs - the wall clock at first, milliseconds since 1970 */
  constructor(startMs: number) {
    this.#wallNs = BigInt(Math.trunc(startMs)) * 1_000_000n;
  }

  /** How many wait in {@link sleep}. */
  get sleepers(): number {
    return this.#timers.size;
  }

  /** How long it takes until the next of them wakes up, in milliseconds. */
  get next(): number | undefined {
    const times = [...this.#timers].map(({ at }) => at);
    return times.length === 0 ? undefined : Math.min(...times) - this.#monotonic;
  }

  now(): number {
    return Number(this.#wallNs / 1_000_000n);
  }

  nowNs(): bigint {
    return this.#wallNs;
  }

  monotonicMs(): number {
    return this.#monotonic;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const stop = () => {
        this.#timers.delete(timer);
        reject(signal?.reason);
      };
      const timer: Timer = {
        at: this.#monotonic + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener("abort", stop);
          resolve();
        },
      };
      signal?.addEventListener("abort", stop, { once: true });
      this.#timers.add(timer);
    });
  }

  /**
   * Lets time pass: wakes the sleepers in order, each at its own moment, and lets what they started run.
   *
   * @param ms - milliseconds; 0 lets run what is ready
   */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#timers.delete(next);
      this.#pass(next.at - this.#monotonic);
      next.wake();
      await settle();
    }
    this.#pass(end - this.#monotonic);
    await settle();
  }

  /**
   * Lets time pass to the next sleeper and wakes it, without waiting for what it does: for those who know by themselves
   * when all is quiet.
   *
   * @returns `false` when nobody sleeps
   */
  skip(): boolean {
    const next = [...this.#timers].sort((a, b) => a.at - b.at)[0];
    if (next === undefined) return false;
    this.#timers.delete(next);
    this.#pass(next.at - this.#monotonic);
    next.wake();
    return true;
  }

  /** Sets the wall clock, as an administrator does; nothing wakes up. */
  jump(ms: number): void {
    this.#wallNs = BigInt(Math.trunc(ms)) * 1_000_000n;
  }

  #pass(ms: number): void {
    this.#monotonic += ms;
    this.#wallNs += BigInt(Math.round(ms * 1_000_000));
  }
}
