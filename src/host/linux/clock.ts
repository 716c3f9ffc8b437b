/**
 * Real time.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** Nanoseconds since 1970 when the monotonic clock was zero. Node knows the time of its start to the microsecond. */
let epochNs = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6)) - process.hrtime.bigint();

/** How far the two clocks may be apart before the wall clock must have been set; it is read in milliseconds. */
const TOLERANCE_NS = 2_000_000n;

/** Node's timers take 31 bits, 24 days: a longer one would ring at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. */
export const linuxClock: Clock = {
  now: () => Date.now(),
  nowNs() {
    // Date has milliseconds only: the monotonic clock fills in the rest, as long as the two agree.
    const monotonic = process.hrtime.bigint();
    const wall = BigInt(Date.now()) * 1_000_000n;
    const drift = epochNs + monotonic - wall;
    if (drift > TOLERANCE_NS || drift < -TOLERANCE_NS) epochNs = wall - monotonic;
    return epochNs + monotonic;
  },
  monotonicMs: () => performance.now(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      let timer: NodeJS.Timeout;
      const wait = (left: number) => {
        timer = setTimeout(
          () => {
            if (left > MAX_TIMER_MS) return wait(left - MAX_TIMER_MS);
            signal?.removeEventListener("abort", stop);
            resolve();
          },
          Math.min(left, MAX_TIMER_MS),
        );
      };
      wait(ms);
      signal?.addEventListener("abort", stop, { once: true });
    });
  },
};
