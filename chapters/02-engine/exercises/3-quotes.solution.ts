/** An answer to exercise 3. @module */

import type { Engine } from "../../../src/engine/engine.ts";
import type { Job } from "../../../src/engine/job.ts";

/** Runs of unquoted characters and quoted texts, as many as stand together. */
const WORD = /(?:[^\s"']|"[^"]*"|'[^']*')+/g;

/** Reads words with their quotes on, so that a quoted `=` is told from a bare one; then takes the quotes off. */
export function parseJob(eng: Engine, line: string): Job {
  if (line.replace(WORD, "").trim() !== "") throw new Error(`unbalanced quotes: '${line}'`);
  const words = line.match(WORD) ?? [];
  const isSetting = (word: string) => /^[^"'=]*=/.test(word);
  const bare = (word: string) => word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2");
  const [name, ...args] = words.filter((word) => !isSetting(word)).map(bare);
  if (name === undefined) throw new Error(`empty command: '${line}'`);
  const job = eng.job(name, ...args);
  for (const word of words.filter(isSetting)) {
    const at = word.indexOf("=");
    job.setenv(word.slice(0, at), bare(word.slice(at + 1)));
  }
  return job;
}
