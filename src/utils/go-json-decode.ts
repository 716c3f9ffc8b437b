/**
 * JSON as Go's decoder reads it: with its error texts, and value by value from a longer text.
 *
 * `JSON.parse` does the work. Only a text it refuses, or one with more behind the value, is scanned here.
 *
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";

/** A text that is no JSON, or JSON of the wrong kind; the message is Go's. */
export class JsonError extends BadRequestError {}

const END = "unexpected end of JSON input";
const MAX_DEPTH = 10_000;

function refuse(text: string, at: number, context: string): never {
  if (at >= text.length) throw new JsonError(END);
  // Go's scanner sees bytes: of a longer character only the first one is named.
  const byte = Buffer.from(String.fromCodePoint(text.codePointAt(at) ?? 0), "utf8")[0] ?? 0;
  throw new JsonError(`invalid character ${quoteByte(byte)} ${context}`);
}

function quoteByte(byte: number): string {
  const named: Record<number, string> = {
    7: "\\a",
    8: "\\b",
    9: "\\t",
    10: "\\n",
    11: "\\v",
    12: "\\f",
    13: "\\r",
    39: "\\'",
    92: "\\\\",
  };
  const short = named[byte];
  if (short !== undefined) return `'${short}'`;
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, "0")}'`;
  if ((byte >= 0x80 && byte <= 0xa0) || byte === 0xad) return `'\\u00${byte.toString(16)}'`;
  return `'${String.fromCharCode(byte)}'`;
}

const isDigit = (c: string | undefined) => c !== undefined && c >= "0" && c <= "9";
const isSpace = (c: string | undefined) => c === " " || c === "\t" || c === "\n" || c === "\r";

function skipSpace(text: string, at: number): number {
  let i = at;
  while (isSpace(text[i])) i++;
  return i;
}

function scanString(text: string, start: number): number {
  for (let i = start + 1; ; i++) {
    const c = text[i];
    if (c === undefined || c < " ") refuse(text, i, "in string literal");
    if (c === '"') return i + 1;
    if (c !== "\\") continue;
    const letter = text[++i];
    if (letter === undefined || !'bfnrt\\/"u'.includes(letter)) refuse(text, i, "in string escape code");
    if (letter !== "u") continue;
    for (const last = i + 4; i < last; ) {
      if (!/^[0-9a-fA-F]$/.test(text[++i] ?? "")) refuse(text, i, "in \\u hexadecimal character escape");
    }
  }
}

function scanNumber(text: string, start: number): number {
  let i = start;
  const digits = (context: string) => {
    if (!isDigit(text[i])) refuse(text, i, context);
    while (isDigit(text[i])) i++;
  };
  if (text[i] === "-") i++;
  if (text[i] === "0") i++;
  else digits("in numeric literal");
  if (text[i] === ".") {
    i++;
    digits("after decimal point in numeric literal");
  }
  if (text[i] === "e" || text[i] === "E") {
    i++;
    if (text[i] === "+" || text[i] === "-") i++;
    digits("in exponent of numeric literal");
  }
  return i;
}

function scanWord(text: string, start: number, word: string): number {
  for (let i = 1; i < word.length; i++) {
    if (text[start + i] !== word[i]) refuse(text, start + i, `in literal ${word} (expecting '${word[i]}')`);
  }
  return start + word.length;
}

function scanScalar(text: string, at: number): number {
  const c = text[at];
  if (c === '"') return scanString(text, at);
  if (c === "-" || isDigit(c)) return scanNumber(text, at);
  if (c === "t") return scanWord(text, at, "true");
  if (c === "f") return scanWord(text, at, "false");
  if (c === "n") return scanWord(text, at, "null");
  return refuse(text, at, "looking for beginning of value");
}

/**
 * Finds where the value that begins at `start` ends.
 *
 * @throws {JsonError} with the text of Go's scanner
 */
function scanValue(text: string, start: number): number {
  const open: ("{" | "[")[] = [];
  let i = start;
  let expect: "value" | "first value" | "key" | "first key" | "colon" | "more" = "value";
  for (;;) {
    i = skipSpace(text, i);
    const c = text[i];
    const inside = open[open.length - 1];
    if ((expect === "first key" && c === "}") || (expect === "first value" && c === "]")) {
      open.pop();
      i++;
      expect = "more";
    } else if (expect === "value" || expect === "first value") {
      if (c === "{" || c === "[") {
        if (open.push(c) > MAX_DEPTH) throw new JsonError("exceeded max depth");
        i++;
        expect = c === "{" ? "first key" : "first value";
        continue;
      }
      i = scanScalar(text, i);
      expect = "more";
    } else if (expect === "key" || expect === "first key") {
      if (c !== '"') refuse(text, i, "looking for beginning of object key string");
      i = scanString(text, i);
      expect = "colon";
      continue;
    } else if (expect === "colon") {
      if (c !== ":") refuse(text, i, "after object key");
      i++;
      expect = "value";
      continue;
    } else if (c === ",") {
      i++;
      expect = inside === "{" ? "key" : "value";
      continue;
    } else if (c === (inside === "{" ? "}" : "]")) {
      open.pop();
      i++;
    } else {
      refuse(text, i, inside === "{" ? "after object key:value pair" : "after array element");
    }
    if (open.length === 0) return i;
  }
}

/** An escape: both halves of a character, half of one, or any other. */
const ESCAPE = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)/gs;
const HALF_LENGTH = "\\ud800".length;

/** Half a character is U+FFFD to Go. */
function parse(text: string): unknown {
  if (!/\\u[dD][89a-fA-F]/.test(text)) return JSON.parse(text);
  return JSON.parse(text.replace(ESCAPE, (found) => (found.length === HALF_LENGTH ? "\\ufffd" : found)));
}

/**
 * Reads a text that is one JSON value, as Go's `json.Unmarshal`.
 *
 * @throws {JsonError} `unexpected end of JSON input`, `invalid character …`
 */
export function unmarshal(text: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    const rest = skipSpace(text, scanValue(text, skipSpace(text, 0)));
    if (rest < text.length) refuse(text, rest, "after top-level value");
    throw cause;
  }
}

/**
 * Reads the first value of a text that may hold more, as Go's `json.Decoder`.
 *
 * @param start - where to begin
 * @returns the value and where it ends; `undefined` when there is nothing but white space
 * @throws {JsonError} `unexpected EOF`, `invalid character …`
 */
export function decodeNext(text: string, start = 0): { value: unknown; end: number } | undefined {
  const from = skipSpace(text, start);
  if (from >= text.length) return undefined;
  try {
    const end = scanValue(text, from);
    return { value: parse(text.slice(from, end)), end };
  } catch (cause) {
    if (cause instanceof JsonError && cause.message === END) throw new JsonError("unexpected EOF", { cause });
    throw cause;
  }
}

/**
 * Reads the first value of a text, which must be an object or `null`, as a `json.Decoder` does into a Go map.
 *
 * @returns the object; an empty one for `null`
 * @throws {JsonError} `EOF` when there is nothing
 */
export function decodeObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    const next = decodeNext(text);
    if (next === undefined) throw new JsonError("EOF");
    value = next.value;
  }
  return asObject(value);
}

/**
 * @param type - what Go calls the type that is wanted
 * @throws {JsonError} unless the value is an object or `null`
 */
export function asObject(value: unknown, type = "map[string]interface {}"): Record<string, unknown> {
  if (value === null) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  throw new JsonError(`json: cannot unmarshal ${kind} into Go value of type ${type}`);
}
