/**
 * Real time.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** Nanoseconds since 1970 at the monotonic clock's zero, refreshed when the wall clock was set. */
let epochNs = wallNs() - process.hrtime.bigint();

/** The wall clock with what the runtime offers: milliseconds. */
function wallNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

/** The machine's clock. */
export const linuxClock: Clock = {
  now: () => Date.now(),
  nowNs() {
    // Date has milliseconds only: the monotonic clock fills in the rest, as long as the two agree to the millisecond.
    const ns = epochNs + process.hrtime.bigint();
    const drift = ns - wallNs();
    if (drift >= 0n && drift < 1_000_000n) return ns;
    epochNs += drift < 0n ? -drift : 999_999n - drift;
    return epochNs + process.hrtime.bigint();
  },
  monotonicMs: () => performance.now(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    });
  },
};
