/**
 * The `--filter` of `docker ps` and `docker images`.
 *
 * @origin pkg/parsers/filters/parse.go
 * @module
 */

import { BadRequestError, messageOf } from "../../../errdefs/errdefs.ts";

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
 * @throws {BadRequestError} for anything else
 * @origin pkg/parsers/filters/parse.go FromParam
 */
export function fromParam(text: string): Args {
  const args: Args = new Map();
  if (text === "") return args;
  for (const [name, values] of Object.entries(objectOf(parseJson(text), text))) {
    args.set(name, Array.isArray(values) ? values.map(textIn) : values === null ? [] : namesIn(objectOf(values, text)));
  }
  return args;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BadRequestError(`invalid filter '${text}': ${messageOf(cause)}`, { cause });
  }
}

function objectOf(value: unknown, text: string): object {
  if (value === null) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value;
  throw new BadRequestError(`invalid filter '${text}': it must be an object of lists`);
}

function textIn(value: unknown): string {
  if (value === null) return "";
  if (typeof value === "string") return value;
  throw new BadRequestError(`json: cannot unmarshal ${typeof value} into Go value of type string`);
}

/** The keys whose value is not false. */
function namesIn(values: object): string[] {
  return Object.entries(values).flatMap(([name, wanted]) => (wanted === false ? [] : [name]));
}
