/**
 * Standard input, a line at a time.
 *
 * @module
 */

import type { Reader } from "../../sync/io.ts";

/** No line that a person types is longer. */
const MAX_LINE_BYTES = 64 << 10;

/** Reads lines; what comes after a line is kept for the next. */
export class LineReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest = Buffer.alloc(0);

  /** @param input - read only when a line is asked for */
  constructor(input: Reader) {
    this.#chunks = input[Symbol.asyncIterator]();
  }

  /** The next line without its end; `undefined` when there is none. @throws when it is longer than 64 KiB */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf(10);
      if (end >= 0) return this.#take(end, end + 1);
      if (this.#rest.length > MAX_LINE_BYTES) throw new Error("Cannot read the answer: the line is too long");
      const { done, value } = await this.#chunks.next();
      if (done) return this.#rest.length > 0 ? this.#take(this.#rest.length, this.#rest.length) : undefined;
      this.#rest = Buffer.concat([this.#rest, value]);
    }
  }

  #take(end: number, next: number): string {
    const line = this.#rest.toString("utf8", 0, end);
    this.#rest = this.#rest.subarray(next);
    return line.replace(/\r$/, "");
  }

  /** Reads no more. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
