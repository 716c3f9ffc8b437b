/**
 * Extended headers (POSIX pax): records `<length> <key>=<value>\n` that replace or extend the fields of the next header.
 *
 * @module
 */

import { TarError } from "./header.ts";

/** Prefix of the keys of extended attributes. */
export const XATTR_PREFIX = "SCHILY.xattr.";

/** What was found in the extended headers before an entry. Values are byte strings. */
export interface PaxRecords {
  readonly fields: ReadonlyMap<string, string>;
  readonly xattrs: ReadonlyMap<string, Buffer> | undefined;
  /** GNU sparse 0.0 repeats its keys: pairs of position and length, in order. */
  readonly sparse: readonly string[];
}

/** Takes a body apart. @throws {TarError} for anything but whole, well-formed records */
export function parsePax(body: Buffer): PaxRecords {
  const fields = new Map<string, string>();
  const sparse: string[] = [];
  let xattrs: Map<string, Buffer> | undefined;
  for (let at = 0; at < body.length; ) {
    const blank = body.indexOf(0x20, at);
    const digits = blank < 0 ? "" : body.toString("latin1", at, Math.min(blank, at + 8));
    const length = /^[0-9]{1,7}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = body.indexOf(0x3d, blank);
    if (blank < 0 || end <= blank || end > body.length || body[end - 1] !== 0x0a || equals < 0 || equals >= end)
      throw new TarError("pax record");
    const key = body.toString("latin1", blank + 1, equals);
    if (key === "" || key.includes("\0")) throw new TarError("pax key");
    if (key.startsWith(XATTR_PREFIX)) {
      xattrs ??= new Map();
      xattrs.set(attributeOf(key), Buffer.from(body.subarray(equals + 1, end - 1)));
    } else {
      const value = body.toString("latin1", equals + 1, end - 1);
      if (value.includes("\0")) throw new TarError(`NUL in ${key}`);
      if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") sparse.push(value);
      else fields.set(key, value);
    }
    at = end;
  }
  return { fields, xattrs, sparse };
}

/** The name of an attribute from the key of its record: GNU tar hides what would end the key. */
function attributeOf(key: string): string {
  return key.slice(XATTR_PREFIX.length).replace(/%(?:25|3D)/g, (hidden) => (hidden === "%25" ? "%" : "="));
}

/** The record of an extended attribute. @param name - a byte string */
export function formatAttribute(name: string, value: Buffer): Buffer {
  // A percent sign that hides nothing stays: not everybody takes it back.
  const hidden = name.replace(/=|%(?=25|3D)/g, (character) => (character === "%" ? "%25" : "%3D"));
  return formatPaxRecord(XATTR_PREFIX + hidden, value);
}

/** One record; its length counts itself. */
export function formatPaxRecord(key: string, value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "latin1") : value;
  const body = key.length + bytes.length + 3;
  let length = body + String(body).length;
  if (body + String(length).length !== length) length = body + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`, "latin1"), bytes, Buffer.from("\n")]);
}

/** A whole number of a record. @throws {TarError} */
export function paxNumber(value: string, key: string): number {
  const number = /^[0-9]{1,20}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new TarError(`${key} is out of range`);
  return number;
}

/** Seconds since 1970 with a fraction, rounded down to nanoseconds. @throws {TarError} */
export function paxTime(value: string): { seconds: number; nanoseconds: number } {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(value);
  if (match === null) throw new TarError("mtime is not a number");
  const fraction = (match[3] ?? "").slice(0, 9).padEnd(9, "0");
  const [seconds, nanoseconds] = [Number(match[2]), Number(fraction)];
  if (match[1] === "") return { seconds, nanoseconds };
  // 0 - x, not -x: there is no negative zero among the seconds.
  return nanoseconds === 0
    ? { seconds: 0 - seconds, nanoseconds }
    : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}
