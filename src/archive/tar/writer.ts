/**
 * Writes the headers of a tar archive as Go 1.2's writer does, which 1.2.0 uses.
 *
 * ```text
 * name or link beyond 100 bytes or ASCII   ustar prefix where the name can be split at a slash, else pax
 * extended attributes                      pax
 * numbers that do not fit                  binary, with GNU's magic
 * ```
 *
 * The original is Go's own `archive/tar`, writer.go, which 1.2.0 carries with it.
 * @module
 */

import { isAscii } from "../byte-string.ts";
import { BLOCK_BYTES, type EntryType } from "./header.ts";
import { formatAttribute, formatPaxRecord } from "./pax.ts";

/** Type bits of the mode, as stat(2) has them. */
export const TYPE_BITS: Readonly<Record<EntryType, number>> = {
  "0": 0o100000,
  "1": 0o100000,
  "2": 0o120000,
  "3": 0o020000,
  "4": 0o060000,
  "5": 0o040000,
  "6": 0o010000,
};

/** What is to be written. Names are byte strings. */
export interface WriteHeader {
  readonly name: string;
  /** A socket is written with type NUL. `g` is a global extended header, whose records are its content. */
  readonly type: EntryType | "\0" | "7" | "g";
  /** With its type bits, as 1.2.0 writes it. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names of owner and group, byte strings. */
  readonly uname?: string;
  readonly gname?: string;
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** A fraction of a second, in nanoseconds, goes into a pax record. */
  readonly mtimeNs?: number;
  readonly linkname?: string;
  readonly devMajor?: number;
  readonly devMinor?: number;
  readonly xattrs?: ReadonlyMap<string, Buffer> | undefined;
}

const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const OWNER_BYTES = 32;
/** The largest time that eleven octal digits hold. */
const MAX_MTIME = 2 ** 33 - 1;

/** What ends an archive. */
export const TRAILER: Buffer = Buffer.alloc(2 * BLOCK_BYTES);

/** How many zero bytes follow this much data. */
export function paddingOf(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

/**
 * The blocks before an entry's data.
 *
 * @param pid - goes into the name of the extended header, as POSIX wants it
 * @deviation Times before 1970, after 2242, and fractions of a second are kept, in pax records; 1.2.0 writes 0 for the
 *   first two and drops the last. Only the caller decides whether there is a fraction. A prefix and binary numbers never
 *   come together: under GNU's magic nobody reads the prefix, which 1.2.0 overlooks.
 */
export function encodeHeader(header: WriteHeader, pid: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const records: Buffer[] = [];
  let binary = false;

  const text = (value: string, offset: number, key: string, room = NAME_BYTES): boolean => {
    if (value.length > room || !isAscii(value)) {
      records.push(formatPaxRecord(key, value));
      return false;
    }
    block.write(value, offset, "latin1");
    return true;
  };
  const number = (value: number, offset: number, length: number) => {
    const digits = value.toString(8);
    if (digits.length < length) {
      block.write(digits.padStart(length - 1, "0"), offset, "latin1");
      return;
    }
    binary = true;
    let rest = value;
    for (let at = offset + length - 1; at >= offset; at--) {
      block[at] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    block[offset]! |= 0x80;
  };

  const split = header.name.length > NAME_BYTES && isAscii(header.name) ? splitName(header.name) : undefined;
  const prefixed =
    split !== undefined &&
    isShort(header.linkname) &&
    isShort(header.uname, OWNER_BYTES) &&
    isShort(header.gname, OWNER_BYTES) &&
    (header.xattrs?.size ?? 0) === 0 &&
    !hasOddTime(header) &&
    !hasBinary(header);
  if (prefixed) {
    block.write(split.suffix, 0, "latin1");
    block.write(split.prefix, 345, "latin1");
  } else {
    text(header.name, 0, "path");
  }
  number(header.mode, 100, 8);
  number(header.uid, 108, 8);
  number(header.gid, 116, 8);
  number(header.size, 124, 12);
  number(header.mtime >= 0 && header.mtime <= MAX_MTIME ? header.mtime : 0, 136, 12);
  block[156] = header.type.charCodeAt(0);
  text(header.linkname ?? "", 157, "linkpath");
  text(header.uname ?? "", 265, "uname", OWNER_BYTES);
  text(header.gname ?? "", 297, "gname", OWNER_BYTES);
  number(header.devMajor ?? 0, 329, 8);
  number(header.devMinor ?? 0, 337, 8);
  block.write(binary ? "ustar  \0" : "ustar\x0000", 257, "latin1");
  writeChecksum(block);

  if (hasOddTime(header)) records.push(formatPaxRecord("mtime", paxTimeText(header.mtime, header.mtimeNs ?? 0)));
  for (const [name, value] of header.xattrs ?? []) records.push(formatAttribute(name, value));
  return records.length === 0 ? block : Buffer.concat([encodePax(header, Buffer.concat(records), pid), block]);
}

function isShort(value = "", room = NAME_BYTES): boolean {
  return value.length <= room && isAscii(value);
}

function hasBinary({ uid, gid, size }: WriteHeader): boolean {
  return uid > 0o7777777 || gid > 0o7777777 || size > 0o77777777777;
}

function hasOddTime(header: WriteHeader): boolean {
  return (header.mtimeNs ?? 0) !== 0 || header.mtime < 0 || header.mtime > MAX_MTIME;
}

/** Seconds with a fraction; before 1970 the fraction counts backwards. */
function paxTimeText(seconds: number, nanoseconds: number): string {
  const back = seconds < 0 && nanoseconds > 0;
  const whole = back ? seconds + 1 : seconds;
  const fraction = String(back ? 1e9 - nanoseconds : nanoseconds)
    .padStart(9, "0")
    .replace(/0+$/, "");
  return `${back && whole === 0 ? "-0" : whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Cuts a long name in two at a slash. */
function splitName(name: string): { prefix: string; suffix: string } | undefined {
  let length = name.length;
  if (length > PREFIX_BYTES + 1) length = PREFIX_BYTES + 1;
  else if (name.endsWith("/")) length--;
  const at = name.lastIndexOf("/", length - 1);
  const suffix = name.slice(at + 1);
  if (at <= 0 || suffix === "" || suffix.length > NAME_BYTES || at > PREFIX_BYTES) return undefined;
  return { prefix: name.slice(0, at), suffix };
}

/** The extended header: a small file of its own before the real one. */
function encodePax(header: WriteHeader, body: Buffer, pid: number): Buffer {
  const slash = header.name.lastIndexOf("/");
  const name = `${header.name.slice(0, slash + 1)}PaxHeaders.${pid}/${header.name.slice(slash + 1)}`.replace(
    /[^\x00-\x7f]/g,
    "",
  );
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(name.slice(0, NAME_BYTES), 0, "latin1");
  for (const [offset, length] of [
    [100, 8],
    [108, 8],
    [116, 8],
  ] as const)
    block.write("0".repeat(length - 1), offset, "latin1");
  block.write(body.length.toString(8).padStart(11, "0"), 124, "latin1");
  const mtime = header.mtime >= 0 && header.mtime <= MAX_MTIME ? header.mtime : 0;
  block.write(mtime.toString(8).padStart(11, "0"), 136, "latin1");
  block[156] = 0x78;
  block.write("ustar\x0000", 257, "latin1");
  block.write("0000000", 329, "latin1");
  block.write("0000000", 337, "latin1");
  writeChecksum(block);
  return Buffer.concat([block, body, Buffer.alloc(paddingOf(body.length))]);
}

/** Six digits, a NUL and a blank. */
function writeChecksum(block: Buffer): void {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}
