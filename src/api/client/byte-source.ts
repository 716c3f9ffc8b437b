/**
 * A socket read by line, by count, or as it comes.
 *
 * @module
 */

import type { Reader } from "../../sync/io.ts";

/** Reads a byte stream piecewise; bytes that were read too far are kept for the next reader. */
export class ByteSource {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;

  /** @param source - read on demand: whoever does not read holds the sender back */
  constructor(source: Reader) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** What arrived and was not taken yet, or the next piece; `undefined` at the end. */
  async next(): Promise<Buffer | undefined> {
    if (this.#rest.length === 0) await this.#fill();
    if (this.#rest.length === 0) return undefined;
    const piece = this.#rest;
    this.#rest = Buffer.alloc(0);
    return piece;
  }

  /** Gives bytes back, to be read again first. */
  unread(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([bytes, this.#rest]);
  }

  /**
   * The next line without its end (`\n` or `\r\n`); `undefined` at the end of the stream.
   *
   * @param limit - bytes a line may have: a peer must not fill our memory
   */
  async line(limit: number): Promise<string | undefined> {
    let from = 0;
    for (;;) {
      const end = this.#rest.indexOf(10, from);
      if (end >= 0) {
        const line = this.#rest.toString("latin1", 0, end > 0 && this.#rest[end - 1] === 13 ? end - 1 : end);
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      from = this.#rest.length;
      if (from > limit) throw new RangeError(`Cannot read the answer: a line is longer than ${limit} bytes`);
      if (!(await this.#fill())) return undefined;
    }
  }

  /** Everything that is left, in pieces as they arrive. */
  async *rest(): AsyncGenerator<Buffer> {
    for (let piece = await this.next(); piece !== undefined; piece = await this.next()) yield piece;
  }

  /** Whether bytes were added. */
  async #fill(): Promise<boolean> {
    while (!this.#ended) {
      const { value, done } = await this.#source.next();
      if (done) this.#ended = true;
      else if (value.length > 0) {
        const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
        this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
        return true;
      }
    }
    return false;
  }
}
