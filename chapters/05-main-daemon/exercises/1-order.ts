/**
 * Exercise 1: read a log that two writers share.
 *
 * The daemon's boot, without `-D`, on a machine with containers and a network, writes eleven lines; in these exercises
 * `<time>` and `<engine>` stand for what is different each time. Say whether 1.2.0 can have written a log.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** Whether a boot of 1.2.0 can have written these lines in this order, all of them and nothing else. */
export function possible(log: readonly string[]): boolean {
  return yourTurn(log);
}
