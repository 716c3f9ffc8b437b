/**
 * Bounded silence: an exchange in which nothing comes for too long is ended.
 *
 * @module
 */

import type { Host } from "../host/host.ts";
import { TransportError } from "./transport-error.ts";

/** Aborts an exchange that is silent for too long, or whose caller goes away. */
export class SilenceGuard {
  readonly #clock: Host["clock"];
  readonly #limitMs: number;
  readonly #stop = new AbortController();
  readonly #timer = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort = () => this.#stop.abort(this.#caller?.reason);
  /** When the wait that is going on began; `undefined` while nobody waits. */
  #since: number | undefined;
  #ended = false;
  timedOut = false;

  constructor(clock: Host["clock"], limitMs: number, caller: AbortSignal | undefined) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#caller = caller;
    if (caller?.aborted) this.#onAbort();
    else caller?.addEventListener("abort", this.#onAbort, { once: true });
    this.#since = clock.monotonicMs();
    void this.#run();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** One timer for the whole exchange, not one for each chunk. */
  async #run(): Promise<void> {
    try {
      while (!this.#ended) {
        const silent = this.#since === undefined ? 0 : this.#clock.monotonicMs() - this.#since;
        if (silent >= this.#limitMs) {
          this.timedOut = true;
          this.#stop.abort(new TransportError("i/o timeout", { timeout: true }));
          return;
        }
        await this.#clock.sleep(this.#limitMs - silent, this.#timer.signal);
      }
    } catch {
      // Ended: the sleep was aborted.
    }
  }

  /** Waits for the other side; ends when the guard does, also where the source does not heed the signal. */
  async watch<T>(promise: Promise<T>): Promise<T> {
    this.#since ??= this.#clock.monotonicMs();
    if (this.signal.aborted) throw this.signal.reason;
    return new Promise<T>((resolve, reject) => {
      const abort = () => reject(this.signal.reason);
      this.signal.addEventListener("abort", abort, { once: true });
      promise.then(resolve, reject).finally(() => this.signal.removeEventListener("abort", abort));
    });
  }

  /** The time begins anew. */
  alive(): void {
    if (this.#since !== undefined) this.#since = this.#clock.monotonicMs();
  }

  /** The other side has answered: the time does not count until the next {@link watch}. */
  pause(): void {
    this.#since = undefined;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer.abort();
    this.#caller?.removeEventListener("abort", this.#onAbort);
  }
}
