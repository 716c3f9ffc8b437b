/**
 * What is needed to give a layer back byte for byte after it was unpacked: everything of its archive but the contents of
 * files, which lie in the layer already. Only so does a layer keep its digest (Docker calls it tar-split).
 *
 * ```text
 * a gzip stream of pieces, in the order of the archive
 * 0  length:4                           bytes                 headers, padding, what follows the end
 * 1  length:2  path, byte string        position:6 length:6   a part of a file, beneath the layer's directory
 * ```
 *
 * @since Docker 1.8 (vendor/src/github.com/vbatts/tar-split)
 * @module
 */

import type { Host } from "../host/host.ts";
import type { Reader } from "../sync/io.ts";
import { toPath } from "./byte-string.ts";
import { PART, RAW, type SplitWriter } from "./split-writer.ts";
import { BLOCK_BYTES, type Header } from "./tar/header.ts";
import { type TarHandler, TarParser } from "./tar/parser.ts";

/** The longest raw piece and the longest path that are believed. */
const MAX_RAW = 16 << 20;
/** Parts of files up to this size are read ahead, … */
const SMALL_BYTES = 64 << 10;
/** … so many at a time. */
const AHEAD = 32;
const READ_BYTES = 256 << 10;
const O_NOFOLLOW = 0o400000;
const O_NONBLOCK = 0o4000;

/** What unpacks the entries, and says where their contents go. */
export interface SplitTarget extends TarHandler {
  /** The file that data goes to just now; `undefined`: to none. */
  readonly target: string | undefined;
}

/** Reads an archive as a `TarParser` does, and writes down what of it is not in the files that are made. */
export class SplitRecorder implements TarHandler {
  readonly #target: SplitTarget;
  readonly #writer: SplitWriter;
  readonly #parser = new TarParser(this);
  /** What has come of a block that is not whole. */
  #tail: Buffer | undefined;
  #piece: Buffer = Buffer.alloc(0);
  /** How much of the piece is written down. */
  #done = 0;

  constructor(target: SplitTarget, writer: SplitWriter) {
    this.#target = target;
    this.#writer = writer;
  }

  /** Takes the next bytes. @throws {TarError} */
  feed(chunk: Buffer): void {
    let rest = chunk;
    if (this.#tail !== undefined) {
      const more = rest.subarray(0, BLOCK_BYTES - this.#tail.length);
      const block = Buffer.concat([this.#tail, more]);
      this.#tail = undefined;
      if (block.length < BLOCK_BYTES) {
        this.#tail = block;
        return;
      }
      this.#take(block);
      rest = rest.subarray(more.length);
    }
    // Of whole blocks the parser keeps nothing back: what it hands on lies in the piece it was given.
    const whole = rest.length - (rest.length % BLOCK_BYTES);
    if (whole > 0) this.#take(rest.subarray(0, whole));
    if (whole < rest.length) this.#tail = Buffer.from(rest.subarray(whole));
  }

  /** Says that nothing more comes. @throws {TarError} when an entry is cut short */
  end(): void {
    if (this.#tail !== undefined) this.#take(this.#tail);
    this.#parser.end();
    this.#writer.end();
  }

  #take(piece: Buffer): void {
    this.#piece = piece;
    this.#done = 0;
    this.#parser.feed(piece);
    this.#writer.raw(piece, this.#done);
  }

  /** @see TarHandler */
  entry(header: Header): void {
    this.#target.entry(header);
  }

  /** @see TarHandler */
  data(chunk: Buffer, position: number): void {
    const { target } = this.#target;
    this.#target.data(chunk, position);
    if (target === undefined) return;
    const from = chunk.byteOffset - this.#piece.byteOffset;
    this.#writer.raw(this.#piece, this.#done, from);
    this.#writer.part(target, position, chunk.length);
    this.#done = from + chunk.length;
  }

  /** @see TarHandler */
  endEntry(): void {
    this.#target.endEntry();
  }
}

type Piece =
  | { readonly raw: Buffer }
  | { readonly path: string; readonly position: number; readonly length: number; ahead?: Promise<Buffer> };

/** Takes the pieces out of the inflated stream. @throws Error when it is none of ours */
async function* pieces(plain: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of plain) {
    held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
    let at = 0;
    for (;;) {
      const found = pieceAt(held, at);
      if (found === undefined) break;
      yield found.piece;
      at = found.end;
    }
    held = held.subarray(at);
  }
  if (held.length > 0) throw new Error("unexpected EOF");
}

/** One piece; `undefined` while it is not whole. */
function pieceAt(bytes: Buffer, at: number): { piece: Piece; end: number } | undefined {
  if (bytes.length < at + 5) return undefined;
  if (bytes[at] === RAW) {
    const length = bytes.readUInt32BE(at + 1);
    if (length > MAX_RAW) throw new Error(`a piece of ${length} bytes`);
    const end = at + 5 + length;
    return bytes.length < end ? undefined : { piece: { raw: bytes.subarray(at + 5, end) }, end };
  }
  if (bytes[at] !== PART) throw new Error(`unknown piece ${bytes[at]}`);
  const name = at + 3;
  const end = name + bytes.readUInt16BE(at + 1) + 12;
  if (bytes.length < end) return undefined;
  const path = bytes.toString("latin1", name, end - 12);
  return { piece: { path, position: bytes.readUIntBE(end - 12, 6), length: bytes.readUIntBE(end - 6, 6) }, end };
}

/**
 * Puts an archive together again, in chunks of some size.
 *
 * @param dir - absolute path of the layer's directory
 * @param plain - what {@link SplitWriter} wrote, inflated
 * @throws Error when a file is not as long as it was
 */
export async function* joinSplit(
  fs: Pick<Host["fs"], "open">,
  dir: string,
  plain: AsyncIterable<Uint8Array>,
): Reader & AsyncGenerator<Uint8Array> {
  const files = new LayerFiles(fs, dir);
  const source = pieces(plain)[Symbol.asyncIterator]();
  const waiting: Piece[] = [];
  let ended = false;
  let ready: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (;;) {
      while (!ended && waiting.length < AHEAD) {
        const step = await source.next();
        if (step.done === true) ended = true;
        else waiting.push(files.readAhead(step.value));
      }
      const piece = waiting.shift();
      if (piece === undefined) break;
      for await (const part of "raw" in piece ? [piece.raw] : files.read(piece)) {
        ready.push(part);
        bytes += part.length;
        if (bytes < READ_BYTES) continue;
        yield ready.length === 1 ? part : Buffer.concat(ready);
        [ready, bytes] = [[], 0];
      }
    }
    if (bytes > 0) yield Buffer.concat(ready);
  } finally {
    // A file that was read for nothing must not fail unheard.
    for (const piece of waiting) if (!("raw" in piece)) piece.ahead?.catch(() => undefined);
    await source.return?.(undefined);
  }
}

/** The contents of a layer's files. Nobody changes a layer, so a path leads where it led when it was unpacked. */
class LayerFiles {
  readonly #fs: Pick<Host["fs"], "open">;
  readonly #dir: string;

  constructor(fs: Pick<Host["fs"], "open">, dir: string) {
    this.#fs = fs;
    this.#dir = Buffer.from(dir, "utf8").toString("latin1");
  }

  readAhead(piece: Piece): Piece {
    if ("raw" in piece || piece.length > SMALL_BYTES) return piece;
    const ahead = this.#whole(piece);
    ahead.catch(() => undefined); // thrown to whoever reads it
    return { ...piece, ahead };
  }

  async *read(piece: Exclude<Piece, { raw: Buffer }>): AsyncGenerator<Buffer> {
    if (piece.ahead === undefined) yield* this.#parts(piece);
    else yield await piece.ahead;
  }

  async #whole(piece: Exclude<Piece, { raw: Buffer }>): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.#parts(piece)) parts.push(part);
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  async *#parts({ path, position, length }: Exclude<Piece, { raw: Buffer }>): AsyncGenerator<Buffer> {
    const file = await this.#fs.open(toPath(`${this.#dir}/${path}`), O_NOFOLLOW | O_NONBLOCK);
    try {
      for (let done = 0; done < length; ) {
        const want = Math.min(READ_BYTES, length - done);
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(want), 0, want, position + done);
        if (bytesRead === 0) throw new Error(`${JSON.stringify(path)} has been cut short`);
        done += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }
}
