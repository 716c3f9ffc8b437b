import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRfc3339, rfc3339Nano, ZERO_TIME, ZERO_TIME_NS } from "../../../src/utils/go-time.ts";

test.each([
  [0n, "1970-01-01T00:00:00Z"],
  [1_408_566_014_000_000_000n, "2014-08-20T20:20:14Z"],
  [1_408_566_014_120_000_000n, "2014-08-20T20:20:14.12Z"],
  [1_408_566_014_000_000_001n, "2014-08-20T20:20:14.000000001Z"],
  [-1n, "1969-12-31T23:59:59.999999999Z"],
  [ZERO_TIME_NS, ZERO_TIME],
])("rfc3339Nano(%d) is %s", (ns, text) => {
  expect(rfc3339Nano(ns)).toBe(text);
  expect(parseRfc3339(text)).toBe(ns);
});

test("rfc3339Nano() refuses years that the form has no room for", () => {
  expect(rfc3339Nano(253_402_300_799_999_999_999n)).toBe("9999-12-31T23:59:59.999999999Z");
  expect(() => rfc3339Nano(253_402_300_800_000_000_000n)).toThrow(RangeError);
  expect(() => rfc3339Nano(ZERO_TIME_NS - 1n)).toThrow(RangeError);
});

test("parseRfc3339() reads offsets and more than nine digits", () => {
  expect(parseRfc3339("2014-08-20T22:20:14.1234567899+02:00")).toBe(1_408_566_014_123_456_789n);
  expect(parseRfc3339("2014-08-20T15:50:14-04:30")).toBe(1_408_566_014_000_000_000n);
});

test.each([
  "",
  "2014-08-20",
  "2014-08-20T20:20:14",
  "2014-02-30T00:00:00Z",
  "2014-13-01T00:00:00Z",
  "2014-01-01T24:00:00Z",
  "2014-01-01T00:00:60Z",
  "2014-01-01T00:00:00+01:60",
])("parseRfc3339(%j) throws", (text) => {
  expect(() => parseRfc3339(text)).toThrow(RangeError);
});

test("parseRfc3339() reads every moment that rfc3339Nano() prints", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: ZERO_TIME_NS, max: 253_402_300_799_999_999_999n }), (ns) => {
      expect(parseRfc3339(rfc3339Nano(ns))).toBe(ns);
    }),
  );
});
