/**
 * Exercise 4: a flag of your own kind.
 *
 * Write the value behind `--label key=value`, which may be given many times. The last value of a key wins; the usage
 * screen shows Go's `map[a:1 b:2]`, sorted; a text without `=`, or with nothing before it, is refused.
 *
 * @module
 */

import type { Value } from "../../../src/pkg/mflag/mflag.ts";
import { yourTurn } from "../../lib/exercise.ts";

/** Labels by key. */
export class Labels implements Value {
  /** Takes `key=value`. @throws Error `bad label: …` */
  set(text: string): void {
    yourTurn(text);
  }

  /** The value of a key. */
  get(key: string): string | undefined {
    return yourTurn(key);
  }

  /** Go's `map[a:1 b:2]`. */
  toString(): string {
    return yourTurn();
  }
}
