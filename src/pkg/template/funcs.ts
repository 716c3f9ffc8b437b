/**
 * The functions a template can call.
 *
 * @module
 */

import { display, isMap, sprint, sprintf, typeName, type Value } from "./format.ts";

/** Takes evaluated arguments. @throws Error whose text goes after `error calling <name>: ` */
export type TemplateFunction = (...args: Value[]) => Value;

/** A function and how many arguments it takes. */
export interface FunctionEntry {
  readonly call: TemplateFunction;
  /** Least number of arguments; also the greatest, unless `variadic`. */
  readonly arity: number;
  readonly variadic?: boolean;
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
  for (const at of indices) {
    if (value === null) throw new Error("index of nil pointer");
    if (typeof value === "string" || (typeof value === "object" && !isMap(value))) {
      if (typeof at !== "bigint") throw new Error(`cannot index slice/array with type ${typeName(at)}`);
      const items: readonly Value[] =
        typeof value === "string" ? [...Buffer.from(value)].map((byte) => BigInt(byte)) : value;
      const found = at >= 0n && at < items.length ? items[Number(at)] : undefined;
      if (found === undefined) throw new Error(`index out of range: ${at}`);
      value = found;
    } else if (typeof value === "object") {
      if (typeof at !== "string") throw new Error(`${typeName(at)} is not index type for ${typeName(value)}`);
      value = Object.hasOwn(value, at) ? (value[at] as Value) : null;
    } else {
      throw new Error(`can't index item of type ${typeName(value)}`);
    }
  }
  return value;
}

/** The number of elements, of bytes in text. */
function len(item: Value): Value {
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
  if (typeof a === "boolean") throw new Error("invalid type for comparison");
  const result = compare(a, b);
  if (result === undefined) throw new Error("incompatible types for comparison");
  return result;
}

/** Whether the first equals one of the others. */
function eq(a: Value, ...others: Value[]): Value {
  comparable(a);
  if (others.length === 0) throw new Error("missing argument for comparison");
  return others.some((b) => {
    comparable(b);
    const result = compare(a, b);
    if (result === undefined) throw new Error("incompatible types for comparison");
    return result === 0;
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
const JS: Readonly<Record<string, string>> = { "\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\x3C", ">": "\\x3E" };

/** Go's own functions. */
export const builtins: Readonly<Record<string, FunctionEntry>> = {
  and: { arity: 1, variadic: true, call: (...args) => args.find((arg) => !truth(arg)) ?? (args.at(-1) as Value) },
  eq: { arity: 1, variadic: true, call: eq },
  ge: { arity: 2, call: (a, b) => order(a as Value, b as Value) >= 0 },
  gt: { arity: 2, call: (a, b) => order(a as Value, b as Value) > 0 },
  html: { arity: 0, variadic: true, call: (...args) => sprint(args).replace(/["'&<>\0]/g, (c) => HTML[c] as string) },
  index: { arity: 1, variadic: true, call: index as TemplateFunction },
  js: { arity: 0, variadic: true, call: (...args) => sprint(args).replace(/[\\'"<>]/g, (c) => JS[c] as string) },
  le: { arity: 2, call: (a, b) => order(a as Value, b as Value) <= 0 },
  len: { arity: 1, call: len as TemplateFunction },
  lt: { arity: 2, call: (a, b) => order(a as Value, b as Value) < 0 },
  ne: { arity: 2, call: (a, b) => !eq(a as Value, b as Value) },
  not: { arity: 1, call: (a) => !truth(a as Value) },
  or: { arity: 1, variadic: true, call: (...args) => args.find(truth) ?? (args.at(-1) as Value) },
  print: { arity: 0, variadic: true, call: (...args) => sprint(args) },
  printf: {
    arity: 1,
    variadic: true,
    call: (format, ...args) => {
      if (typeof format !== "string")
        throw new Error(`wrong type for value; expected string; got ${typeName(format as Value)}`);
      return sprintf(format, args);
    },
  },
  println: { arity: 0, variadic: true, call: (...args) => `${args.map(display).join(" ")}\n` },
  urlquery: {
    arity: 0,
    variadic: true,
    call: (...args) =>
      encodeURIComponent(sprint(args))
        .replace(/%20/g, "+")
        .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
  },
};
