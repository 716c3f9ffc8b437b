/**
 * Writes the pieces that give an archive back; their format is in `split.ts`.
 *
 * @since Docker 1.8 (vendor/src/github.com/vbatts/tar-split)
 * @module
 */

import { Gzip } from "minizlib";

/** The first byte of a piece: bytes of the archive, … */
export const RAW = 0;
/** … or a part of a file. */
export const PART = 1;
/** Before raw bytes; around the path of a part. */
const [RAW_HEAD_BYTES, PART_BYTES] = [5, 15];
/** Pieces are gathered up to this size: more than the longest path with what is around it. */
const GATHER_BYTES = 128 << 10;
/** Headers are mostly zeros: a higher level costs more than it saves. */
const LEVEL = 3;

/** Writes pieces. */
export class SplitWriter {
  readonly #stream: Gzip;
  /** Pieces that wait to be compressed: the compressor is called with many at once, or each would cost more than itself. */
  readonly #pieces = new Uint8Array(GATHER_BYTES);
  #end = 0;
  /** Where the raw piece begins that is still growing. */
  #rawAt: number | undefined;
  #part: { path: string; position: number; length: number } | undefined;

  /** @param write - takes the compressed bytes at once */
  constructor(write: (bytes: Buffer) => void) {
    this.#stream = new Gzip({ level: LEVEL });
    this.#stream.on("data", write);
  }

  /** Bytes that are nowhere else, of a buffer from one place to another. They are copied. */
  raw(bytes: Buffer, from = 0, to = bytes.length): void {
    if (from === to) return;
    this.#endPart();
    for (let at = from; at < to; ) {
      if (this.#rawAt === undefined) {
        this.#makeRoom(RAW_HEAD_BYTES + 1);
        this.#rawAt = this.#end;
        this.#end += RAW_HEAD_BYTES;
      }
      const stop = Math.min(to, at + GATHER_BYTES - this.#end);
      this.#pieces.set(bytes.subarray(at, stop), this.#end);
      this.#end += stop - at;
      at = stop;
      if (this.#end === GATHER_BYTES) this.#flush();
    }
  }

  /** A part of a file; neighbours become one. @param path - a byte string, beneath the layer's directory */
  part(path: string, position: number, length: number): void {
    this.#endRaw();
    const last = this.#part;
    if (last !== undefined && last.path === path && last.position + last.length === position) {
      last.length += length;
      return;
    }
    this.#endPart();
    this.#part = { path, position, length };
  }

  /** Writes what is left. */
  end(): void {
    this.#endPart();
    this.#flush();
    this.#stream.end();
  }

  #makeRoom(bytes: number): void {
    if (this.#end + bytes > GATHER_BYTES) this.#flush();
  }

  #flush(): void {
    this.#endRaw();
    if (this.#end > 0) this.#stream.write(Buffer.from(this.#pieces.buffer, 0, this.#end));
    this.#end = 0;
  }

  #endRaw(): void {
    const at = this.#rawAt;
    if (at === undefined) return;
    this.#rawAt = undefined;
    this.#pieces[at] = RAW;
    this.#putNumber(this.#end - at - RAW_HEAD_BYTES, at + 1, 4);
  }

  #endPart(): void {
    const part = this.#part;
    if (part === undefined) return;
    this.#part = undefined;
    const { path, position, length } = part;
    this.#makeRoom(PART_BYTES + path.length);
    this.#pieces[this.#end] = PART;
    this.#putNumber(path.length, this.#end + 1, 2);
    // One character is one byte.
    for (let i = 0; i < path.length; i++) this.#pieces[this.#end + 3 + i] = path.charCodeAt(i);
    this.#end += 3 + path.length;
    this.#putNumber(position, this.#end, 6);
    this.#putNumber(length, this.#end + 6, 6);
    this.#end += 12;
  }

  /** Buffer's own functions for this are many, and each would be compiled anew in every thread. */
  #putNumber(value: number, at: number, bytes: number): void {
    let rest = value;
    for (let i = at + bytes - 1; i >= at; i--) {
      this.#pieces[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  }
}
