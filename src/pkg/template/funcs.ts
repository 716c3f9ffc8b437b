/**
 * The functions a template can call.
 *
 * @module
 */

import { display, isMap, sprint, sprintf, typeName, type Value } from "./format.ts";

/** Takes evaluated arguments. @throws Error whose text goes after `error calling <name>: ` */
export type TemplateFunction = (...args: Value[]) => Value;

/** A type that an argument has to have; the other functions look for themselves. */
export type ArgumentType = "string" | "[]interface {}";

/** A function and how many arguments it takes. */
export interface FunctionEntry {
  readonly call: TemplateFunction;
  /** Least number of arguments; also the greatest, unless `variadic`. */
  readonly arity: number;
  readonly variadic?: boolean;
  /** By the place of the argument. */
  readonly types?: readonly ArgumentType[];
  /** Whether an argument is the result already: then those after it are not looked at. */
  readonly decides?: (argument: Value) => boolean;
}

/** Whether `{{if}}` takes a value for true: not nil, not false, not 0, not empty. */
export function truth(value: Value): boolean {
  if (value === null) return false;
  if (typeof value === "object") return (isMap(value) ? Object.keys(value) : value).length > 0;
  return Boolean(value);
}

/** Follows indices into maps and slices. */
function index(item: Value, ...indices: Value[]): Value {
  let value = item;
  if (value === null) throw new Error("index of untyped nil");
  for (const at of indices) {
    if (value === null) throw new Error("index of nil pointer");
    if (typeof value === "string" || (typeof value === "object" && !isMap(value))) {
      const items: readonly Value[] =
        typeof value === "string" ? [...Buffer.from(value)].map((byte) => BigInt(byte)) : value;
      const place = position(at, items.length);
      if (place === items.length) throw new Error(`index out of range: ${place}`);
      value = items[place] as Value;
    } else if (typeof value === "object") {
      if (at === null) throw new Error("value is nil; should be of type string");
      if (typeof at !== "string") throw new Error(`value has type ${typeName(at)}; should be string`);
      value = Object.hasOwn(value, at) ? (value[at] as Value) : null;
    } else {
      throw new Error(`can't index item of type ${typeName(value)}`);
    }
  }
  return value;
}

/** A place from 0 to `length`, which itself is one behind the last. */
function position(at: Value, length: number): number {
  if (at === null) throw new Error("cannot index slice/array with nil");
  if (typeof at !== "bigint") throw new Error(`cannot index slice/array with type ${typeName(at)}`);
  if (at < 0n || at > length) throw new Error(`index out of range: ${at}`);
  return Number(at);
}

/** A part of a list, or of a text by its bytes. */
function slice(item: Value, ...places: Value[]): Value {
  if (item === null) throw new Error("slice of untyped nil");
  if (places.length > 3) throw new Error(`too many slice indexes: ${places.length}`);
  if (typeof item !== "string" && !Array.isArray(item)) throw new Error(`can't slice item of type ${typeName(item)}`);
  if (typeof item === "string" && places.length === 3) throw new Error("cannot 3-index slice a string");
  const list = typeof item === "string" ? Buffer.from(item) : (item as readonly Value[]);
  const [from = 0, to = list.length, most = list.length] = places.map((place) => position(place, list.length));
  if (from > to) throw new Error(`invalid slice index: ${from} > ${to}`);
  if (to > most) throw new Error(`invalid slice index: ${to} > ${most}`);
  const part = list.slice(from, to);
  return Buffer.isBuffer(part) ? part.toString() : (part as readonly Value[]);
}

/** The number of elements, of bytes in text. */
function len(item: Value): Value {
  if (item === null) throw new Error("len of nil pointer");
  if (typeof item === "string") return BigInt(Buffer.byteLength(item));
  if (typeof item !== "object" || item === null) throw new Error(`len of type ${typeName(item)}`);
  return BigInt((isMap(item) ? Object.keys(item) : item).length);
}

/** −1, 0 or 1; `undefined` when the kinds cannot be compared. An integer and a float are compared by value. */
function compare(a: Value, b: Value): number | undefined {
  const numbers = (v: Value) => typeof v === "bigint" || typeof v === "number";
  if (numbers(a) && numbers(b)) return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (typeof a === "boolean" && typeof b === "boolean") return a === b ? 0 : a ? 1 : -1;
  return undefined;
}

function comparable(value: Value): void {
  if (value === null || typeof value === "object") throw new Error("invalid type for comparison");
}

function order(a: Value, b: Value): number {
  comparable(a);
  comparable(b);
  const result = compare(a, b);
  if (result === undefined) throw new Error("incompatible types for comparison");
  if (typeof a === "boolean") throw new Error("invalid type for comparison");
  return result;
}

/** Whether the first equals one of the others; nil equals nil only. */
function eq(a: Value, ...others: Value[]): Value {
  if (others.length === 0) throw new Error("missing argument for comparison");
  return others.some((b) => {
    if (a === null || b === null) return a === b;
    const result = compare(a, b);
    if (result !== undefined) return result === 0;
    if (typeof a !== "object" || typeof b !== "object" || isMap(a) !== isMap(b))
      throw new Error("incompatible types for comparison");
    throw new Error(`non-comparable type ${display(a)}: ${typeName(b)}`);
  });
}

const HTML: Readonly<Record<string, string>> = {
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "\0": "\ufffd",
};
const JS: Readonly<Record<string, string>> = { "\\": "\\\\", "'": "\\'", '"': '\\"' };

/** A character that could end a script, or does not show. */
function unicodeEscape(char: string): string {
  return [...Array(char.length).keys()]
    .map((i) => `\\u${char.charCodeAt(i).toString(16).toUpperCase().padStart(4, "0")}`)
    .join("");
}

/** What the escaping functions escape: nil is shown as an action would show it. */
function printable(args: readonly Value[]): string {
  return sprint(args.map((arg) => arg ?? "<no value>"));
}

/** Go's own functions. */
export const builtins: Readonly<Record<string, FunctionEntry>> = {
  and: { arity: 1, variadic: true, decides: (arg) => !truth(arg), call: (...args) => args.at(-1) as Value },
  // There are no functions among the values of JSON.
  call: {
    arity: 1,
    variadic: true,
    call: (fn) => {
      throw new Error(fn === null ? "call of nil" : `non-function of type ${typeName(fn as Value)}`);
    },
  },
  eq: { arity: 1, variadic: true, call: eq },
  ge: { arity: 2, call: (a, b) => order(a as Value, b as Value) >= 0 },
  gt: { arity: 2, call: (a, b) => order(a as Value, b as Value) > 0 },
  html: {
    arity: 0,
    variadic: true,
    call: (...args) => printable(args).replace(/["'&<>\0]/g, (c) => HTML[c] as string),
  },
  index: { arity: 1, variadic: true, call: index as TemplateFunction },
  js: {
    arity: 0,
    variadic: true,
    call: (...args) =>
      printable(args).replace(/[\\'"<>&=]|[\p{C}\p{Z}]/gu, (c) =>
        c === " " || c === "\x7f" ? c : (JS[c] ?? unicodeEscape(c)),
      ),
  },
  le: { arity: 2, call: (a, b) => order(a as Value, b as Value) <= 0 },
  len: { arity: 1, call: len as TemplateFunction },
  lt: { arity: 2, call: (a, b) => order(a as Value, b as Value) < 0 },
  ne: { arity: 2, call: (a, b) => !eq(a as Value, b as Value) },
  not: { arity: 1, call: (a) => !truth(a as Value) },
  or: { arity: 1, variadic: true, decides: truth, call: (...args) => args.at(-1) as Value },
  print: { arity: 0, variadic: true, call: (...args) => sprint(args) },
  printf: { arity: 1, variadic: true, types: ["string"], call: (format, ...args) => sprintf(format as string, args) },
  slice: { arity: 1, variadic: true, call: slice as TemplateFunction },
  println: { arity: 0, variadic: true, call: (...args) => `${args.map(display).join(" ")}\n` },
  urlquery: {
    arity: 0,
    variadic: true,
    call: (...args) =>
      encodeURIComponent(printable(args))
        .replace(/%20/g, "+")
        .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
  },
};
