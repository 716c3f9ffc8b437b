/**
 * What Node's file calls take and give besides paths.
 *
 * @module
 */

/** How a path may be given; bytes that are no UTF-8 are lost, as they are on the volume. */
export type PathLike = string | Uint8Array;

/** Seconds since 1970, or a date. */
export type FileTime = number | string | Date;

/** A path as text. */
export function text(path: PathLike): string {
  return typeof path === "string" ? path : Buffer.from(path).toString("utf8");
}

/** A name as it was asked for. */
export function recode(name: string, encoding: BufferEncoding | "buffer" | null | undefined): string | Buffer {
  if (encoding === "buffer") return Buffer.from(name);
  return encoding == null || encoding === "utf8" ? name : Buffer.from(name).toString(encoding);
}

/** A time in milliseconds. */
export function milliseconds(time: FileTime): number {
  return time instanceof Date ? time.getTime() : Number(time) * 1000;
}

/** Linux's numbers. */
const FLAGS: Readonly<Record<string, number>> = {
  r: 0,
  rs: 0o4010000,
  "r+": 2,
  "rs+": 0o4010002,
  w: 0o1101,
  wx: 0o1301,
  "w+": 0o1102,
  "wx+": 0o1302,
  a: 0o2101,
  ax: 0o2301,
  "a+": 0o2102,
  "ax+": 0o2302,
  as: 0o4012101,
  "as+": 0o4012102,
};

/** Flags of open(2) from what Node calls them. @throws {TypeError} for what it does not know */
export function openFlags(flags: string | number): number {
  const number = typeof flags === "number" ? flags : FLAGS[flags];
  if (number === undefined) throw new TypeError(`The argument 'flags' is invalid. Received '${flags}'`);
  return number;
}

const KINDS = {
  isFile: 0o100000,
  isDirectory: 0o040000,
  isSymbolicLink: 0o120000,
  isCharacterDevice: 0o020000,
  isBlockDevice: 0o060000,
  isFIFO: 0o010000,
  isSocket: 0o140000,
} as const;

/** What `readdir` tells with `withFileTypes`. */
export class DirectoryEntry {
  readonly name: string | Buffer;
  readonly parentPath: string;
  readonly #type: number;

  constructor(name: string | Buffer, parentPath: string, mode: number) {
    this.name = name;
    this.parentPath = parentPath;
    this.#type = mode & 0o170000;
  }

  get path(): string {
    return this.parentPath;
  }

  isFile(): boolean {
    return this.#type === KINDS.isFile;
  }

  isDirectory(): boolean {
    return this.#type === KINDS.isDirectory;
  }

  isSymbolicLink(): boolean {
    return this.#type === KINDS.isSymbolicLink;
  }

  isCharacterDevice(): boolean {
    return this.#type === KINDS.isCharacterDevice;
  }

  isBlockDevice(): boolean {
    return this.#type === KINDS.isBlockDevice;
  }

  isFIFO(): boolean {
    return this.#type === KINDS.isFIFO;
  }

  isSocket(): boolean {
    return this.#type === KINDS.isSocket;
  }
}
