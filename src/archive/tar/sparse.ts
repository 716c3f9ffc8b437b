/**
 * Files with holes, in the four forms GNU tar has written them: type `S` with a map in the header, and pax 0.0
 * (repeated keys), 0.1 (one key) and 1.0 (lines before the data).
 *
 * @module
 */

import { cString, parseNumber, TarError } from "./header.ts";
import { type PaxRecords, paxNumber } from "./pax.ts";

/** A piece of data: where it belongs and how long it is. */
export interface SparsePiece {
  readonly position: number;
  readonly length: number;
}

/** As much as a million pieces is no file anybody has (CVE-2025-58183). */
export const MAX_PIECES = 1 << 20;

/** The map of a file and how long it is with its holes. */
export class SparseMap {
  readonly size: number;
  readonly pieces: readonly SparsePiece[];
  /** Bytes in the archive. */
  readonly stored: number;
  #piece = 0;
  #done = 0;

  /** @throws {TarError} when the pieces overlap, or do not fit the size */
  constructor(pieces: readonly SparsePiece[], size: number) {
    let end = 0;
    let stored = 0;
    for (const { position, length } of pieces) {
      if (position < end || length < 0 || position + length > size) throw new TarError("sparse map");
      end = position + length;
      stored += length;
    }
    this.size = size;
    this.pieces = pieces;
    this.stored = stored;
  }

  /** Where the next bytes belong, and how many of them. */
  next(): SparsePiece {
    for (;;) {
      const piece = this.pieces[this.#piece];
      if (piece === undefined) throw new TarError("sparse data");
      if (this.#done < piece.length)
        return { position: piece.position + this.#done, length: piece.length - this.#done };
      this.#piece++;
      this.#done = 0;
    }
  }

  /** Says how many of them were taken. */
  advance(bytes: number): void {
    this.#done += bytes;
  }
}

/** Reads `count` pieces of an `S` header or its continuation; an empty one ends the list. */
export function readGnuPieces(block: Buffer, offset: number, count: number, into: SparsePiece[]): void {
  for (let index = 0, at = offset; index < count; index++, at += 24) {
    if (block[at] === 0) return;
    into.push({ position: parseNumber(block, at, 12, "sparse"), length: parseNumber(block, at + 12, 12, "sparse") });
    if (into.length > MAX_PIECES) throw new TarError("sparse map too long");
  }
}

/** What the extended header says about holes; for 1.0 the map itself follows with the data. */
export function paxSparse(
  records: PaxRecords,
): { version: "0" | "1"; name: string | undefined; size: number; pieces: SparsePiece[] } | undefined {
  const { fields } = records;
  const name = fields.get("GNU.sparse.name");
  if (fields.get("GNU.sparse.major") === "1" && fields.get("GNU.sparse.minor") === "0")
    return { version: "1", name, size: paxNumber(fields.get("GNU.sparse.realsize") ?? "", "sparse size"), pieces: [] };
  const map = fields.get("GNU.sparse.map");
  const size = fields.get("GNU.sparse.size");
  if (size === undefined || (map === undefined && records.sparse.length === 0)) return undefined;
  const numbers = (map === undefined ? records.sparse : map.split(",")).map((text) => paxNumber(text, "sparse map"));
  if (numbers.length % 2 !== 0 || numbers.length > 2 * MAX_PIECES) throw new TarError("sparse map");
  const pieces: SparsePiece[] = [];
  for (let at = 0; at < numbers.length; at += 2) pieces.push({ position: numbers[at]!, length: numbers[at + 1]! });
  return { version: "0", name, size: paxNumber(size, "sparse size"), pieces };
}

/** Longest map that may stand before the data, in bytes. */
const MAX_MAP_BYTES = 1 << 20;

/** The map before the data (version 1.0): decimal numbers, one per line; the first says how many pieces follow. */
export class LeadingMap {
  readonly #blocks: Buffer[] = [];
  #lines = 0;
  #wanted: number | undefined;
  /** Bytes taken so far. */
  bytes = 0;

  /** Takes the next block. @returns the map, when it is whole */
  push(block: Buffer): SparsePiece[] | undefined {
    this.#blocks.push(Buffer.from(block));
    this.bytes += block.length;
    if (this.bytes > MAX_MAP_BYTES) throw new TarError("sparse map too long");
    for (const byte of block) if (byte === 0x0a) this.#lines++;
    if (this.#lines === 0) throw new TarError("sparse map");
    this.#wanted ??= 2 * paxNumber(cString(block, 0, block.length).split("\n")[0]!, "sparse map") + 1;
    if (this.#wanted > 2 * MAX_PIECES) throw new TarError("sparse map too long");
    if (this.#lines < this.#wanted) return undefined;
    const numbers = Buffer.concat(this.#blocks).toString("latin1").split("\n").slice(1, this.#wanted);
    const pieces: SparsePiece[] = [];
    for (let at = 0; at < numbers.length; at += 2)
      pieces.push({
        position: paxNumber(numbers[at]!, "sparse map"),
        length: paxNumber(numbers[at + 1]!, "sparse map"),
      });
    return pieces;
  }
}
