/**
 * Exercise 2: an environment that is a list.
 *
 * Ours is a map. 1.2.0's is a list of texts `NAME=VALUE`, to which `set` only ever adds; every reader walks it. Write
 * that one. It must answer everything as ours does.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** The list, and what can be asked of it. */
export class ListEnv {
  readonly list: string[] = [];

  /** Adds one entry at the end. */
  set(name: string, value: string): void {
    yourTurn(name, value);
  }

  /** The last value; empty when there is none. */
  get(name: string): string {
    return yourTurn(name);
  }

  /** How many names there are, not how many entries. */
  len(): number {
    return yourTurn();
  }

  /** Everything is true but five words. */
  getBool(name: string): boolean {
    return yourTurn(name);
  }

  /** A whole number in decimal digits, or 0. */
  getInt(name: string): number {
    return yourTurn(name);
  }
}
