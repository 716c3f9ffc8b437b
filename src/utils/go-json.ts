/**
 * JSON as Go's encoder writes it.
 *
 * Clients compare bytes: they see `<`, `>` and `&` escaped, so that the text is harmless inside HTML, and map keys sorted
 * by their bytes. A struct keeps the order of its fields; here a plain object plays the struct and a `Map` plays the map.
 *
 * @module
 */

import { JsonError } from "./go-json-decode.ts";

/** Every escape `JSON.stringify` writes, and every character Go escapes and JavaScript does not. */
const ESCAPES = /\\(?:u[0-9a-f]{4}|.)|[<>&\u2028\u2029]/g;
const NEEDS_WORK = /[\\<>&\u2028\u2029]/;

const GO_ESCAPE: Record<string, string> = {
  "\\b": "\\u0008",
  "\\f": "\\u000c",
  "\\t": "\\u0009",
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** Nested deeper than this is no document but an attack on the stack. */
const MAX_DEPTH = 1000;

function goEscape(found: string): string {
  // What is left of a broken pair of surrogates is invalid UTF-8 to Go.
  if (found.startsWith("\\ud")) return "\\ufffd";
  return GO_ESCAPE[found] ?? found;
}

/** A string literal. */
function quote(text: string): string {
  const quoted = JSON.stringify(text);
  return NEEDS_WORK.test(quoted) ? quoted.replace(ESCAPES, goEscape) : quoted;
}

function needsWalk(value: unknown): boolean {
  if (typeof value === "bigint" || value instanceof Map || value instanceof Uint8Array) return true;
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(needsWalk);
  return Object.values(value).some(needsWalk);
}

/** Replaces what `JSON.stringify` does not know: prints through {@link write}. */
function write(value: unknown, depth: number): string | undefined {
  if (depth > MAX_DEPTH) throw new JsonError("exceeded max depth");
  if (typeof value === "string") return quote(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1) ?? "null").join(",")}]`;
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString("base64")}"`;
  if ("toJSON" in value && typeof value.toJSON === "function") return write(value.toJSON(), depth + 1);
  const entries = value instanceof Map ? sortedEntries(value) : Object.entries(value);
  const parts: string[] = [];
  for (const [key, item] of entries) {
    const text = write(item, depth + 1);
    if (text !== undefined) parts.push(`${quote(key)}:${text}`);
  }
  return `{${parts.join(",")}}`;
}

function sortedEntries(map: ReadonlyMap<unknown, unknown>): [string, unknown][] {
  return [...map].map(([key, item]): [string, unknown] => [String(key), item]).sort((a, b) => compareBytes(a[0], b[0]));
}

/** A record that plays a map: the same, with its keys in the order that Go prints them in. */
export function asMap<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  const sorted = Object.create(null) as Record<string, T>; // `__proto__` is a key like any other
  for (const key of Object.keys(record).sort(compareBytes)) sorted[key] = record[key] as T;
  return sorted;
}

/**
 * A value as Go's `json.Marshal` prints it, keys in the object's own order.
 *
 * A `bigint` is an integer, a `Map` an object with its keys sorted, bytes are base64; `undefined` is left out, as a field
 * with `omitempty` is.
 *
 * @throws {JsonError} when the value is nested too deeply
 */
export function goJson(value: unknown): string {
  if (needsWalk(value)) return write(value, 0) ?? "null";
  const text = JSON.stringify(value) ?? "null";
  return NEEDS_WORK.test(text) ? text.replace(ESCAPES, goEscape) : text;
}

/** How {@link goMapJson} prints a number. */
export type NumberText = (value: number) => string;

/**
 * A parsed JSON value as Go prints it after it went through `interface{}`: all keys sorted by their bytes.
 *
 * @param number - what becomes of a number
 * @throws {JsonError} for a number too large for a float64, which Go's decoder refuses, and when nested too deeply
 */
export function goMapJson(value: unknown, number: NumberText, depth = 0): string {
  if (depth > MAX_DEPTH) throw new JsonError("exceeded max depth");
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new JsonError("json: cannot unmarshal number into Go value of type float64");
    return number(value);
  }
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => goMapJson(item, number, depth + 1)).join(",")}]`;
  const object = value as Record<string, unknown>;
  const keys = Object.keys(object).sort(compareBytes);
  return `{${keys.map((key) => `${quote(key)}:${goMapJson(object[key], number, depth + 1)}`).join(",")}}`;
}

/** A float64 as Go prints it. */
export function floatText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/**
 * A float64 after Go's conversion to int64: cut towards zero, and the smallest integer where it does not fit.
 *
 * The latter is what the processor answers on amd64; clients of 1.2.0 see it.
 */
export function int64Text(value: number): string {
  const whole = Math.trunc(value);
  if (Number.isSafeInteger(whole)) return String(whole);
  if (!(Math.abs(whole) < 2 ** 63)) return "-9223372036854775808";
  return BigInt(whole).toString();
}

/** Orders strings as Go does: by the bytes of their UTF-8, not by JavaScript's 16-bit units. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return utf8Rank(x) - utf8Rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for characters beyond U+FFFF and therefore sort after U+E000–U+FFFF. */
function utf8Rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
