/**
 * One header of a tar archive: 512 bytes of fixed fields.
 *
 * ```text
 *   0 name     100   108 uid   8   124 size   12   148 checksum 8   157 linkname 100   329 devmajor 8
 * 100 mode       8   116 gid   8   136 mtime  12   156 type     1   257 magic      8   337 devminor 8   345 prefix 155
 * ```
 *
 * Numbers are octal text or, with the highest bit of the first byte set, big-endian binary (GNU).
 *
 * The original is Go's own `archive/tar`, common.go, which 1.2.0 carries with it.
 * @module
 */

export const BLOCK_BYTES = 512;

/** What 1.2.0 says about every archive it cannot read. */
export class TarError extends Error {
  /** @param reason - added to the text in parentheses; without one, the archive ends too early */
  constructor(reason?: string) {
    super(reason === undefined ? "unexpected EOF" : `archive/tar: invalid tar header (${reason})`);
    this.name = "TarError";
  }
}

/** Type of an entry: the character of the header. `7` (contiguous) and NUL have become `0` already. */
export type EntryType = "0" | "1" | "2" | "3" | "4" | "5" | "6";

/** An entry of an archive. Names are byte strings, see `byte-string.ts`. */
export interface Header {
  readonly name: string;
  /** `0` file, `1` hard link, `2` symbolic link, `3` character device, `4` block device, `5` directory, `6` fifo. */
  readonly type: EntryType;
  /** The type as the archive says it: also NUL and `7` for files, `S` for one with holes. */
  readonly typeflag: string;
  /** Permissions with set-user-id, set-group-id and sticky bit. */
  readonly mode: number;
  /** The whole number that the archive gives as mode; often the type's bits are in it. */
  readonly fullMode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names of owner and group, "" without; nobody is looked up by them. */
  readonly uname: string;
  readonly gname: string;
  /** Bytes of the file when it is unpacked, holes included; 0 for everything that is no file. */
  readonly size: number;
  /** Time of the last change: whole seconds, rounded down, … */
  readonly mtime: number;
  /** … and nanoseconds of the next one. */
  readonly mtimeNs: number;
  readonly linkname: string;
  readonly devMajor: number;
  readonly devMinor: number;
  /** Extended attributes by name. */
  readonly xattrs: ReadonlyMap<string, Buffer> | undefined;
  /** Whether the file has holes: its data then comes with the position it belongs to. */
  readonly sparse: boolean;
}

/** The text of a field up to its first NUL. */
export function cString(block: Buffer, offset: number, length: number): string {
  const end = block.indexOf(0, offset);
  return block.toString("latin1", offset, end < 0 || end > offset + length ? offset + length : end);
}

/** Reads a number. @throws {TarError} when it is none, or beyond what a number holds exactly */
export function parseNumber(block: Buffer, offset: number, length: number, field: string): number {
  const first = block[offset]!;
  if (first >= 0x80) return parseBinary(block, offset, length, field);
  let at = offset;
  let end = offset + length;
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++;
  // What is behind the first NUL or blank does not count.
  let value = 0;
  for (; at < end; at++) {
    const byte = block[at]!;
    if (byte >= 0x30 && byte <= 0x37) value = value * 8 + byte - 0x30;
    else if (byte === 0x20 || byte === 0) end = at;
    else throw new TarError(`${field} is not a number`);
  }
  return value;
}

function parseBinary(block: Buffer, offset: number, length: number, field: string): number {
  // Two's complement; bit 7 of the first byte is the mark, bit 6 the sign.
  const negative = (block[offset]! & 0x40) !== 0;
  let value = negative ? (block[offset]! | 0x80) - 256 : block[offset]! & 0x7f;
  for (let at = offset + 1; at < offset + length; at++) {
    value = value * 256 + block[at]!;
    if (!Number.isSafeInteger(value)) throw new TarError(`${field} is out of range`);
  }
  return value;
}

/**
 * Whether the block's checksum is right: the sum of all bytes, those of the checksum itself counted as blanks. Some old
 * programs summed signed bytes.
 */
export function checksumMatches(block: Buffer, offset: number): boolean {
  const expected = parseNumber(block, offset + 148, 8, "checksum");
  let sum = 0;
  for (let at = offset; at < offset + BLOCK_BYTES; at++) sum += block[at]!;
  for (let at = offset + 148; at < offset + 156; at++) sum += 0x20 - block[at]!;
  if (sum === expected) return true;
  for (let at = offset; at < offset + BLOCK_BYTES; at++) {
    if (block[at]! >= 0x80 && (at < offset + 148 || at >= offset + 156)) sum -= 256;
  }
  return sum === expected;
}

/** Whether bytes begin an archive that is not compressed: with a header, and no empty one. */
export function beginsTar(head: Buffer): boolean {
  if (head.length < BLOCK_BYTES || isZeroBlock(head, 0)) return false;
  try {
    return checksumMatches(head, 0);
  } catch (cause) {
    if (cause instanceof TarError) return false; // the checksum is no number
    throw cause;
  }
}

/** Whether a block is all zeros: two of them end an archive. */
export function isZeroBlock(block: Buffer, offset: number): boolean {
  for (let at = offset; at < offset + BLOCK_BYTES; at++) if (block[at] !== 0) return false;
  return true;
}
