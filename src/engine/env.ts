/**
 * A job's environment: text under names, and the rules that turn it into numbers, lists and JSON.
 *
 * Everything that crosses the engine's border is such a list of names and texts, in both directions: a request's body
 * becomes an `Env`, and an `Env` becomes the answer's body. The kinds are lost on the way and guessed again: a text that
 * happens to be JSON leaves as that JSON value, every number as an integer.
 *
 * @origin engine/env.go
 * @article 001/5.7
 * @module
 */

import { messageOf } from "../errdefs/errdefs.ts";
import type { Writer } from "../sync/io.ts";
import { compareBytes, floatText, goJson, goMapJson, int64Text } from "../utils/go-json.ts";
import { asObject, decodeObject, JsonError, unmarshal } from "../utils/go-json-decode.ts";

const INT64 = /^[+-]?\d+$/;
const SMALL_INT = /^(?:0|-?[1-9]\d{0,14})$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const FALSE = new Set(["", "0", "no", "false", "none"]);

/**
 * An environment. Names are looked up by their last value; earlier ones are kept for {@link multiMap} only.
 *
 * @origin engine/env.go Env
 * @deviation Kept in a map and not in a list that every look-up walks. A name ends at its first `=`, as in the list.
 */
export class Env {
  readonly #last = new Map<string, string>();
  /** Values that a later one hides, in order. */
  #hidden: [string, string][] | undefined;

  /** The value under `key`, `""` when there is none. */
  get(key: string): string {
    return this.#last.get(key) ?? "";
  }

  /** Adds a value; it hides earlier ones. */
  set(key: string, value: string): void {
    const equals = key.indexOf("=");
    if (equals >= 0) {
      this.set(key.slice(0, equals), `${key.slice(equals + 1)}=${value}`);
      return;
    }
    const before = this.#last.get(key);
    if (before !== undefined) {
      this.#hidden ??= [];
      this.#hidden.push([key, before]);
    }
    this.#last.set(key, value);
  }

  /** Whether there is a value, be it `""`. */
  exists(key: string): boolean {
    return this.#last.has(key);
  }

  /** How many names there are. */
  len(): number {
    return this.#last.size;
  }

  /** Everything but `""`, `0`, `no`, `false` and `none` is true; case, blanks and tabs around it do not count. */
  getBool(key: string): boolean {
    return !FALSE.has(trimBlanks(this.get(key)).toLowerCase());
  }

  /** Stores `1` or `0`. */
  setBool(key: string, value: boolean): void {
    this.set(key, value ? "1" : "0");
  }

  /** A decimal integer; 0 for anything else. Beyond 2^53 the nearest number there is: see {@link getInt64}. */
  getInt(key: string): number {
    return Number(this.getInt64(key));
  }

  /** A decimal integer of 64 bits; 0 for anything else. */
  getInt64(key: string): bigint {
    return parseInt64(trimBlanks(this.get(key))) ?? 0n;
  }

  /** Stores a whole number; a fraction is cut off. */
  setInt(key: string, value: number | bigint): void {
    this.set(key, typeof value === "bigint" ? value.toString() : int64Text(value));
  }

  /**
   * A list of strings: a JSON array, or any other text as the only element. `undefined` for `""` and `null`.
   *
   * An element that is no string becomes `""` and the whole text is added at the end, as Go's decoder leaves it.
   */
  getList(key: string): string[] | undefined {
    const text = this.get(key);
    if (text === "") return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return [text];
    }
    if (value === null) return undefined;
    if (!Array.isArray(value)) return [text];
    const list = value.map((item) => (typeof item === "string" ? item : ""));
    return value.every((item) => typeof item === "string" || item === null) ? list : [...list, text];
  }

  /** Stores a list as JSON; `undefined` is Go's nil and becomes `null`. */
  setList(key: string, value: readonly string[] | undefined): void {
    this.setJson(key, value ?? null);
  }

  /** An environment inside this one; `undefined` when there is none or it is no object. */
  getSubEnv(key: string): Env | undefined {
    const text = this.get(key);
    if (text === "") return undefined;
    const sub = new Env();
    try {
      sub.decode(text);
    } catch (cause) {
      if (!(cause instanceof JsonError)) throw cause;
      return undefined;
    }
    return sub;
  }

  /** Stores an environment inside this one, with the newline that {@link encode} ends it with. */
  setSubEnv(key: string, sub: Env): void {
    this.set(key, sub.encode());
  }

  /**
   * The value behind a JSON text. The caller names the type and answers for it.
   *
   * @returns `undefined` when the text is empty or `null`, which leave Go's target as it was
   * @throws {JsonError} when it is no JSON
   */
  getJson<T>(key: string): T | undefined {
    const text = this.get(key);
    return text === "" ? undefined : ((unmarshal(text) as T | null) ?? undefined);
  }

  /** Stores the JSON text of a value. */
  setJson(key: string, value: unknown): void {
    this.set(key, goJson(value));
  }

  /**
   * Stores a value that came out of JSON: a number as an integer, a string as it is, the rest as JSON text.
   *
   * @origin engine/env.go (*Env).SetAuto
   */
  setAuto(key: string, value: unknown): void {
    if (typeof value === "string") this.set(key, value);
    else if (typeof value === "number" && Number.isFinite(value)) this.set(key, int64Text(value));
    else this.set(key, goMapJson(value, floatText));
  }

  /**
   * Adds every key of a JSON object.
   *
   * @throws {JsonError} when the text does not begin with a JSON object or `null`; nothing is added then
   * @origin engine/env.go (*Env).Decode
   */
  decode(text: string | Uint8Array): void {
    this.#addAll(decodeObject(typeof text === "string" ? text : Buffer.from(text).toString("utf8")));
  }

  #addAll(object: Record<string, unknown>): void {
    // First all texts, then all additions: a number out of range in the last key must not leave the others behind.
    const decoded = new Env();
    for (const key of Object.keys(object)) decoded.setAuto(key, object[key]);
    for (const [key, value] of decoded.#last) this.set(key, value);
  }

  /**
   * The environment as one line of JSON: names sorted by their bytes, values that are JSON as that value.
   *
   * @origin engine/env.go (*Env).Encode
   */
  encode(): string {
    const names = [...this.#last.keys()].sort(compareBytes);
    const parts = names.map((name) => `${goJson(name)}:${encodeValue(this.#last.get(name) as string)}`);
    return `{${parts.join(",")}}\n`;
  }

  /** Writes {@link encode} in one piece. */
  async writeTo(destination: Writer): Promise<void> {
    await destination.write(this.encode());
  }

  /**
   * Adds every field of a value, as if it had been sent as JSON.
   *
   * @throws {JsonError} `ImportEnv: …` when it is no object
   * @origin engine/env.go (*Env).Import
   */
  import(source: unknown): void {
    try {
      this.#addAll(asObject(JSON.parse(goJson(source))));
    } catch (cause) {
      if (!(cause instanceof JsonError)) throw cause;
      throw new JsonError(`ImportEnv: ${messageOf(cause)}`, { cause });
    }
  }

  /** Names and their last values, in order of first appearance. */
  map(): Map<string, string> {
    return new Map(this.#last);
  }

  /** Names and all their values, as HTTP headers have them. */
  multiMap(): Map<string, string[]> {
    const all = new Map<string, string[]>();
    for (const [key, value] of [...(this.#hidden ?? []), ...this.#last]) {
      const values = all.get(key);
      if (values === undefined) all.set(key, [value]);
      else values.push(value);
    }
    return all;
  }

  /** Replaces everything by the contents of `source`. */
  initMultiMap(source: ReadonlyMap<string, readonly string[]>): void {
    this.#clear();
    for (const [key, values] of source) for (const value of values) this.set(key, value);
  }

  /** Replaces everything by a copy of `source`. */
  init(source: Env): void {
    const values = [...source.#last];
    const hidden = source.#hidden?.slice();
    this.#clear();
    for (const [key, value] of values) this.#last.set(key, value);
    this.#hidden = hidden;
  }

  #clear(): void {
    this.#last.clear();
    this.#hidden = undefined;
  }
}

/** Go's `strconv.ParseInt(text, 10, 64)`; `undefined` is its error. */
export function parseInt64(text: string): bigint | undefined {
  if (!INT64.test(text)) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}

/** Most values are plain text: they are recognised without trying to parse them, because a failure is slow. */
function encodeValue(value: string): string {
  if (SMALL_INT.test(value)) return value;
  const text = /^[ \t\r\n]|[ \t\r\n]$/.test(value) ? value.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "") : value;
  switch (text.charCodeAt(0)) {
    case 0x7b: // {
    case 0x5b: // [
    case 0x22: // "
      try {
        return goMapJson(JSON.parse(text), int64Text);
      } catch {
        return goJson(value);
      }
    case 0x74: // t
    case 0x66: // f
    case 0x6e: // n
      return text === "true" || text === "false" || text === "null" ? text : goJson(value);
    default: {
      if (!NUMBER.test(text)) return goJson(value);
      const number = Number(text);
      return Number.isFinite(number) ? int64Text(number) : goJson(value);
    }
  }
}
