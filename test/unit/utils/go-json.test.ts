import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes, floatText, goJson, goMapJson, int64Text } from "../../../src/utils/go-json.ts";
import { decodeNext, unmarshal } from "../../../src/utils/go-json-decode.ts";

test.each([
  ["<a href='x'>&</a>", "\"\\u003ca href='x'\\u003e\\u0026\\u003c/a\\u003e\""],
  ["\u2028\u2029", '"\\u2028\\u2029"'],
  ["\b\f\t\n\r\0\x1f\x7f", '"\\u0008\\u000c\\u0009\\n\\r\\u0000\\u001f\x7f"'],
  ['\\b \\t "q" \\u003c', '"\\\\b \\\\t \\"q\\" \\\\u003c"'],
  ["\ud800x", '"\\ufffdx"'],
  ["\ud83d\ude00", '"\ud83d\ude00"'],
])("goJson(%j) escapes as Go does", (value, text) => {
  expect(goJson(value)).toBe(text);
});

test("goJson() keeps a struct's order, sorts a map, leaves out undefined", () => {
  const map = new Map([
    ["b", 1],
    ["<", 2],
    ["a", 3],
  ]);
  expect(goJson({ Z: 1, A: [undefined, null], gone: undefined, map, big: 2n ** 62n })).toBe(
    '{"Z":1,"A":[null,null],"map":{"\\u003c":2,"a":3,"b":1},"big":4611686018427387904}',
  );
  expect(goJson({ Z: 1, "a<": undefined, "b>": "x" })).toBe('{"Z":1,"b\\u003e":"x"}');
  expect([goJson(undefined), goJson(null), goJson(Buffer.from("hi"))]).toEqual(["null", "null", '"aGk="']);
});

test("goJson() always writes what reads back as the same value", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = goJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(goJson(new Map([["k", value]]))).toBe(`{"k":${text}}`);
    }),
  );
});

test.each([
  [1.9, "1"],
  [-1.9, "-1"],
  [-0.2, "0"],
  [2 ** 53, "9007199254740992"],
  [2 ** 63, "-9223372036854775808"],
  [-(2 ** 63), "-9223372036854775808"],
  [2 ** 62, "4611686018427387904"],
  [Number.NaN, "-9223372036854775808"],
])("int64Text(%d) is %s", (value, text) => {
  expect(int64Text(value)).toBe(text);
});

test("goMapJson() sorts all keys and refuses what Go's decoder refuses", () => {
  expect(goMapJson(JSON.parse('{"b":-0,"a":{"d":1.5,"c":1e21},"__proto__":[true]}'), floatText)).toBe(
    '{"__proto__":[true],"a":{"c":1e+21,"d":1.5},"b":-0}',
  );
  expect(() => goMapJson([Infinity], floatText)).toThrow("json: cannot unmarshal number");
});

test("compareBytes() orders like the bytes of UTF-8", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

test("unmarshal() accepts exactly what JSON.parse accepts", () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), fc.stringMatching(/^[[\]{}",:\\u0-9a-ftrn.eE+-]{0,12}$/)), (text) => {
      let expected: unknown;
      try {
        expected = { value: JSON.parse(text) };
      } catch {
        expected = "error";
      }
      let actual: unknown;
      try {
        actual = { value: unmarshal(text) };
      } catch (cause) {
        expect(cause).toMatchObject({ name: "JsonError" });
        actual = "error";
      }
      expect(actual).toEqual(expected);
    }),
    { numRuns: 1000 },
  );
});

test("decodeNext() walks through values that follow each other with anything or nothing between", () => {
  fc.assert(
    fc.property(fc.array(fc.object()), fc.constantFrom("", " ", "\n\r\t "), (values, gap) => {
      const text = values.map((value) => JSON.stringify(value)).join(gap);
      const found: unknown[] = [];
      for (let next = decodeNext(text); next !== undefined; next = decodeNext(text, next.end)) found.push(next.value);
      expect(found).toEqual(JSON.parse(JSON.stringify(values)));
    }),
  );
});

test("decodeNext() ends a bare number where the next value begins, and names a cut-off value", () => {
  expect(decodeNext("12 true")).toEqual({ value: 12, end: 2 });
  expect(decodeNext("01")).toEqual({ value: 0, end: 1 });
  expect(decodeNext(" \n")).toBeUndefined();
  expect(() => decodeNext('{"a":"')).toThrow("unexpected EOF");
  expect(() => unmarshal('{"a":"')).toThrow("unexpected end of JSON input");
  expect(() => unmarshal(`${"[".repeat(10_001)}x`)).toThrow("exceeded max depth");
});
