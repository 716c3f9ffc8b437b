/**
 * From a header block and the extended headers before it to one {@link Header}.
 *
 * @module
 */

import { cString, type EntryType, type Header, parseNumber, TarError } from "./header.ts";
import { type PaxRecords, paxNumber, paxTime } from "./pax.ts";

/** What came before the header and belongs to it. */
export interface Extensions {
  pax?: PaxRecords | undefined;
  longName?: string | undefined;
  longLink?: string | undefined;
}

/** Largest user or group id. 2^32−1 is no id: to chown(2) it means "as it is", and one more is root. */
export const MAX_ID = 0xfffffffe;

/** The entry types by their character; NUL and `7` are files, `S` is one with holes. */
const TYPES: Readonly<Record<string, EntryType>> = {
  "\0": "0",
  "0": "0",
  "1": "1",
  "2": "2",
  "3": "3",
  "4": "4",
  "5": "5",
  "6": "6",
  "7": "0",
  S: "0",
};

/** The beginnings of the magic with which names of owner and group are there. */
const NAMED: ReadonlySet<string> = new Set(["ustar\0", "ustar "]);

/**
 * Reads all fields.
 *
 * @returns also how many bytes of data follow in the archive
 * @throws {TarError}
 * @deviation A file whose name ends with a slash is a directory, which has no data, as to GNU tar; to 1.2.0 it is a file.
 */
export function buildHeader(
  block: Buffer,
  at: number,
  typeflag: string,
  blockSize: number,
  { pax, longName, longLink }: Extensions,
): { header: Header; stored: number } {
  const field = (key: string) => pax?.fields.get(key) || undefined; // an empty value takes the record back
  const name = field("path") ?? longName ?? shortName(block, at);
  let type = TYPES[typeflag];
  if (type === undefined) throw new Error(`Unhandled tar header type ${typeflag.charCodeAt(0)}`);
  // Before there was a type for them, directories were files whose name ends with a slash.
  if (type === "0" && typeflag !== "S" && name.endsWith("/")) type = "5";
  const [paxSize, paxUid, paxGid, time] = [field("size"), field("uid"), field("gid"), field("mtime")];
  const size = paxSize === undefined ? blockSize : paxNumber(paxSize, "size");
  const stored = type === "0" ? size : 0;
  const mtime = time === undefined ? undefined : paxTime(time);
  const device = type === "3" || type === "4";
  const fullMode = parseNumber(block, at + 100, 8, "mode");
  const named = NAMED.has(block.toString("latin1", at + 257, at + 263));
  return {
    stored,
    header: {
      name,
      type,
      typeflag,
      mode: fullMode & 0o7777,
      fullMode,
      uid: id(paxUid === undefined ? parseNumber(block, at + 108, 8, "uid") : paxNumber(paxUid, "uid"), "uid"),
      gid: id(paxGid === undefined ? parseNumber(block, at + 116, 8, "gid") : paxNumber(paxGid, "gid"), "gid"),
      uname: field("uname") ?? (named ? cString(block, at + 265, 32) : ""),
      gname: field("gname") ?? (named ? cString(block, at + 297, 32) : ""),
      size: stored,
      mtime: mtime === undefined ? parseNumber(block, at + 136, 12, "mtime") : mtime.seconds,
      mtimeNs: mtime?.nanoseconds ?? 0,
      linkname: field("linkpath") ?? longLink ?? cString(block, at + 157, 100),
      devMajor: device ? parseNumber(block, at + 329, 8, "device number") : 0,
      devMinor: device ? parseNumber(block, at + 337, 8, "device number") : 0,
      xattrs: pax?.xattrs,
      sparse: false,
    },
  };
}

function id(value: number, what: string): number {
  if (value < 0 || value > MAX_ID) throw new TarError(`${what} ${value} is out of range`);
  return value;
}

/** The name in the header itself; ustar may have put its first directories into a field of their own. */
function shortName(block: Buffer, at: number): string {
  const name = cString(block, at, 100);
  const magic = block.toString("latin1", at + 257, at + 263);
  if (magic !== "ustar\0") return name;
  const star = block.toString("latin1", at + 508, at + 512) === "tar\0";
  const prefix = cString(block, at + 345, star ? 131 : 155);
  return prefix === "" ? name : `${prefix}/${name}`;
}
