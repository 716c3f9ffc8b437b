/**
 * Exercise 3: quotes.
 *
 * A note in ParseJob asks for a parser that knows more than blanks. Write it. Single and double quotes keep a text
 * together and are taken away, also in the middle of a word; inside one kind the other is a character like any other.
 * A word is a setting only if its name stands outside quotes: `A="x y"` is one, `"A=x"` is an argument.
 *
 * @module
 */

import type { Engine } from "../../../src/engine/engine.ts";
import type { Job } from "../../../src/engine/job.ts";
import { yourTurn } from "../../lib/exercise.ts";

/** Makes the job of a line. @throws Error `empty command: '…'`, or `unbalanced quotes: '…'` */
export function parseJob(eng: Engine, line: string): Job {
  return yourTurn(eng, line);
}
