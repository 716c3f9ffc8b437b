import fc from "fast-check";
import { expect, test } from "vitest";
import { parseChallenges } from "../../../../src/registry/v2/challenge.ts";

const read = (text: string) => parseChallenges(text).map((c) => [c.scheme, Object.fromEntries(c.parameters)]);

test("parseChallenges() reads one or several, quoted or not", () => {
  expect(read('Bearer realm="https://auth.test/token",service="a \\"b\\"", scope="repository:x:pull,push"')).toEqual([
    ["bearer", { realm: "https://auth.test/token", service: 'a "b"', scope: "repository:x:pull,push" }],
  ]);
  expect(read('Negotiate, Basic realm="x", Bearer realm=y')).toEqual([
    ["negotiate", {}],
    ["basic", { realm: "x" }],
    ["bearer", { realm: "y" }],
  ]);
});

test("parseChallenges() ends on any text", () => {
  fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseChallenges(text))));
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "=", '"', ",", " ", "\\") }), (text) =>
      Array.isArray(parseChallenges(text)),
    ),
  );
});
