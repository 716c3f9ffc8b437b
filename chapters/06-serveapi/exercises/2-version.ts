/**
 * Exercise 2: a router that is true to 1.2.0.
 *
 * Ours serves newer clients, too. Write the front of the original: given a path, say what 1.2.0 answers before any
 * handler runs, or `undefined` when a handler would run. The known paths are given without their version.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** What the router answers by itself. */
export interface Refusal {
  readonly status: number;
  /** The body, with its line end. */
  readonly body: string;
}

/** @param known - paths of the method that was asked, such as `/version` */
export function front(path: string, known: readonly string[]): Refusal | undefined {
  return yourTurn(path, known);
}
