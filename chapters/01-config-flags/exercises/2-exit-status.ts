/**
 * Exercise 2: predict the exit status.
 *
 * Say what `docker …` ends with, before you look. Three of these surprise most readers.
 *
 * ```text
 * -v           -d extra        --nope    -h
 * -d -H bogus  -v -d extra     -H :1 -H :2 ps
 * ```
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** Exit status by command line. */
export function predictions(): Record<string, number> {
  return yourTurn();
}
