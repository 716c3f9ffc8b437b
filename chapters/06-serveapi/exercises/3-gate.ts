/**
 * Exercise 3: Go's gate.
 *
 * 1.2.0 has no list of those who wait: its listener is wrapped into one whose `accept` does not return before a channel
 * is closed. Write that wrapper. A promise stands for the channel.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** What hands out connections, one for each call. */
export interface Listener<Connection> {
  /** Resolves when there is a connection. */
  accept(): Promise<Connection>;
}

/** Wraps a listener: nobody is accepted before `activate` resolves. */
export function buffered<Connection>(inner: Listener<Connection>, activate: Promise<void>): Listener<Connection> {
  return yourTurn(inner, activate);
}
