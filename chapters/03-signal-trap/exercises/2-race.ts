/**
 * Exercise 2: two signals in the same moment.
 *
 * 1.2.0 handles each signal in a goroutine of its own. Each takes these steps, and between any two of them another
 * goroutine may take some of its own:
 *
 * ```text
 * 1  look at the counter; if it is 3 or more, force the end
 * 2  add 1 to the counter
 * 3  look at the counter again; if it is 1, clean up; otherwise do nothing
 * ```
 *
 * Find out what can come of it.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** What may have happened when all goroutines have come to their end. */
export interface Outcome {
  readonly cleanups: number;
  readonly forced: boolean;
}

/** Every outcome that is possible when so many signals arrive together; each once, in any order. */
export function outcomes(signals: number): Outcome[] {
  return yourTurn(signals);
}
