import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "../../../../src/pkg/mflag/duration.ts";

test.each([
  ["0", 0],
  ["5s", 5000],
  ["30s", 30_000],
  ["-5s", -5000],
  ["+5.6s", 5600],
  [".5s", 500],
  ["10ns", 1e-5],
  ["12µs", 0.012],
  ["12us", 0.012],
  ["1h15m30.918s", 4_530_918],
])("parseDuration(%s) is %d ms", (text, ms) => {
  expect(parseDuration(text)).toBeCloseTo(ms, 9);
});

test.each([
  ["", "time: invalid duration "],
  ["3", "time: missing unit in duration 3"],
  ["-", "time: invalid duration -"],
  ["s", "time: invalid duration s"],
  [".s", "time: invalid duration .s"],
  ["3x", "time: unknown unit x in duration 3x"],
  ["3toString", "time: unknown unit toString in duration 3toString"],
  ["9999999h", "time: invalid duration 9999999h"],
])("parseDuration(%j) fails with Go's text", (text, message) => {
  expect(() => parseDuration(text)).toThrow(new Error(message));
});

test.each([
  [0, "0"],
  [1e-6, "1ns"],
  [0.0011, "1.1us"],
  [2.2, "2.2ms"],
  [3300, "3.3s"],
  [305_001, "5m5.001s"],
  [18_000_000, "5h0m0s"],
  [-100, "-100ms"],
  [3_600_000, "1h0m0s"],
])("formatDuration(%d) is %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test("parseDuration() reads what formatDuration() shows", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e12 }), (ms) => Math.abs(parseDuration(formatDuration(ms)) - ms) < 1e-3),
  );
});
