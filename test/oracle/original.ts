/**
 * What the original answers, and what Drydock does: see README.md.
 */

import { spawn } from "node:child_process";
import type fc from "fast-check";

/** The outcome of a function: its value, its error, or that it breaks down. */
export type Answer =
  | { readonly ok: unknown }
  | { readonly err: string; readonly panic?: never }
  | { readonly panic: string };

/** A function that both have. */
export interface Subject<I = unknown> {
  /** What main.go.txt calls it. */
  readonly name: string;
  /** Whatever somebody may hand it. */
  readonly inputs: fc.Arbitrary<I>;
  /** How many answers are kept in records/. */
  readonly records: number;
  /** Drydock's answer: its value as JSON, or it throws. */
  ours(input: I): unknown;
  /** Why Drydock may answer something else; a breakdown of the original needs no reason. */
  differs?(input: I, original: Answer): string | undefined;
  /** Whether errors are compared without their texts. */
  readonly anyError?: boolean;
  /** Makes a value comparable: without an order that is random in the original, without what only one of both has. */
  comparable?(value: unknown): unknown;
}

/** For the list of subjects, whose inputs are of many kinds. */
export function subject<I>(made: Subject<I>): Subject {
  return made as unknown as Subject;
}

/** Asks the program that build.sh makes. */
export async function askOriginal(program: string, name: string, inputs: readonly unknown[]): Promise<Answer[]> {
  const child = spawn(program, { stdio: ["pipe", "pipe", "ignore"] });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => child.on("close", resolve));
  child.stdin.end(inputs.map((input) => `${JSON.stringify({ f: name, in: input })}\n`).join(""));
  await ended;
  const lines = Buffer.concat(chunks).toString().split("\n").slice(0, -1);
  if (lines.length !== inputs.length) throw new Error(`${lines.length} answers to ${inputs.length} questions`);
  return lines.map((line) => ofGo13(JSON.parse(line) as Answer));
}

/** Docker 1.2.0 was built with Go 1.3, which names another function in this error. */
function ofGo13(answer: Answer): Answer {
  return "err" in answer ? { err: answer.err.replace("strconv.Atoi:", "strconv.ParseInt:") } : answer;
}

/** Drydock's answer. */
export async function askOurs<I>({ ours }: Subject<I>, input: I): Promise<Answer> {
  try {
    return { ok: await ours(input) };
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof TypeError) throw cause;
    return { err: cause.message };
  }
}

/** A record: an input, and the essence of what the original answers. */
export type Recorded = readonly [input: unknown, essence: unknown];

/** An answer as a text that is the same for the same answer; `undefined` where there is nothing to compare. */
export function essence<I>(made: Subject<I>, input: I, original: Answer, answer: Answer): string | undefined {
  if ("panic" in original || made.differs?.(input, original) !== undefined) return undefined;
  if (made.anyError === true && "err" in answer) return '{"err":"any"}';
  const ok = "ok" in answer ? { ok: (made.comparable ?? ((value) => value))(sorted(answer.ok)) } : answer;
  return JSON.stringify(ok);
}

/** A JSON value with its keys in order. */
function sorted(value: unknown): unknown {
  const plain: unknown = JSON.parse(JSON.stringify(value ?? null), (_key, found: unknown) => {
    if (typeof found !== "object" || found === null || Array.isArray(found)) return found;
    return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return plain;
}
