/**
 * Exercise 1: predict.
 *
 * Answer from what you have read, before you run anything. The test runs an engine and compares.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** What you expect. */
export interface Predictions {
  /** Names in 1.2.0's table after engine.New(), the builtins, the network, the daemon, the tag store. */
  readonly sizes: readonly number[];
  /** How many there are in the end with `--bridge none`. */
  readonly withoutNetwork: number;
  /** What the builtins say when they are loaded a second time. */
  readonly again: string;
  /** The keys of the answer of `version`, in their order. */
  readonly versionKeys: readonly string[];
  /** 65 events are logged; how many does `events` give for `since=1`? */
  readonly remembered: number;
}

/** Your answers. */
export function predictions(): Predictions {
  return yourTurn();
}
