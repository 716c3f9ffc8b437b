/**
 * A stream that tells how far it has been read.
 *
 * @origin utils/progressreader.go
 * @module
 */

import type { Reader, Writer } from "../sync/io.ts";
import type { JSONProgress } from "./json-message.ts";
import type { StreamFormatter } from "./stream-formatter.ts";

/** A message at least every this many bytes. */
const UPDATE_EVERY_BYTES = 512 * 1024;

/** What the messages say and where they go. */
export interface ProgressTerms {
  /** Bytes that will come; −1 or 0 when unknown. */
  readonly size: number;
  readonly output: Writer;
  readonly formatter: StreamFormatter;
  /** Ends with an empty status, which is a line end in plain text. */
  readonly newLine: boolean;
  readonly id: string;
  readonly action: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Passes a source on and reports every 512 KiB or one percent, whichever is less, and at the end.
 *
 * @origin utils/progressreader.go progressReader
 */
export class ProgressReader implements AsyncIterable<Uint8Array> {
  readonly #source: Reader;
  readonly #terms: ProgressTerms;
  readonly #progress: Required<JSONProgress>;
  readonly #every: number;
  #reported = 0;
  #closed = false;

  /** @origin utils/progressreader.go ProgressReader */
  constructor(source: Reader, terms: ProgressTerms) {
    this.#source = source;
    this.#terms = terms;
    this.#progress = { current: 0, total: terms.size, start: Math.floor(terms.now() / 1000) };
    this.#every = terms.size > 0 ? Math.min(UPDATE_EVERY_BYTES, Math.trunc(0.01 * terms.size)) : UPDATE_EVERY_BYTES;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#source) {
        this.#progress.current += chunk.length;
        if (this.#progress.current - this.#reported > this.#every) await this.#report();
        yield chunk;
      }
    } catch (cause) {
      await this.#report();
      await this.#endLine();
      throw cause;
    }
    await this.#report();
    await this.#endLine();
  }

  /** Reports the whole size as read; the caller closes whether or not it read to the end. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#progress.current = this.#progress.total;
    await this.#report();
  }

  async #report(): Promise<void> {
    const { output, formatter, id, action } = this.#terms;
    this.#reported = this.#progress.current;
    await output.write(formatter.formatProgress(id, action, { ...this.#progress }));
  }

  async #endLine(): Promise<void> {
    if (this.#terms.newLine) await this.#terms.output.write(this.#terms.formatter.formatStatus("", ""));
  }
}
