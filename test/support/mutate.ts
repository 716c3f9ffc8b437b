/**
 * Archives with something wrong in them, the same for the same seed: fields of headers with right checksums, blocks that
 * are gone, doubled or swapped, other bytes, other ends, other compressions.
 */

import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";

const BLOCK = 512;

/** Numbers from a seed (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  /** One of these. */
  of<T>(some: readonly T[]): T {
    return some[this.below(some.length)] as T;
  }
}

/** Fields of a header: where they are, and what may be in them. */
const NUMBERS = [
  "00000000000\0",
  "77777777777\0",
  "-0000000001\0",
  "99999999999\0",
  "\x80\0\0\0\0\0\0\0\0\0\x02\0",
  "\xff".repeat(12),
  "            ",
  "0000000000\x80\0",
];
const NAMES = [
  "../../victim",
  "/etc/passwd",
  "a/../..",
  ".",
  "",
  "..",
  ".wh..",
  ".wh.a",
  ".wh..wh..opq",
  "d",
  "d/",
  "d/f",
  "l/f",
  "a\xff\xfe",
  "x".repeat(100),
];
const FIELDS: readonly [at: number, length: number, values: readonly string[]][] = [
  [0, 100, NAMES],
  [157, 100, NAMES],
  [345, 130, ["..", "/", "p", "x".repeat(100)]],
  [124, 12, NUMBERS],
  [136, 12, NUMBERS],
  [100, 8, ["0007777\0", "\x80\0\0\0\0\0\0\x01", "garbage!"]],
  [108, 8, ["0000000\0", "7777777\0", "\xff".repeat(8)]],
  [329, 8, ["0000000\0", "7777777\0"]],
  [156, 1, [..."01234567gxLKSDVZ", "\0"]],
  [257, 8, ["ustar\x0000", "ustar  \0", "\0".repeat(8)]],
  [386, 24, ["\0", "77777777777\x0077777777777\0", "00000000000\x0000000000001\0"]],
  [482, 13, ["\x0100000000001\0", "\x0077777777777\0"]],
];

function repair(header: Buffer): void {
  header.write("        ", 148, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

/** Where headers seem to be. */
function headersOf(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK)
    if (/^ustar/.test(bytes.toString("latin1", at + 257, at + 262))) found.push(at);
  return found;
}

function once(dice: Dice, bytes: Buffer): Buffer {
  const blocks = Math.floor(bytes.length / BLOCK);
  const block = (n: number) => bytes.subarray(n * BLOCK, (n + 1) * BLOCK);
  const [a, b] = [dice.below(blocks), dice.below(blocks)].sort((x, y) => x - y) as [number, number];
  const headers = headersOf(bytes);
  switch (dice.below(headers.length > 0 ? 12 : 6)) {
    case 0:
      return bytes.subarray(0, dice.below(bytes.length));
    case 1:
      return Buffer.concat([bytes.subarray(0, a * BLOCK), bytes.subarray(b * BLOCK)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, b * BLOCK), bytes.subarray(a * BLOCK)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, a * BLOCK), block(b), bytes.subarray(a * BLOCK)]);
    case 4:
    case 5: {
      const at = dice.below(Math.max(bytes.length, 1));
      bytes[at] = dice.below(256);
      return bytes;
    }
    default: {
      const at = dice.of(headers);
      const [offset, length, values] = dice.of(FIELDS);
      const header = bytes.subarray(at, at + BLOCK);
      header.fill(0, offset, offset + length).write(dice.of(values), offset, length, "latin1");
      repair(header);
      return bytes;
    }
  }
}

/** An archive with one to four things wrong. @param packs - whether it may come compressed, and broken again */
export function mutated(dice: Dice, archive: Buffer, packs = true): Buffer {
  let bytes: Buffer = Buffer.from(archive);
  for (let left = 1 + dice.below(4); left > 0 && bytes.length >= BLOCK; left--) bytes = Buffer.from(once(dice, bytes));
  if (!packs || dice.below(4) > 0) return bytes;
  const packed =
    dice.below(2) === 0 ? gzipSync(bytes, { level: 1 }) : execFileSync("zstd", ["-q", "-c"], { input: bytes });
  if (dice.below(2) === 0) return packed;
  packed[dice.below(packed.length)] = dice.below(256);
  return dice.below(3) === 0 ? packed.subarray(0, dice.below(packed.length)) : packed;
}
