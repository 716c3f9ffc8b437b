/**
 * Numbers and quotes as Go's `strconv` reads and writes them.
 *
 * Flags, sizes and ports pass the texts of these errors on to the user, so they are Go 1.3's to the letter
 * (`strconv.ParseInt` also where the caller said `Atoi`).
 *
 * @module
 */

/** A text that is no number of the wanted kind. `fallback` is what Go returns beside the error, and some callers use it. */
export class NumError<T> extends Error {
  readonly fallback: T;

  /** Builds `strconv.<func>: parsing "<text>": <reason>`. */
  constructor(func: string, text: string, reason: "invalid syntax" | "value out of range", fallback: T) {
    super(`strconv.${func}: parsing ${quote(text)}: ${reason}`);
    this.name = "NumError";
    this.fallback = fallback;
  }
}

const truths = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const lies = new Set(["0", "f", "F", "false", "FALSE", "False"]);

/** @throws {NumError} for anything but Go's twelve spellings */
export function parseBool(text: string): boolean {
  if (truths.has(text)) return true;
  if (lies.has(text)) return false;
  throw new NumError("ParseBool", text, "invalid syntax", false);
}

/** The digits' value in base 10, or with `base` 0 also hexadecimal (`0x`) and octal (`0`). `undefined`: not a number. */
function magnitude(digits: string, base: 0 | 10): bigint | undefined {
  if (base === 0 && /^0[xX][0-9a-fA-F]+$/.test(digits)) return BigInt(digits);
  if (base === 0 && /^0[0-7]+$/.test(digits)) return BigInt(`0o${digits.slice(1)}`);
  if (base === 0 && /^0./.test(digits)) return undefined;
  return /^[0-9]+$/.test(digits) ? BigInt(digits) : undefined;
}

/**
 * A signed integer of `bits` bits. Above 2^53 the result is the nearest number JavaScript has.
 *
 * @param base - 10, or 0 to let a prefix decide
 * @throws {NumError} its `fallback` is 0, or the nearest bound when the value is out of range
 */
export function parseInteger(text: string, base: 0 | 10 = 10, bits = 64): number {
  const sign = text.startsWith("-") ? -1n : 1n;
  const size = magnitude(text.replace(/^[+-]/, ""), base);
  if (size === undefined) throw new NumError("ParseInt", text, "invalid syntax", 0);
  const bound = 1n << BigInt(bits - 1);
  const value = sign * size;
  if (value >= bound) throw new NumError("ParseInt", text, "value out of range", Number(bound - 1n));
  if (value < -bound) throw new NumError("ParseInt", text, "value out of range", Number(-bound));
  return Number(value);
}

/** An unsigned integer of `bits` bits; no sign is accepted. @throws {NumError} as {@link parseInteger} */
export function parseUint(text: string, base: 0 | 10 = 10, bits = 64): number {
  const value = magnitude(text, base);
  if (value === undefined) throw new NumError("ParseUint", text, "invalid syntax", 0);
  const bound = 1n << BigInt(bits);
  if (value >= bound) throw new NumError("ParseUint", text, "value out of range", Number(bound - 1n));
  return Number(value);
}

/** @throws {NumError} its `fallback` is 0, or ± infinity when the value is out of range */
export function parseFloat64(text: string): number {
  const word = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (word !== null && word[2]?.toLowerCase() === "nan" && word[1] === "") return Number.NaN;
  if (word !== null && word[2]?.toLowerCase() !== "nan") return word[1] === "-" ? -Infinity : Infinity;
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text)) {
    throw new NumError("ParseFloat", text, "invalid syntax", 0);
  }
  const value = Number(text);
  if (!Number.isFinite(value)) throw new NumError("ParseFloat", text, "value out of range", value);
  return value;
}

/** A float as `%v` prints it: shortest digits, an exponent below 1e-4 and from 1e21 on. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e21)) return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  return Object.is(value, -0) ? "-0" : String(value);
}

const named: Record<string, string> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

function quoteRune(rune: string): string {
  const short = named[rune];
  if (short !== undefined) return short;
  if (rune === " ") return rune;
  const code = rune.codePointAt(0) ?? 0;
  // Go prints letters, marks, numbers, punctuation and symbols; every other space and control character is escaped.
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(rune)) return rune;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}

/** A text in double quotes with Go's escapes: `%q`. */
export function quote(text: string): string {
  let out = '"';
  for (const rune of text) out += quoteRune(rune);
  return `${out}"`;
}
