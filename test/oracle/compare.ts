/**
 * Compares Drydock with the original, or records what the original answers: see README.md.
 *
 * usage: npx tsx test/oracle/compare.ts PROGRAM [--record] [--runs N] [--seed N] [SUBJECT…]
 */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { type Answer, askOriginal, askOurs, essence, type Subject } from "./original.ts";
import { subjects } from "./subjects.ts";

const SHOWN = 8;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    record: { type: "boolean", default: false },
    runs: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
  },
});
const [program = "", ...wanted] = positionals;
const seed = Number(values.seed);

for (const made of subjects.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  if (values.record) await record(made);
  else await compare(made, Number(values.runs));
}

async function compare(made: Subject, numRuns: number): Promise<void> {
  const inputs = fc.sample(made.inputs, { numRuns, seed });
  const answers = await askOriginal(program, made.name, inputs);
  const found: string[] = [];
  const counts = { values: 0, errors: 0, panics: 0, excused: 0 };
  for (const [i, original] of answers.entries()) {
    counts["ok" in original ? "values" : "panic" in original ? "panics" : "errors"]++;
    const ours = await askOurs(made, inputs[i]);
    const wants = essence(made, inputs[i], original, original);
    const has = essence(made, inputs[i], original, ours) ?? "";
    if (wants === undefined) counts.excused++;
    else if (wants !== has) found.push(`${JSON.stringify(inputs[i])}\n${apart(wants, has)}`);
  }
  const { values: ok, errors, panics, excused } = counts;
  const differences = found.length === 0 ? "no difference" : `${found.length} DIFFERENCES`;
  console.log(`${made.name}: ${ok} values, ${errors} errors, ${panics} panics, ${excused} excused: ${differences}`);
  found.sort((a, b) => a.length - b.length);
  for (const text of found.slice(0, SHOWN)) console.log(text);
  if (found.length > 0) process.exitCode = 1;
}

/** Both texts from a little before where they part. */
function apart(original: string, ours: string): string {
  let at = 0;
  while (at < original.length && original[at] === ours[at]) at++;
  const part = (text: string) => text.slice(Math.max(0, at - 40), at + 160);
  return `   original …${part(original)}\n   ours     …${part(ours)}`;
}

/** Keeps inputs whose answers are of many kinds: of those that look alike only a few. */
async function record(made: Subject): Promise<void> {
  const inputs = fc.sample(made.inputs, { numRuns: made.records * 20, seed });
  const answers = await askOriginal(program, made.name, inputs);
  const kinds = new Map<string, Set<string>>();
  for (const [i, original] of answers.entries()) {
    const wants = essence(made, inputs[i], original, original);
    if (wants === undefined) continue;
    const kind = kindOf(original);
    kinds.set(kind, (kinds.get(kind) ?? new Set()).add(`[${JSON.stringify(inputs[i])},${wants}]`));
  }
  const share = Math.ceil(made.records / Math.min(8, kinds.size));
  const lines = [...kinds.values()].flatMap((alike) => [...alike].slice(0, share));
  // Evenly from the whole, so that no kind is left out for being late.
  const kept = lines.filter(
    (_, i) => Math.floor((i * made.records) / lines.length) !== Math.floor(((i + 1) * made.records) / lines.length),
  );
  const all = lines.length <= made.records ? lines : kept;
  writeFileSync(new URL(`records/${made.name}.jsonl`, import.meta.url), `${all.join("\n")}\n`);
  console.log(`${made.name}: ${all.length} records`);
}

/** The shape of an answer: an error without its particulars, a value without its letters. */
function kindOf(answer: Answer): string {
  if ("ok" in answer)
    return JSON.stringify(answer.ok)
      .replace(/[a-z0-9]+/gi, "x")
      .slice(0, 80);
  return ("err" in answer ? answer.err : "panic").replace(/[^ a-zA-Z]|\b\w{1,3}\b/g, "").slice(0, 40);
}
