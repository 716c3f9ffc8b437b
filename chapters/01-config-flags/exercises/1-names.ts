/**
 * Exercise 1: read a declaration.
 *
 * A flag is declared with names such as `["#bip", "-bip"]`. Say how each is typed, and what typing it makes the program
 * print.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** How the names of a declaration are typed, deprecated ones included: `["#bip", "-bip"]` → `["-bip", "--bip"]`. */
export function typed(names: readonly string[]): string[] {
  return yourTurn(names);
}

/** The warning for a name as typed, without line end; empty for a name that is not deprecated. */
export function warning(names: readonly string[], as: string): string {
  return yourTurn(names, as);
}
