/**
 * One client that reads events, at its own speed.
 *
 * @module
 */

import { type Deferred, deferred } from "../sync/deferred.ts";
import type { Event } from "./event.ts";

/** So many events wait for a client that is slower than they come. */
const BUFFER = 1024;
/** A client that still takes events may be this far behind; beyond, it loses some too. */
const LIMIT = 4 * BUFFER;
/** A full buffer loses events when its client has taken none for this long. */
export const PATIENCE_MS = 100;

/** A queue of events with one reader. */
export class Subscriber implements AsyncIterable<Event> {
  readonly #queue: Event[] = [];
  readonly #now: () => number;
  #wake: Deferred<void> | undefined;
  #closed = false;
  #lastTaken: number;

  /** @param now - monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#lastTaken = now();
  }

  /** Queues an event, and never waits. @returns `false` when the reader is too slow: the event is lost for it */
  offer(event: Event): boolean {
    const stuck = this.#now() - this.#lastTaken >= PATIENCE_MS;
    if (this.#queue.length >= (stuck ? BUFFER : LIMIT)) return false;
    // An idle reader has been waiting for this event: its patience begins now.
    if (this.#queue.length === 0) this.#lastTaken = this.#now();
    this.#queue.push(event);
    this.#wake?.resolve();
    return true;
  }

  /** Ends the reader's loop, now. */
  close(): void {
    this.#closed = true;
    this.#wake?.resolve();
  }

  /** Gives events as they come, until it is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Event> {
    while (!this.#closed) {
      const event = this.#queue.shift();
      if (event !== undefined) {
        this.#lastTaken = this.#now();
        yield event;
      } else {
        this.#wake = deferred();
        await this.#wake.promise;
        this.#wake = undefined;
      }
    }
  }
}
