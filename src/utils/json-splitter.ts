/**
 * JSON values out of a byte stream.
 *
 * @module
 */

/** One value of a stream is longer than this: the peer is not what it says it is. */
const MAX_VALUE_BYTES = 16 << 20;

/**
 * Cuts a byte stream into JSON values that follow each other with or without white space between.
 *
 * Only the nesting and the quotes are looked at here; `JSON.parse` judges the rest.
 */
export class JsonSplitter {
  #parts: Buffer[] = [];
  #bytes = 0;
  #depth = 0;
  #quoted = false;
  #escaped = false;
  /** Inside a number or word, which only ends at the next white space or bracket. */
  #bare = false;

  /** Whether a value has begun and not ended. */
  get pending(): boolean {
    return this.#bytes > 0;
  }

  /**
   * Takes the next bytes.
   *
   * @returns the values they complete, as text
   * @throws RangeError when one value does not end within 16 MiB
   */
  push(chunk: Uint8Array): string[] {
    const values: string[] = [];
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const c = chunk[i] as number;
      if (this.#quoted) {
        if (this.#escaped) this.#escaped = false;
        else if (c === 0x5c) this.#escaped = true;
        else if (c === 0x22) {
          this.#quoted = false;
          if (this.#depth === 0) start = this.#end(values, chunk, start, i + 1);
        }
        continue;
      }
      const opens = c === 0x7b || c === 0x5b || c === 0x22;
      if (this.#bare) {
        if (c > 0x20 && !opens) continue;
        this.#bare = false;
        start = this.#end(values, chunk, start, i);
      }
      if (opens) {
        if (c === 0x22) this.#quoted = true;
        else this.#depth++;
      } else if (this.#depth > 0) {
        if ((c === 0x7d || c === 0x5d) && --this.#depth === 0) start = this.#end(values, chunk, start, i + 1);
      } else if (c <= 0x20) {
        start = i + 1;
      } else {
        this.#bare = true;
      }
    }
    if (start < chunk.length) {
      this.#bytes += chunk.length - start;
      if (this.#bytes > MAX_VALUE_BYTES) throw new RangeError("Cannot read the stream: a JSON value is too long");
      this.#parts.push(Buffer.from(chunk.subarray(start)));
    }
    return values;
  }

  /** Says that no more will come; a number or word may end here. @returns that last value */
  end(): string | undefined {
    if (!this.#bare) return undefined;
    const values: string[] = [];
    this.#bare = false;
    this.#end(values, new Uint8Array(0), 0, 0);
    return values[0];
  }

  #end(values: string[], chunk: Uint8Array, from: number, to: number): number {
    this.#parts.push(Buffer.from(chunk.buffer, chunk.byteOffset + from, to - from));
    values.push((this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)).toString("utf8"));
    this.#parts = [];
    this.#bytes = 0;
    return to;
  }
}
