/** An answer to exercise 3. @module */

import type { Kept } from "./3-memory.ts";

/** A list that never grows beyond its limit. */
export class Recent {
  readonly #limit: number;
  readonly #events: Kept[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  log(event: Kept): void {
    this.#events.push(event);
    if (this.#events.length > this.#limit) this.#events.shift();
  }

  between(since: number, until: number): Kept[] {
    return this.#events.filter(({ time }) => time >= since && (until === 0 || time <= until));
  }
}
