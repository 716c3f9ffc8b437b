/**
 * Exercise 1: predict the log.
 *
 * For each of these lines, on the engine of this chapter, write down what the engine writes to its standard error, and
 * what `run()` throws. Leave the `[id]` in front of a log line out.
 *
 * ```text
 * nope x        echo        VERBOSE=1 echo        shout
 * ```
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** What a line leads to. */
export interface Prediction {
  readonly log: readonly string[];
  /** Message of what `run()` throws; empty when it does not. */
  readonly error: string;
}

/** The predictions by line. */
export function predictions(): Record<string, Prediction> {
  return yourTurn();
}
