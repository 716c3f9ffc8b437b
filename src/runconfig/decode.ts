/**
 * Reads JSON into known shapes the way Go's `encoding/json` does, whatever a client or an image put there.
 *
 * `null` and absent are the zero value, unknown keys are ignored, keys match in any case when none matches exactly. A
 * value of the wrong type is noted, stays zero, and the rest is read on: the caller decides whether the first note is an
 * error. Objects with free keys are rebuilt entry by entry, so that `__proto__` is a key like any other.
 *
 * @module
 */

/** What was wrong, in Go's words. */
export class Notes {
  /** The first problem met. */
  first: string | undefined;

  /** Notes that a JSON `kind` stood where Go has `type`. */
  mismatch(value: unknown, type: string): void {
    this.first ??= `json: cannot unmarshal ${kindOf(value)} into Go value of type ${type}`;
  }
}

/** Reads one value; what it cannot use it notes, and gives zero instead. */
export type Decoder<T> = (value: unknown, notes: Notes) => T;

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return `number${Number.isInteger(value) ? "" : ` ${value}`}`;
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** A text. */
export const text: Decoder<string> = (value, notes) => {
  if (typeof value === "string") return value;
  if (value !== null && value !== undefined) notes.mismatch(value, "string");
  return "";
};

/** A whole number of 64 bits. */
export const integer: Decoder<number> = (value, notes) => {
  if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= 2 ** 63) return value;
  if (value !== null && value !== undefined) notes.mismatch(value, "int64");
  return 0;
};

/** True or false. */
export const bool: Decoder<boolean> = (value, notes) => {
  if (typeof value === "boolean") return value;
  if (value !== null && value !== undefined) notes.mismatch(value, "bool");
  return false;
};

/** A list, or Go's nil. @param type - Go's name of the list's type, for the error */
export function list<T>(item: Decoder<T>, type: string): Decoder<T[] | null> {
  return (value, notes) => {
    if (Array.isArray(value)) return value.map((element) => item(element, notes));
    if (value !== null && value !== undefined) notes.mismatch(value, type);
    return null;
  };
}

/** An object with free keys, or Go's nil map. @param type - Go's name of the map's type, for the error */
export function record<T>(item: Decoder<T>, type: string): Decoder<Record<string, T> | null> {
  return (value, notes) => {
    if (isObject(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, item(element, notes)]));
    }
    if (value !== null && value !== undefined) notes.mismatch(value, type);
    return null;
  };
}

/** An object without content: the value of a set's member. */
export const nothing: Decoder<Record<string, never>> = (value, notes) => {
  if (value !== null && value !== undefined && !isObject(value)) notes.mismatch(value, "struct {}");
  return {};
};

/** An object with known keys. @param type - Go's name of the struct, for the error */
export function struct<T extends object>(fields: { [K in keyof T]-?: Decoder<T[K]> }, type: string): Decoder<T> {
  return (value, notes) => {
    const source = isObject(value) ? value : {};
    if (value !== null && value !== undefined && !isObject(value)) notes.mismatch(value, type);
    const entries: [string, unknown][] = [];
    for (const [key, decode] of Object.entries<Decoder<unknown>>(fields)) {
      const result = decode(fieldOf(source, key), notes);
      if (result !== undefined) entries.push([key, result]);
    }
    return Object.fromEntries(entries) as T;
  };
}

/** What may be absent altogether, unlike Go's zero. */
export function optional<T>(decode: Decoder<T>): Decoder<T | undefined> {
  return (value, notes) => (value === undefined ? undefined : decode(value, notes));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value of a key, else of the last key that differs only in case. */
function fieldOf(source: Record<string, unknown>, key: string): unknown {
  if (Object.hasOwn(source, key)) return source[key];
  const folded = key.toLowerCase();
  return Object.entries(source).findLast(([other]) => other.toLowerCase() === folded)?.[1];
}
