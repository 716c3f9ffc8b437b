/**
 * Turns what the engine says of itself into a story for somebody who watches it for the first time.
 *
 * The engine is not changed for it: the narrator only reads the lines that a daemon of 1.2.0 writes anyway.
 *
 * @module
 */

import { stripVTControlCharacters, styleText } from "node:util";
import type { Writer } from "../../../src/sync/io.ts";
import { JOB_FILES, startedJob } from "./jobs.ts";

type Style = Parameters<typeof styleText>[0];

/** Prints the tour. */
export class Narrator {
  readonly #out: (text: string) => void;
  readonly #colour: boolean;
  readonly #width: () => number;
  readonly #waiting: { pattern: RegExp; resolve: () => void }[] = [];
  readonly #before: { pattern: RegExp; tell: () => void }[] = [];
  readonly #seen: string[] = [];
  #pending = "";
  #quiet = false;
  #jobs: string[] = [];

  /** @param out - takes the text; `colour`: whether it understands escape sequences; `width`: its columns just now */
  constructor(out: (text: string) => void, colour: boolean, width = () => Number.POSITIVE_INFINITY) {
    this.#out = out;
    this.#colour = colour;
    this.#width = width;
  }

  /** A line of the story. @param next - what stands before its further lines; default: its own indentation */
  say(text = "", next = /^ */.exec(text)?.[0] ?? "", end = ""): void {
    this.#out(`${wrap(text, this.#width(), next, end)}\n`);
  }

  /** A command line, with the backslashes to type when it is too long for one. */
  command(line: string): void {
    this.say(this.style("bold", line), "    ", " \\");
  }

  /** A table, with gaps of two columns or of one where it is too wide; what still does not fit is cut off. */
  table(lines: readonly string[]): void {
    const width = this.#width();
    const widest = Math.max(0, ...lines.map((line) => line.length));
    const blank = (at: number) => lines.every((line) => (line[at] ?? " ") === " ");
    const narrowed = (gap: number) =>
      [...Array(widest).keys()].filter((at) => !Array.from({ length: gap + 1 }, (_, i) => at - i).every(blank));
    const kept = [widest, 2, 1].map(narrowed).find(({ length }) => length <= width) ?? narrowed(1);
    for (const line of lines) {
      const text = kept
        .map((at) => line[at] ?? " ")
        .join("")
        .trimEnd();
      this.#out(`${text.length > width ? `${text.slice(0, width - 1)}…` : text}\n`);
    }
  }

  /** Text in a style, where the terminal has styles. */
  style(style: Style, text: string): string {
    return this.#colour ? styleText(style, text) : text;
  }

  /** A step: number, what happens, and the file in which it is written. */
  step(number: number, what: string, file: string, ...details: string[]): void {
    this.say();
    this.say(`${this.style("bold", ` ${number}  ${what.padEnd(46)}`)} ${this.style("cyan", file)}`, "    ");
    for (const detail of details) this.say(`    ${detail}`);
  }

  /** A heading. */
  heading(text: string): void {
    this.say();
    this.say(this.style("bold", text));
    this.say(this.style("dim", "─".repeat(78)));
  }

  /** The daemon's standard output and error: its lines are shown where they happen, with the file of each job. */
  get log(): Writer & { readonly isTerminal: boolean } {
    return {
      isTerminal: false,
      write: (chunk) => {
        this.#pending += Buffer.from(chunk as Uint8Array).toString("utf8");
        const lines = this.#pending.split("\n");
        this.#pending = lines.pop() ?? "";
        for (const line of lines) this.#line(line);
      },
    };
  }

  /** Stops showing the daemon's lines; jobs are gathered for {@link loud}. */
  quiet(): void {
    this.#quiet = true;
    this.#jobs = [];
  }

  /** Shows the daemon's lines again. @returns the jobs that ran meanwhile, each once, in order */
  loud(): string[] {
    this.#quiet = false;
    return [...new Set(this.#jobs)];
  }

  /** Resolves when the daemon has written a line like this. */
  seen(pattern: RegExp): Promise<void> {
    if (this.#seen.some((line) => pattern.test(line))) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ pattern, resolve }));
  }

  /** Calls `tell` just before the first line like this is shown. */
  before(pattern: RegExp, tell: () => void): void {
    this.#before.push({ pattern, tell });
  }

  /** Everything the daemon has written: what is shown when something went wrong. */
  get lines(): readonly string[] {
    return this.#seen;
  }

  #line(line: string): void {
    this.#seen.push(line);
    const job = startedJob(line);
    if (job !== undefined) this.#jobs.push(job.name);
    const due = this.#before.findIndex(({ pattern }) => pattern.test(line));
    if (due >= 0) this.#before.splice(due, 1)[0]?.tell();
    if (!this.#quiet) {
      const short = line.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, "$1");
      const file = job === undefined ? "" : (JOB_FILES[job.name] ?? "");
      const bar = `    ${this.style("dim", "│")}`;
      const beside = file !== "" && Math.max(short.length, 52) + file.length + 7 <= this.#width();
      const text = beside ? short.padEnd(52) : short;
      this.say(`${bar} ${this.style("dim", text)}${beside ? ` ${this.style("cyan", file)}` : ""}`, `${bar}   `);
      if (file !== "" && !beside) this.say(`${bar}   ${this.style("cyan", file)}`, `${bar}   `);
    }
    for (const { pattern, resolve } of this.#waiting) if (pattern.test(line)) resolve();
  }
}

/** Breaks a line between words. @param end - stands at the end of each line but the last */
function wrap(text: string, width: number, next: string, end: string): string {
  const seen = (part: string) => stripVTControlCharacters(part).length;
  if (seen(text) <= width) return text;
  const lines: string[] = [];
  const [first = "", ...words] = text.split(" ");
  let line = first;
  for (const word of words) {
    const longer = `${line} ${word}`;
    if (seen(longer) + end.length <= width || seen(line) <= seen(next)) {
      line = longer;
    } else {
      lines.push(`${line.trimEnd()}${end}`);
      line = next + word;
    }
  }
  return [...lines, line].join("\n");
}
