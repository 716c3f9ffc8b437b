import { expect, test } from "vitest";
import * as version from "../../../../src/pkg/version/version.ts";

test.each([
  ["1.12", "1.12", 0],
  ["1.0.0", "1", 0],
  ["1", "1.0.0", 0],
  ["1.05.00.0156", "1.0.221.9289", 1],
  ["1", "1.0.1", -1],
  ["1.0.1", "1", 1],
  ["1.0.1", "1.0.2", -1],
  ["1.0.3", "1.1", -1],
  ["1.1", "1.1.1", -1],
  ["1.1.2", "1.2", -1],
  ["1.9", "1.14", -1],
  ["1.x", "1.0", 0],
  ["", "0", 0],
  ["1.99999999999999999999", "1.14", 1],
] as const)("compareTo(%j, %j) is %d", (a, b, result) => {
  expect(version.compareTo(a, b)).toBe(result);
});

test("the five comparisons agree with compareTo()", () => {
  for (const [a, b] of [
    ["1.9", "1.14"],
    ["1.14", "1.14.0"],
    ["1.14", "1.9"],
  ] as const) {
    const order = version.compareTo(a, b);
    expect([
      version.lessThan(a, b),
      version.lessThanOrEqualTo(a, b),
      version.equal(a, b),
      version.greaterThanOrEqualTo(a, b),
      version.greaterThan(a, b),
    ]).toEqual([order < 0, order <= 0, order === 0, order >= 0, order > 0]);
  }
});
