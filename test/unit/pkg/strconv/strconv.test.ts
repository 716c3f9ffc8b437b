import fc from "fast-check";
import { expect, test } from "vitest";
import {
  formatFloat,
  NumError,
  parseBool,
  parseFloat64,
  parseInteger,
  parseUint,
  quote,
} from "../../../../src/pkg/strconv/strconv.ts";

test.each(["1", "t", "T", "true", "TRUE", "True"])("parseBool() takes %s for true", (text) => {
  expect(parseBool(text)).toBe(true);
});

test.each(["0", "f", "F", "false", "FALSE", "False"])("parseBool() takes %s for false", (text) => {
  expect(parseBool(text)).toBe(false);
});

test.each(["", "yes", "tRUE", "2", " 1"])("parseBool() refuses %j", (text) => {
  expect(() => parseBool(text)).toThrow(`strconv.ParseBool: parsing ${quote(text)}: invalid syntax`);
});

test.each([
  ["0", 0],
  ["-0", 0],
  ["+7", 7],
  ["0x10", 16],
  ["-0X1f", -31],
  ["017", 15],
  ["9007199254740991", 9007199254740991],
  ["-9223372036854775808", -(2 ** 63)],
])("parseInteger() reads %s with a prefix", (text, value) => {
  expect(parseInteger(text, 0)).toBeCloseTo(value);
});

test.each(["", "x", "-", "0x", "08", "1_0", "1.5", " 1", "--1", "1e3", "0b1"])("parseInteger() refuses %j", (text) => {
  expect(() => parseInteger(text, 0)).toThrow(`strconv.ParseInt: parsing ${quote(text)}: invalid syntax`);
});

test("parseInteger() falls back to the nearest bound", () => {
  const failure = catchError(() => parseInteger("9223372036854775808"));
  expect(failure).toBeInstanceOf(NumError);
  expect(failure).toMatchObject({
    message: 'strconv.ParseInt: parsing "9223372036854775808": value out of range',
    fallback: 2 ** 63,
  });
});

test("parseInteger() reads decimal only in base 10", () => {
  expect(parseInteger("010")).toBe(10);
  expect(() => parseInteger("0x10")).toThrow("invalid syntax");
});

test("parseUint() knows its width and takes no sign", () => {
  expect(parseUint("65535", 10, 16)).toBe(65535);
  expect(() => parseUint("65536", 10, 16)).toThrow('strconv.ParseUint: parsing "65536": value out of range');
  expect(() => parseUint("+1")).toThrow('strconv.ParseUint: parsing "+1": invalid syntax');
  expect(() => parseUint("-1")).toThrow("invalid syntax");
});

test("parseInteger() and String() are inverse", () => {
  fc.assert(fc.property(fc.integer(), (n) => parseInteger(String(n), 0) === n));
});

test("parseFloat64() reads Go's floats and nothing else", () => {
  expect(parseFloat64("1.5e3")).toBe(1500);
  expect(parseFloat64("-.5")).toBe(-0.5);
  expect(parseFloat64("+Inf")).toBe(Infinity);
  expect(parseFloat64("NaN")).toBeNaN();
  for (const text of ["", ".", "1e", "0x1", "1_0", "abc"]) {
    expect(() => parseFloat64(text)).toThrow(`strconv.ParseFloat: parsing ${quote(text)}: invalid syntax`);
  }
  expect(() => parseFloat64("1e999")).toThrow("value out of range");
});

test.each([
  [0, "0"],
  [2.7, "2.7"],
  [1e20, "100000000000000000000"],
  [1e21, "1e+21"],
  [0.0001, "0.0001"],
  [0.00001, "1e-05"],
  [-1.5e-10, "-1.5e-10"],
  [Number.NaN, "NaN"],
  [-Infinity, "-Inf"],
])("formatFloat(%d) is %s", (value, text) => {
  expect(formatFloat(value)).toBe(text);
});

test.each([
  ["", '""'],
  ['a "b"', '"a \\"b\\""'],
  ["a\\b", '"a\\\\b"'],
  ["\t\n\x07\x1b\x7f", '"\\t\\n\\a\\x1b\\x7f"'],
  ["ü☃", '"ü☃"'],
  ["\u00a0\u200b", '"\\u00a0\\u200b"'],
  ["𝒳\u{e0001}", '"𝒳\\U000e0001"'],
])("quote(%j) escapes as %%q does", (text, quoted) => {
  expect(quote(text)).toBe(quoted);
});

function catchError(work: () => unknown): unknown {
  try {
    work();
  } catch (cause) {
    return cause;
  }
  return undefined;
}
