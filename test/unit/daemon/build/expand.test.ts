import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_EXPANDED, replaceEnvMatches } from "../../../../src/daemon/build/expand.ts";

// Run with the original code.
test.each([
  ["x$FOO", "xf"],
  ["$FOO", "f"],
  ["\\$FOO", "\\$FOO"],
  ["\\\\$FOO", "\\\\f"],
  ["${FOO", "f"],
  ["$FOO}", "f"],
  ["${FOO}", "f"],
  ["$$FOO", "f"],
  ["$FOO-$FOOBAR", "f-fBAR"],
  ["$FOOBAR $FOO", "fb f"],
  ["a\\$FOO $FOO", "a\\f f"],
  ["$NOPE", "$NOPE"],
  ["$1", "$1"],
  ["$A$A", "11"],
  ["$", "$"],
  ["${}", "${}"],
])("replaceEnvMatches(%j) is %j", (value, expected) => {
  expect(replaceEnvMatches(value, ["FOO=f", "FOOBAR=fb", "A=1", "odd"])).toBe(expected);
});

test("the first variable of a name counts, and values may look like anything", () => {
  expect(replaceEnvMatches("$A", ["A=$B=$&", "A=2", "B=3"])).toBe("$B=$&");
  expect(replaceEnvMatches("$odd", ["odd", "odd=1"])).toBe("1");
});

test("text without a variable of that name is left alone", () => {
  const text = fc.string().filter((value) => !value.includes("$KNOWN") && !value.includes("${KNOWN"));
  fc.assert(fc.property(text, (value) => void expect(replaceEnvMatches(value, ["KNOWN=x"])).toBe(value)));
});

test("a text cannot grow without end", () => {
  let value = "x".repeat(100);
  const double = () => {
    for (let step = 0; step < 40; step++) value = replaceEnvMatches("$A$A", [`A=${value}`]);
  };
  expect(double).toThrow("is longer than");
  expect(value.length).toBeLessThanOrEqual(MAX_EXPANDED);
});
