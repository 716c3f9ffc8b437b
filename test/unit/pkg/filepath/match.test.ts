import fc from "fast-check";
import { expect, test } from "vitest";
import { fromText } from "../../../../src/archive/byte-string.ts";
import { BadPatternError, match } from "../../../../src/pkg/filepath/match.ts";

// What Go's own library says of these.
test.each<[pattern: string, path: string, expected: boolean | "bad"]>([
  ["abc", "abc", true],
  ["*", "abc", true],
  ["*c", "abc", true],
  ["a*", "a", true],
  ["a*", "ab/c", false],
  ["a*/b", "abc/b", true],
  ["a*/b", "a/c/b", false],
  ["a*b*c*d*e*/f", "axbxcxdxe/f", true],
  ["a*b*c*d*e*/f", "axbxcxdxexxx/f", true],
  ["a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false],
  ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["a*b?c*x", "abxbbxdbxebxczzy", false],
  ["ab[c]", "abc", true],
  ["ab[b-d]", "abc", true],
  ["ab[e-g]", "abc", false],
  ["ab[^c]", "abc", false],
  ["ab[^e-g]", "abc", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "ab", false],
  ["a?b", "a☺b", true],
  ["a[^a]b", "a☺b", true],
  ["a???b", "a☺b", false],
  ["a[^a][^a][^a]b", "a☺b", false],
  ["[a-ζ]*", "α", true],
  ["*[a-ζ]", "A", false],
  ["a?b", "a/b", false],
  ["a*b", "a/b", false],
  ["[\\]a]", "]", true],
  ["[\\-]", "-", true],
  ["[x\\-]", "z", false],
  ["[\\-x]", "x", true],
  ["[]a]", "]", "bad"],
  ["[-]", "-", "bad"],
  ["[x-]", "x", "bad"],
  ["[-x]", "x", "bad"],
  ["\\", "a", "bad"],
  ["[a-b-c]", "a", "bad"],
  ["[", "a", "bad"],
  ["[^", "a", "bad"],
  ["[^bc", "a", "bad"],
  ["a[", "a", false],
  ["a[", "ab", "bad"],
  ["*x", "xxx", true],
  ["*??", "€", true],
  ["", "", true],
  ["", "a", false],
  [".*", ".", true],
  // A class takes a separator, too; and the first place where a class fits counts, also when another would lead on.
  ["[^a]", "/", true],
  ["[a-c/]*", "/b", true],
  ["*[^a]*", "c/", false],
  ["src/*", "src", false],
])("match(%j, %j): %s", (pattern, path, expected) => {
  const result = () => match(fromText(pattern), fromText(path));
  if (expected === "bad") expect(result).toThrow(BadPatternError);
  else expect(result()).toBe(expected);
});

test("BadPatternError has Go's text", () => {
  expect(() => match("[", "a")).toThrow(/^syntax error in pattern$/);
});

/** A piece of a pattern, and the same as a regular expression. */
const piece = fc.oneof(
  fc.constantFrom("a", "b", "/", "-").map((char) => [char, char]),
  fc.constant(["?", "[^/]"]),
  fc.constant(["*", "[^/]*"]),
  fc.constantFrom("*", "?", "[", "\\").map((char) => [`\\${char}`, `\\${char}`]),
  fc.constantFrom("[ab]", "[^a/]", "[a-c]", "[b-b]").map((text) => [text, text]),
);

test("match() agrees with regular expressions", () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }),
      fc.string({ unit: fc.constantFrom("a", "b", "c", "/", "-", "*", "["), maxLength: 10 }),
      (pieces, path) => {
        const expression = new RegExp(`^${pieces.map(([, text]) => text).join("")}$`, "s");
        expect(match(pieces.map(([text]) => text).join(""), path)).toBe(expression.test(path));
      },
    ),
    { numRuns: 3000 },
  );
});

test("match() takes no more than a moment for many stars", () => {
  const started = performance.now();
  expect(match(`${"*a".repeat(30)}*b`, "a".repeat(4000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(2000);
});
