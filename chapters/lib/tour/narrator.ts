/**
 * Turns what the engine says of itself into a story for somebody who watches it for the first time.
 *
 * The engine is not changed for it: the narrator only reads the lines that a daemon of 1.2.0 writes anyway.
 *
 * @module
 */

import { styleText } from "node:util";
import type { Writer } from "../../../src/sync/io.ts";
import { JOB_FILES, startedJob } from "./jobs.ts";

type Style = Parameters<typeof styleText>[0];

/** Prints the tour. */
export class Narrator {
  readonly #out: (text: string) => void;
  readonly #colour: boolean;
  readonly #waiting: { pattern: RegExp; resolve: () => void }[] = [];
  readonly #before: { pattern: RegExp; tell: () => void }[] = [];
  readonly #seen: string[] = [];
  #pending = "";
  #quiet = false;
  #jobs: string[] = [];

  /** @param out - takes the text; `colour`: whether it understands escape sequences */
  constructor(out: (text: string) => void, colour: boolean) {
    this.#out = out;
    this.#colour = colour;
  }

  /** A line of the story. */
  say(text = ""): void {
    this.#out(`${text}\n`);
  }

  /** Text in a style, where the terminal has styles. */
  style(style: Style, text: string): string {
    return this.#colour ? styleText(style, text) : text;
  }

  /** A step: number, what happens, and the file in which it is written. */
  step(number: number, what: string, file: string, ...details: string[]): void {
    this.say();
    this.say(`${this.style("bold", ` ${number}  ${what.padEnd(46)}`)} ${this.style("cyan", file)}`);
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
      this.say(
        `    ${this.style("dim", "│")} ${this.style("dim", short.padEnd(file === "" ? 0 : 52))}${file === "" ? "" : ` ${this.style("cyan", file)}`}`,
      );
    }
    for (const { pattern, resolve } of this.#waiting) if (pattern.test(line)) resolve();
  }
}
