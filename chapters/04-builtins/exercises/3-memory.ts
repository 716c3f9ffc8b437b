/**
 * Exercise 3: a memory for events.
 *
 * Write what stands behind `log` and `events`: it keeps so many events and no more, and gives those of a time. Then the
 * question that 1.2.0 answers with one comparison: which events are "since" a second that has two of them?
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** What is kept of an event. */
export interface Kept {
  readonly id: string;
  /** Seconds since 1970. */
  readonly time: number;
}

/** Keeps the last events. */
export class Recent {
  /** @param limit - how many */
  constructor(limit: number) {
    yourTurn(limit);
  }

  /** Keeps an event; the oldest goes when there are too many. */
  log(event: Kept): void {
    yourTurn(event);
  }

  /** The events that are kept from second `since` to second `until`, both included, oldest first; `until` 0 has no end. */
  between(since: number, until: number): Kept[] {
    return yourTurn(since, until);
  }
}
