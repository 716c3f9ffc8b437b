/**
 * Values as Go's `fmt` prints them.
 *
 * A value comes out of JSON, or out of a template: an integer of Go is a `bigint` here, a floating point number a
 * `number`, a map an object, a slice an array, nil is `null`.
 *
 * @module
 */

import { quote } from "../strconv/strconv.ts";

/** The values a template works on. */
export type Value = null | boolean | bigint | number | string | readonly Value[] | { readonly [key: string]: Value };

/** What kind of value it is. */
export function isMap(value: Value): value is { readonly [key: string]: Value } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The name of a value's type, as `%T` prints it and error messages show it. */
export function typeName(value: Value): string {
  if (value === null) return "<nil>";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "float64";
  if (typeof value === "string") return "string";
  return isMap(value) ? "map[string]interface {}" : "[]interface {}";
}

/** A float as `%v` and `%g` print it: shortest digits, an exponent below 1e-4 and from 1e6 on. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const power = Number(value.toExponential().split("e")[1]);
  return value !== 0 && (power < -4 || power >= 6) ? exponential(value.toExponential()) : String(value);
}

/** JavaScript's exponent has one digit at least, Go's two. */
function exponential(text: string): string {
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

/** A value as `%v` prints it. Inside maps and slices, nil shows as `<nil>`. */
export function display(value: Value): string {
  if (value === null) return "<nil>";
  if (typeof value === "number") return floatText(value);
  if (typeof value !== "object") return String(value);
  if (!isMap(value)) return `[${value.map(display).join(" ")}]`;
  return `map[${sortedKeys(value)
    .map((key) => `${key}:${display(value[key] as Value)}`)
    .join(" ")}]`;
}

/** The keys of a map in the order Go visits them. */
export function sortedKeys(map: { readonly [key: string]: Value }): string[] {
  return Object.keys(map).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Operands as `print` joins them: a blank between two of which neither is text. */
export function sprint(args: readonly Value[]): string {
  let text = "";
  args.forEach((arg, i) => {
    const before = args[i - 1];
    if (i > 0 && typeof arg !== "string" && typeof before !== "string") text += " ";
    text += display(arg);
  });
  return text;
}

const VERB = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d+)?)?([\s\S]|$)/gu;

/** Go's `Sprintf` for these values, with its complaints inside the text: `%!d(string=x)`. */
export function sprintf(format: string, args: readonly Value[]): string {
  let next = 0;
  const number = (star: string | undefined) => {
    if (star !== "*") return star === undefined ? undefined : Number(star);
    const arg = args[next++];
    return typeof arg === "bigint" ? Number(arg) : 0;
  };
  const text = format.replace(
    VERB,
    (whole, flags: string, wide: string | undefined, exact: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (verb === "") return "%!(NOVERB)";
      const width = number(wide) ?? 0;
      const precision = whole.includes(".") ? (number(exact) ?? 0) : undefined;
      if (next >= args.length) return `%!${verb}(MISSING)`;
      return one(args[next++] as Value, { verb, flags, width: Math.min(width, MAX_WIDTH), precision });
    },
  );
  const extra = args.slice(next);
  return extra.length === 0
    ? text
    : `${text}%!(EXTRA ${extra.map((arg) => (arg === null ? "<nil>" : `${typeName(arg)}=${display(arg)}`)).join(", ")})`;
}

/** Go refuses more. */
const MAX_WIDTH = 1_000_000;

/** How a value is to be printed: what stands between `%` and the end of its verb. */
interface Directive {
  readonly verb: string;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
}

function pad(text: string, { flags, width }: Directive, isNumber = false): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes("-")) return text + " ".repeat(missing);
  if (!flags.includes("0")) return " ".repeat(missing) + text;
  const sign = isNumber ? (/^[+-]/.exec(text)?.[0] ?? "") : "";
  return sign + "0".repeat(missing) + text.slice(sign.length);
}

/** One value under one verb. Of maps and slices each element is printed so. */
function one(value: Value, directive: Directive): string {
  const { verb, flags } = directive;
  if (verb === "T") return pad(typeName(value), directive);
  if (value === null) return verb === "v" ? pad("<nil>", directive) : `%!${verb}(<nil>)`;
  if (verb === "v" && flags.includes("#")) return pad(source(value), directive);
  if (typeof value !== "object") return scalar(value, directive);
  // Nothing that is in something else has no type that could be wrong.
  const each = (item: Value) => (item === null ? "<nil>" : one(item, directive));
  if (!isMap(value)) return `[${value.map(each).join(" ")}]`;
  const pairs = sortedKeys(value).map((key) => `${each(key)}:${each(value[key] as Value)}`);
  return `map[${pairs.join(" ")}]`;
}

function scalar(value: boolean | bigint | number | string, directive: Directive): string {
  const { verb, flags, precision } = directive;
  const text =
    typeof value === "string"
      ? stringVerb(value, verb, precision)
      : typeof value === "bigint"
        ? intVerb(value, verb, flags)
        : typeof value === "number"
          ? floatVerb(value, verb, precision)
          : verb === "t" || verb === "v"
            ? String(value)
            : undefined;
  if (text !== undefined)
    return pad(signed(text, value, flags), directive, typeof value === "bigint" || typeof value === "number");
  return `%!${verb}(${typeName(value)}=${scalar(value, { ...directive, verb: "v" })})`;
}

function signed(text: string, value: Value, flags: string): string {
  if ((typeof value !== "bigint" && typeof value !== "number") || /^[+-]/.test(text)) return text;
  return flags.includes("+") ? `+${text}` : flags.includes(" ") ? ` ${text}` : text;
}

function stringVerb(value: string, verb: string, precision: number | undefined): string | undefined {
  const cut = precision === undefined ? value : [...value].slice(0, precision).join("");
  if (verb === "s" || verb === "v") return cut;
  if (verb === "q") return quote(cut);
  if (verb === "x") return Buffer.from(cut).toString("hex");
  return verb === "X" ? Buffer.from(cut).toString("hex").toUpperCase() : undefined;
}

function intVerb(value: bigint, verb: string, flags: string): string | undefined {
  const prefix = (text: string) => (flags.includes("#") ? text : "");
  const sign = value < 0n ? "-" : "";
  const size = value < 0n ? -value : value;
  switch (verb) {
    case "d":
    case "v":
      return value.toString();
    case "b":
      return value.toString(2);
    case "o":
      return `${sign}${prefix("0")}${size.toString(8)}`;
    case "x":
      return `${sign}${prefix("0x")}${size.toString(16)}`;
    case "X":
      return `${sign}${prefix("0X")}${size.toString(16).toUpperCase()}`;
    case "c":
      return rune(value);
    case "q":
      return `'${quote(rune(value)).slice(1, -1).replace('\\"', '"').replace(/^'$/, "\\'")}'`;
    case "U":
      return `U+${value.toString(16).toUpperCase().padStart(4, "0")}`;
    default:
      return undefined;
  }
}

function rune(value: bigint): string {
  return value >= 0n && value <= 0x10ffffn ? String.fromCodePoint(Number(value)) : "\ufffd";
}

function floatVerb(value: number, verb: string, precision: number | undefined): string | undefined {
  if (!"eEfFgGv".includes(verb)) return undefined;
  if (!Number.isFinite(value)) return floatText(value);
  const upper = (text: string) => (verb === verb.toUpperCase() ? text.toUpperCase() : text);
  const digits = Math.min(precision ?? 6, 100);
  if (verb === "f" || verb === "F") return fixed(value, digits);
  if (verb === "e" || verb === "E") return upper(exponential(value.toExponential(digits)));
  if (precision === undefined) return upper(floatText(value));
  const power = Number(value.toExponential(Math.max(0, digits - 1)).split("e")[1]);
  const short = Number(value.toPrecision(Math.max(1, digits)));
  if (!Number.isFinite(short)) return upper(exponential(value.toExponential(Math.max(0, digits - 1))));
  return upper(power < -4 || power >= Math.max(1, digits) ? exponential(short.toExponential()) : String(short));
}

/** A number with so many digits behind the point; what lies in the middle goes to the even one. */
function fixed(value: number, digits: number): string {
  if (Math.abs(value) >= 1e21) return BigInt(value).toString() + (digits > 0 ? `.${"0".repeat(digits)}` : "");
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const rounded = Math.abs(value).toFixed(digits);
  const exact = Math.abs(value).toFixed(100);
  const cut = exact.slice(0, exact.indexOf(".") + 1 + digits).replace(/\.$/, "");
  const isTie = /^50*$/.test(exact.slice(exact.indexOf(".") + 1 + digits));
  return sign + (isTie && /[02468]$/.test(cut) ? cut : rounded);
}

/** `%#v`: the value as Go source. */
function source(value: Value): string {
  if (value === null) return "interface {}(nil)";
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object") return display(value);
  if (!isMap(value)) return `[]interface {}{${value.map(source).join(", ")}}`;
  return `map[string]interface {}{${sortedKeys(value)
    .map((key) => `${quote(key)}:${source(value[key] as Value)}`)
    .join(", ")}}`;
}
