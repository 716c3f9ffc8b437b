/**
 * Time, so that a test can hold it still.
 *
 * @module
 */

/** Everything the engine knows about time. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  /** Wall clock, nanoseconds since 1970: what Go's `time.Now()` prints as RFC3339Nano. */
  nowNs(): bigint;
  /** Monotonic milliseconds: for measuring how long something took. */
  monotonicMs(): number;
  /**
   * Waits.
   *
   * @param ms - milliseconds
   * @throws the signal's reason, when it is aborted first
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
