/**
 * The `--filter` of `docker ps` and `docker images`.
 *
 * @origin pkg/parsers/filters/parse.go
 * @module
 */

import { BadRequestError } from "../../../errdefs/errdefs.ts";
import { asObject, unmarshal } from "../../../utils/go-json-decode.ts";

/** The values wanted for each name. @origin pkg/parsers/filters/parse.go Args */
export type Args = Map<string, string[]>;

/**
 * Adds the filter `name=value` to `args`; nothing for the empty text.
 *
 * @throws {BadRequestError} without `=`
 * @origin pkg/parsers/filters/parse.go ParseFlag
 */
export function parseFlag(text: string, args: Args = new Map()): Args {
  if (text === "") return args;
  const equals = text.indexOf("=");
  if (equals < 0) throw new BadRequestError("bad format of filter (expected name=value)");
  const name = text.slice(0, equals);
  args.set(name, [...(args.get(name) ?? []), text.slice(equals + 1)]);
  return args;
}

/** The filters as a query parameter: JSON, or the empty text for none. @origin pkg/parsers/filters/parse.go ToParam */
export function toParam(args: Args): string {
  if (args.size === 0) return "";
  const names = [...args.keys()].sort();
  const pairs = names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(args.get(name))}`);
  // Go's encoder escapes what HTML would read, and the two line ends JavaScript used to.
  return `{${pairs.join(",")}}`.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Reads the query parameter: a list of values for each name, or, as clients write since API 1.22, an object whose keys
 * are the values.
 *
 * @throws {BadRequestError} for anything else, with the text of Go's decoder
 * @origin pkg/parsers/filters/parse.go FromParam
 */
export function fromParam(text: string): Args {
  const args: Args = new Map();
  if (text === "") return args;
  const given = asObject(unmarshal(text), "filters.Args");
  for (const [name, values] of Object.entries(given)) args.set(name, valuesIn(values));
  return args;
}

function valuesIn(values: unknown): string[] {
  if (values === null) return [];
  if (Array.isArray(values)) return values.map(textIn);
  if (typeof values === "object") return namesIn(values);
  throw new BadRequestError(`json: cannot unmarshal ${goKind(values)} into Go value of type []string`);
}

function textIn(value: unknown): string {
  if (value === null) return "";
  if (typeof value === "string") return value;
  throw new BadRequestError(`json: cannot unmarshal ${goKind(value)} into Go value of type string`);
}

/** What Go calls a JSON value. */
function goKind(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
}

/** The keys whose value is not false. */
function namesIn(values: object): string[] {
  return Object.entries(values).flatMap(([name, wanted]) => (wanted === false ? [] : [name]));
}
