/**
 * The kinds of value a flag can have.
 *
 * @origin pkg/mflag/flag.go
 * @module
 */

import { formatFloat, NumError, parseBool, parseFloat64, parseInteger, parseUint, quote } from "../strconv/strconv.ts";
import { formatDuration, parseDuration } from "./duration.ts";

/**
 * What stands behind a flag: something that can be set from text, and shown as text.
 *
 * @origin pkg/mflag/flag.go Value
 */
export interface Value {
  /** Takes the text of the command line. @throws an error whose message explains what is wrong with it */
  set(text: string): void;
  /** The value as the usage screen shows it. */
  toString(): string;
  /** True for a flag that stands alone (`-d`) instead of taking the next argument. */
  readonly isBoolFlag?: boolean;
  /** True for a value whose default is shown in quotes. */
  readonly isQuoted?: boolean;
}

/** A value of one of the simple kinds: parsed by one function, shown by another. */
export class SimpleValue<T> implements Value {
  current: T;
  readonly isBoolFlag: boolean;
  readonly isQuoted: boolean;
  readonly #parse: (text: string) => T;
  readonly #show: (value: T) => string;
  readonly #zero: T;

  /** @param initial - the default */
  constructor(initial: T, kind: Kind<T>) {
    this.current = initial;
    this.#parse = kind.parse;
    this.#show = kind.show;
    this.#zero = kind.zero;
    this.isBoolFlag = kind.isBoolFlag ?? false;
    this.isQuoted = kind.isQuoted ?? false;
  }

  /** Takes the text; when it cannot be read the value is zero (or a number's bound), no longer the default. */
  set(text: string): void {
    try {
      this.current = this.#parse(text);
    } catch (cause) {
      this.current = cause instanceof NumError ? (cause.fallback as T) : this.#zero;
      throw cause;
    }
  }

  /** The value as the usage screen shows it. */
  toString(): string {
    return this.#show(this.current);
  }
}

/** How one kind of value is read and shown. */
export interface Kind<T> {
  readonly parse: (text: string) => T;
  readonly show: (value: T) => string;
  /** What a text that cannot be read leaves behind. */
  readonly zero: T;
  readonly isBoolFlag?: boolean;
  readonly isQuoted?: boolean;
}

/** `1`, `t`, `true`, … */
export const boolKind: Kind<boolean> = { parse: parseBool, show: String, zero: false, isBoolFlag: true };

/** A signed number of 64 bits, decimal, `0x` or octal. */
export const intKind: Kind<number> = { parse: (text) => parseInteger(text, 0), show: String, zero: 0 };

/** An unsigned number of 64 bits. */
export const uintKind: Kind<number> = { parse: (text) => parseUint(text, 0), show: String, zero: 0 };

/** Any text. */
export const stringKind: Kind<string> = { parse: (text) => text, show: (value) => value, zero: "", isQuoted: true };

/** A number with a fraction. */
export const floatKind: Kind<number> = { parse: parseFloat64, show: formatFloat, zero: 0 };

/** A length of time in milliseconds, read and shown as `1h2m3.5s`. */
export const durationKind: Kind<number> = { parse: parseDuration, show: formatDuration, zero: 0 };

/** The default as the usage screen shows it. */
export function showDefault(value: Value, text: string): string {
  return value.isQuoted ? quote(text) : text;
}
