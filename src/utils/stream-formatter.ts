/**
 * One way to report progress, two notations: JSON objects for API clients newer than 1.0, plain text before.
 *
 * @origin utils/streamformatter.go
 * @module
 */

import type { Writer } from "../sync/io.ts";
import { encodeMessage, type JSONError, type JSONProgress, progressText } from "./json-message.ts";

/**
 * Writes messages in one of the two notations.
 *
 * The bar inside `progress` is drawn for 200 columns.
 *
 * @origin utils/streamformatter.go StreamFormatter
 * @deviation 1.2.0 draws it as wide as the terminal the daemon was started from, which says nothing about the client's.
 */
export class StreamFormatter {
  readonly #json: boolean;
  readonly #now: () => number;
  #used = false;

  /**
   * @param json - JSON objects; otherwise plain text
   * @param now - milliseconds since 1970; for the time left
   */
  constructor(json: boolean, now: () => number = Date.now) {
    this.#json = json;
    this.#now = now;
  }

  /** Whether it writes JSON. @origin utils/streamformatter.go (*StreamFormatter).Json */
  get json(): boolean {
    return this.#json;
  }

  /** Whether anything was formatted yet: an error can still become an HTTP status while nothing was. */
  used(): boolean {
    return this.#used;
  }

  /** Output of a program. @origin utils/streamformatter.go (*StreamFormatter).FormatStream */
  formatStream(text: string): string {
    this.#used = true;
    return this.#json ? `${encodeMessage({ stream: text })}\r\n` : `${text}\r`;
  }

  /** A line of its own; plain text drops the id. @origin utils/streamformatter.go (*StreamFormatter).FormatStatus */
  formatStatus(id: string, text: string): string {
    this.#used = true;
    return this.#json ? `${encodeMessage({ id, status: text })}\r\n` : `${text}\r\n`;
  }

  /** The failure that ends the stream. @origin utils/streamformatter.go (*StreamFormatter).FormatError */
  formatError(error: string | JSONError): string {
    this.#used = true;
    const detail = typeof error === "string" ? { message: error } : error;
    const message = detail.message ?? "";
    return this.#json ? `${encodeMessage({ errorDetail: detail, error: message })}\r\n` : `Error: ${message}\r\n`;
  }

  /**
   * How far `id` has come. No line end follows in JSON: the object is its own end.
   *
   * @origin utils/streamformatter.go (*StreamFormatter).FormatProgress
   */
  formatProgress(id: string, action: string, progress: JSONProgress = {}): string {
    this.#used = true;
    const bar = progressText(progress, { now: this.#now() });
    if (this.#json) return encodeMessage({ status: action, progressDetail: progress, progress: bar, id });
    return `${action} ${bar}${bar === "" ? "\r\n" : "\r"}`;
  }
}

/** Each write becomes one `stream` object. @origin utils/streamformatter.go StdoutFormater */
export function stdoutFormatter(out: Writer, formatter: StreamFormatter): Writer {
  return { write: (chunk) => out.write(formatter.formatStream(Buffer.from(chunk as Uint8Array).toString())) };
}

/** As {@link stdoutFormatter}, in red. @origin utils/streamformatter.go StderrFormater */
export function stderrFormatter(out: Writer, formatter: StreamFormatter): Writer {
  return {
    write: (chunk) =>
      out.write(formatter.formatStream(`\x1b[91m${Buffer.from(chunk as Uint8Array).toString()}\x1b[0m`)),
  };
}
