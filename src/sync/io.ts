/**
 * Byte streams as the engine passes them around.
 *
 * A source is any async iterable of bytes; a sink is an object with `write`. Both are small enough to be implemented
 * by a test in two lines, and every Node stream fits behind them (`host` has the adapters).
 *
 * @module
 */

/** Takes bytes. A promise that stays pending is back-pressure: the caller waits for it before it sends more. */
export interface Writer {
  /** @throws whatever the destination throws; the data may then have been written in part */
  write(chunk: Uint8Array | string): void | Promise<void>;
  /** Says that no more will come. Safe to call twice. */
  close?(): void | Promise<void>;
  /** Pushes out what is buffered on the way to the reader, where the destination buffers at all. */
  flush?(): void | Promise<void>;
}

/** Gives bytes, in order, until it ends. Leaving the loop early releases the source. */
export type Reader = AsyncIterable<Uint8Array>;

/** Reads a source to its end. `limit` bytes at most: more is an error, so that a hostile peer cannot fill the memory. */
export async function readAll(source: Reader, limit = 64 << 20): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of source) {
    size += part.length;
    if (size > limit) throw new RangeError(`Cannot read the stream: it is longer than ${limit} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}

/** A writer that keeps what it is given; for small things and for tests. */
export class BufferWriter implements Writer {
  #parts: Buffer[] = [];

  /** Copies the chunk. */
  write(chunk: Uint8Array | string): void {
    this.#parts.push(Buffer.from(chunk as Uint8Array));
  }

  /** What was written so far. */
  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** What was written so far, as UTF-8. */
  toString(): string {
    return this.bytes().toString("utf8");
  }
}
