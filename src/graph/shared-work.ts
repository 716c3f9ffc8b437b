/**
 * Work that several callers wait for, done once.
 *
 * Each gets the same result, good or bad. One who goes away leaves the others alone; when the last has gone, the work is
 * told to stop.
 *
 * @module
 */

/** What a waiting client of 1.2.0 was a closed channel for. */
export class SharedWork<T> {
  readonly #stop = new AbortController();
  readonly #result: Promise<T>;
  #users = 0;
  #settled = false;

  /** Starts at once. @param work - gets a signal that says that nobody waits any more */
  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#result = work(this.#stop.signal);
    const settle = () => {
      this.#settled = true;
    };
    // A failure nobody waited for any more is not an unhandled one.
    this.#result.then(settle, settle);
  }

  /** Whether it has been told to stop, and is no good for newcomers. */
  get stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** The end of the work, well or badly. */
  async ended(): Promise<void> {
    await this.#result.then(
      () => undefined,
      () => undefined,
    );
  }

  /** Counts one more user until the returned function is called. */
  enter(): () => void {
    this.#users++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#users--;
      if (this.#users === 0 && !this.#settled) this.#stop.abort(new Error("the client went away"));
    };
  }

  /** The result, as it is or will be. */
  result(): Promise<T> {
    return this.#result;
  }

  /**
   * Waits for the result.
   *
   * @param signal - the caller goes away
   * @throws the work's failure, or the signal's reason
   */
  async join(signal?: AbortSignal): Promise<T> {
    const leave = this.enter();
    try {
      if (signal === undefined) return await this.#result;
      return await raceAbort(this.#result, signal);
    } finally {
      leave();
    }
  }
}

/** The promise's outcome, unless the signal comes first. */
export async function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (abort !== undefined) signal.removeEventListener("abort", abort);
  }
}
