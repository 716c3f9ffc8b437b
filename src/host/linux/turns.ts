/**
 * Turns: so many at once, the others wait in a line.
 *
 * @module
 */

import { type Deferred, deferred } from "../../sync/deferred.ts";

/** Hands out a limited number of turns, in the order they were asked for. */
export class Turns {
  readonly #limit: number;
  readonly #queue: Deferred<void>[] = [];
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many turns are taken now. */
  get taken(): number {
    return this.#taken;
  }

  /** Waits for a turn. @throws the signal's reason when it comes first */
  async enter(signal?: AbortSignal): Promise<void> {
    if (this.#taken < this.#limit) {
      this.#taken++;
      return;
    }
    const turn = deferred();
    this.#queue.push(turn);
    const stop = () => {
      const at = this.#queue.indexOf(turn);
      if (at < 0) return; // its turn has come already
      this.#queue.splice(at, 1);
      turn.reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
    try {
      await turn.promise;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Gives the turn to the next one. */
  leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#taken--;
    else next.resolve();
  }
}
