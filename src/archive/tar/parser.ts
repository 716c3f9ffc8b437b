/**
 * Reads a tar archive that is pushed in, in pieces of any size.
 *
 * Everything is synchronous, and the data of files is handed on without a copy: that is what makes unpacking fast. What
 * is kept between two pieces is bounded: less than one block, an extended header, or the map of a sparse file.
 *
 * Understood: V7, ustar, pax, GNU (long names, binary numbers, sparse files). Global pax headers are checked and then
 * ignored, as in 1.2.0, unless the handler wants them. Nothing that follows the end mark is looked at.
 *
 * The original is Go's own `archive/tar`, reader.go, which 1.2.0 carries with it.
 * @module
 */

import { buildHeader, type Extensions } from "./entry.ts";
import { BLOCK_BYTES, checksumMatches, type Header, isZeroBlock, parseNumber, TarError } from "./header.ts";
import { parsePax } from "./pax.ts";
import { LeadingMap, paxSparse, readGnuPieces, SparseMap, type SparsePiece } from "./sparse.ts";

/** Longest extended header or long name, in bytes: Go's limit too. */
export const MAX_META_BYTES = 1 << 20;

/** What the parser tells. Whatever it throws goes out through {@link TarParser.feed}. */
export interface TarHandler {
  /** An entry begins. */
  entry(header: Header): void;
  /**
   * Data of the file that began; it is valid during the call only.
   *
   * @param position - where in the file; files without holes are given in order
   */
  data(chunk: Buffer, position: number): void;
  /** The entry is complete. */
  endEntry(): void;
  /**
   * A global extended header: an entry of its own for who asks for it, ignored otherwise.
   *
   * @param header - of type `g`, with everything else as in a file's header
   */
  globalHeader?(header: Header, body: Buffer): void;
}

/** What comes next in the stream. */
type State = "header" | "meta" | "gnu-sparse" | "leading-map" | "data" | "padding" | "done";

/** Push parser for one archive. */
export class TarParser {
  readonly #handler: TarHandler;
  #state: State = "header";
  /** Start of a block whose rest has not come. */
  #held: Buffer | undefined;
  /** Bytes left of what {@link #state} says. */
  #left = 0;
  #padding = 0;
  #position = 0;
  #zeroBlocks = 0;
  #metaType = "";
  #global: Header | undefined;
  #meta: Buffer[] = [];
  #extensions: Extensions = {};
  #sparse: SparseMap | undefined;
  #pieces: SparsePiece[] = [];
  #leading = new LeadingMap();
  /** The header that waits for the map of its holes. */
  #waiting: { header: Header; size: number } | undefined;

  constructor(handler: TarHandler) {
    this.#handler = handler;
  }

  /** Whether the end mark has been seen. */
  get done(): boolean {
    return this.#state === "done";
  }

  /** Takes the next piece. @throws {TarError}; the parser is of no use afterwards */
  feed(chunk: Buffer): void {
    let input = chunk;
    if (this.#held !== undefined) {
      input = Buffer.concat([this.#held, chunk]);
      this.#held = undefined;
    }
    let at = 0;
    while (this.#state !== "done") {
      if (this.#state === "header" || this.#state === "gnu-sparse" || this.#state === "leading-map") {
        if (input.length - at < BLOCK_BYTES) {
          if (at < input.length) this.#held = Buffer.from(input.subarray(at));
          return;
        }
        this.#block(input, at);
        at += BLOCK_BYTES;
        continue;
      }
      const take = Math.min(this.#left, input.length - at);
      if (this.#state === "data" && take > 0) this.#data(input.subarray(at, at + take));
      else if (this.#state === "meta" && take > 0) this.#meta.push(Buffer.from(input.subarray(at, at + take)));
      at += take;
      this.#left -= take;
      if (this.#left > 0) return;
      if (this.#state === "data") this.#handler.endEntry();
      else if (this.#state === "meta") this.#endMeta();
      if (this.#state === "padding") this.#state = "header";
      else this.#expect("padding", this.#padding);
    }
  }

  /**
   * Says that nothing more comes. A missing end mark is no error, nor is a missing rest of the last block: today's
   * client sends contexts like that.
   *
   * @throws {TarError} when an entry is cut short
   */
  end(): void {
    const whole = this.#state === "padding" || (this.#state === "header" && this.#held === undefined);
    const between = whole && !this.#hasExtensions();
    if (!between && this.#state !== "done") throw new TarError();
  }

  #hasExtensions(): boolean {
    return Object.values(this.#extensions).some((value) => value !== undefined);
  }

  #expect(state: State, bytes: number): void {
    this.#state = state;
    this.#left = bytes;
  }

  #block(input: Buffer, at: number): void {
    if (this.#state === "header") {
      this.#header(input, at);
      return;
    }
    const waiting = this.#waiting!;
    if (this.#state === "gnu-sparse") {
      readGnuPieces(input, at, 21, this.#pieces);
      if (input[at + 504] === 0) this.#begin(waiting.header, waiting.size, this.#pieces);
      return;
    }
    if (waiting.size < this.#leading.bytes + BLOCK_BYTES) throw new TarError("sparse map");
    const pieces = this.#leading.push(input.subarray(at, at + BLOCK_BYTES));
    if (pieces !== undefined) this.#begin(waiting.header, waiting.size - this.#leading.bytes, pieces);
  }

  #header(input: Buffer, at: number): void {
    if (input[at] === 0 && isZeroBlock(input, at)) {
      if (this.#hasExtensions()) throw new TarError();
      if (++this.#zeroBlocks === 2) this.#state = "done";
      return;
    }
    if (this.#zeroBlocks > 0) throw new TarError("a lone zero block");
    if (!checksumMatches(input, at)) throw new TarError("checksum");
    const size = parseNumber(input, at + 124, 12, "size");
    if (size < 0) throw new TarError("negative size");
    const type = String.fromCharCode(input[at + 156]!);
    if (type === "x" || type === "g" || type === "L" || type === "K") {
      if (size > MAX_META_BYTES) throw new TarError(`extended header of ${size} bytes`);
      this.#metaType = type;
      this.#meta = [];
      if (type === "g" && this.#handler.globalHeader !== undefined)
        this.#global = { ...buildHeader(input, at, "0", size, {}).header, typeflag: type };
      this.#padding = -size & (BLOCK_BYTES - 1);
      this.#expect("meta", size);
      return;
    }
    this.#entry(input, at, type, size);
  }

  #entry(input: Buffer, at: number, type: string, blockSize: number): void {
    const extensions = this.#extensions;
    this.#extensions = {};
    const { header, stored } = buildHeader(input, at, type, blockSize, extensions);
    const sparse = extensions.pax === undefined || header.type !== "0" ? undefined : paxSparse(extensions.pax);
    if (type === "S") {
      const size = parseNumber(input, at + 483, 12, "sparse size");
      this.#pieces = [];
      readGnuPieces(input, at + 386, 4, this.#pieces);
      const whole = { ...header, size, sparse: true };
      this.#waiting = { header: whole, size: stored };
      if (input[at + 482] === 0) this.#begin(whole, stored, this.#pieces);
      else this.#state = "gnu-sparse";
    } else if (sparse !== undefined) {
      const whole = { ...header, name: sparse.name ?? header.name, size: sparse.size, sparse: true };
      this.#waiting = { header: whole, size: stored };
      this.#leading = new LeadingMap();
      if (sparse.version === "0") this.#begin(whole, stored, sparse.pieces);
      else this.#state = "leading-map";
    } else {
      this.#begin(header, stored, undefined);
    }
  }

  /** @param stored - bytes of data that follow in the archive */
  #begin(header: Header, stored: number, pieces: SparsePiece[] | undefined): void {
    this.#sparse = pieces === undefined ? undefined : new SparseMap(pieces, header.size);
    if (this.#sparse !== undefined && this.#sparse.stored !== stored) throw new TarError("sparse map");
    this.#waiting = undefined;
    this.#position = 0;
    this.#padding = -stored & (BLOCK_BYTES - 1);
    this.#expect("data", stored);
    this.#handler.entry(header);
    if (stored === 0) {
      this.#handler.endEntry();
      this.#state = "header";
    }
  }

  #data(chunk: Buffer): void {
    const sparse = this.#sparse;
    if (sparse === undefined) {
      this.#handler.data(chunk, this.#position);
      this.#position += chunk.length;
      return;
    }
    for (let at = 0; at < chunk.length; ) {
      const piece = sparse.next();
      const part = chunk.subarray(at, at + piece.length);
      this.#handler.data(part, piece.position);
      sparse.advance(part.length);
      at += part.length;
    }
  }

  #endMeta(): void {
    const body = Buffer.concat(this.#meta);
    this.#meta = [];
    if (this.#metaType === "x" || this.#metaType === "g") {
      const records = parsePax(body);
      if (this.#metaType === "x") this.#extensions.pax = records;
      else if (this.#global !== undefined) this.#handler.globalHeader?.(this.#global, body);
      return;
    }
    const end = body.indexOf(0);
    const name = body.toString("latin1", 0, end < 0 ? body.length : end);
    // More behind the terminator would be another name for whoever counts bytes instead.
    if (end >= 0 && body.subarray(end).some((byte) => byte !== 0)) throw new TarError("NUL in a long name");
    if (this.#metaType === "L") this.#extensions.longName = name;
    else this.#extensions.longLink = name;
  }
}
