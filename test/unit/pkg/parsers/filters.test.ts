import fc from "fast-check";
import { expect, test } from "vitest";
import { BadRequestError } from "../../../../src/errdefs/errdefs.ts";
import { type Args, fromParam, parseFlag, toParam } from "../../../../src/pkg/parsers/filters/parse.ts";

test("parseFlag() collects the values of each name", () => {
  let args: Args = new Map();
  for (const text of ["created=today", "image.name=ubuntu*", "image.name=*untu", "", "a=b=c", "=x"]) {
    args = parseFlag(text, args);
  }
  expect([...args]).toEqual([
    ["created", ["today"]],
    ["image.name", ["ubuntu*", "*untu"]],
    ["a", ["b=c"]],
    ["", ["x"]],
  ]);
});

test("parseFlag() wants name=value", () => {
  expect(() => parseFlag("nope")).toThrow(new BadRequestError("bad format of filter (expected name=value)"));
});

test("toParam() writes what Go's encoder writes", () => {
  const args = parseFlag("b=<&>", parseFlag("a=1", parseFlag("b=2")));
  expect(toParam(args)).toBe('{"a":["1"],"b":["2","\\u003c\\u0026\\u003e"]}');
  expect(toParam(new Map())).toBe("");
});

test("fromParam() reads what toParam() writes", () => {
  const entry = fc.tuple(fc.string(), fc.array(fc.string()));
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const args: Args = new Map(entries);
      expect(fromParam(toParam(args))).toEqual(args);
    }),
  );
});

test("fromParam() reads the form of later clients", () => {
  expect([...fromParam('{"dangling":{"true":true},"label":{"a":true,"b":false}}')]).toEqual([
    ["dangling", ["true"]],
    ["label", ["a"]],
  ]);
});

test("fromParam() takes __proto__ for a name like any other", () => {
  expect([...fromParam('{"__proto__":["x"]}')]).toEqual([["__proto__", ["x"]]]);
});

test("fromParam() treats null as absent", () => {
  expect([...fromParam("null")]).toEqual([]);
  expect([...fromParam('{"a":null,"b":[null]}')]).toEqual([
    ["a", []],
    ["b", [""]],
  ]);
});

test.each([
  ["abc", "invalid character 'a' looking for beginning of value"],
  ["{bad", "invalid character 'b' looking for beginning of object key string"],
  ["[]", "json: cannot unmarshal array into Go value of type filters.Args"],
  ["1", "json: cannot unmarshal number into Go value of type filters.Args"],
  ['{"exited":"0"}', "json: cannot unmarshal string into Go value of type []string"],
  ['{"a":true}', "json: cannot unmarshal bool into Go value of type []string"],
  ['{"a":[1]}', "json: cannot unmarshal number into Go value of type string"],
])("fromParam() refuses %s with the text of Go's decoder", (text, message) => {
  expect(() => fromParam(text)).toThrow(expect.objectContaining({ message, statusCode: 400 }));
});
