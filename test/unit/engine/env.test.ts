import fc from "fast-check";
import { expect, test } from "vitest";
import { Env } from "../../../src/engine/env.ts";

function env(values: Record<string, string>): Env {
  const made = new Env();
  for (const [key, value] of Object.entries(values)) made.set(key, value);
  return made;
}

const encoded = (value: string) => env({ a: value }).encode();

test.each([
  ["123", "123"],
  ["true", "true"],
  ["1.5", "1"],
  ["1e3", "1000"],
  ["12e4", "120000"],
  ["null", "null"],
  [" 1 ", "1"],
  ['"a b"', '"a b"'],
  ['"a "b" c"', '"\\"a \\"b\\" c\\""'],
  ["", '""'],
  ["-0.7", "0"],
  ["-0", "0"],
  ['{"a":1.9,"b":[2.5,"x"]}', '{"a":1,"b":[2,"x"]}'],
  ["12345678901234567890", "-9223372036854775808"],
  ["9223372036854775807", "-9223372036854775808"],
  ["9007199254740993", "9007199254740992"],
  ["-1e300", "-9223372036854775808"],
  ["1e400", '"1e400"'],
  ["[1e400]", '"[1e400]"'],
  ['["x"]', '["x"]'],
  ["007", '"007"'],
  ["+1", '"+1"'],
  ["truely", '"truely"'],
  ["12ab", '"12ab"'],
  ["NaN", '"NaN"'],
  ["\ttrue\n", "true"],
  ['{"z":1,"a":{"d":2,"c":3}}', '{"a":{"c":3,"d":2},"z":1}'],
  ["<b> & \u2028", '"\\u003cb\\u003e \\u0026 \\u2028"'],
])("Env.encode() writes the stored text %j as %s", (stored, written) => {
  expect(encoded(stored)).toBe(`{"a":${written}}\n`);
});

test("Env.encode() sorts names by their bytes", () => {
  const text = env({ b: "x", a: "y", "\u{1f600}": "2", "\uffee": "1", 10: "n", 9: "m" }).encode();
  expect(text).toBe('{"10":"n","9":"m","a":"y","b":"x","\uffee":1,"\u{1f600}":2}\n');
});

test("Env.decode() turns numbers into integers and the rest into text or JSON", () => {
  const decoded = new Env();
  decoded.decode('{"a":1.9,"b":true,"c":null,"d":[1,2.5],"e":{"x":1},"f":"s","g":1e21}');
  expect(Object.fromEntries(decoded.map())).toEqual({
    a: "1",
    b: "true",
    c: "null",
    d: "[1,2.5]",
    e: '{"x":1}',
    f: "s",
    g: "-9223372036854775808",
  });
});

test.each([
  ["", "EOF"],
  ["  \n", "EOF"],
  ["[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"],
  ['"x"', "json: cannot unmarshal string into Go value of type map[string]interface {}"],
  ["true", "json: cannot unmarshal bool into Go value of type map[string]interface {}"],
  ["1", "json: cannot unmarshal number into Go value of type map[string]interface {}"],
  ['{"a":', "unexpected EOF"],
  ["{a}", "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
  ['{"a":[1 2]}', "invalid character '2' after array element"],
  ['{"a":tru3}', "invalid character '3' in literal true (expecting 'e')"],
  ['{"a":"\n"}', "invalid character '\\n' in string literal"],
  ['{"a":"\\x"}', "invalid character 'x' in string escape code"],
  ['{"a":"\\u12g4"}', "invalid character 'g' in \\u hexadecimal character escape"],
  ['{"a":-x}', "invalid character 'x' in numeric literal"],
  ['{"a":1.x}', "invalid character 'x' after decimal point in numeric literal"],
  ['{"a":1e}', "invalid character '}' in exponent of numeric literal"],
  ["\u00e9", "invalid character '\u00c3' looking for beginning of value"],
])("Env.decode() refuses %j with Go's text", (text, message) => {
  expect(() => new Env().decode(text)).toThrow(
    expect.objectContaining({ name: "JsonError", message, statusCode: 400 }),
  );
});

test("Env.decode() adds nothing when it fails, reads null as nothing and only the first of several values", () => {
  const decoded = new Env();
  expect(() => decoded.decode('{"a":1,"b":[1e999]}')).toThrow("cannot unmarshal number");
  decoded.decode("null");
  expect(decoded.len()).toBe(0);
  decoded.decode('{"a":1} trailing');
  expect(decoded.get("a")).toBe("1");
});

test("Env.decode() survives hostile bodies", () => {
  const decoded = new Env();
  decoded.decode('{"__proto__":{"polluted":1},"constructor":"x","toString":"y"}');
  expect([decoded.get("__proto__"), decoded.get("constructor"), decoded.get("hasOwnProperty")]).toEqual([
    '{"polluted":1}',
    "x",
    "",
  ]);
  expect(decoded.encode()).toBe('{"__proto__":{"polluted":1},"constructor":"x","toString":"y"}\n');
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
  expect(() => decoded.decode(`{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`)).toThrow("exceeded max depth");
  expect(encoded(`${"[".repeat(5000)}${"]".repeat(5000)}`)).toContain('"[[[');
});

test.each([
  ["", false],
  ["0", false],
  ["no", false],
  ["None", false],
  ["FALSE", false],
  [" \tfalse\t ", false],
  ["null", true],
  ["off", true],
  ["abc", true],
  ["1", true],
  ["\nfalse", true],
])("Env.getBool() reads %j as %s", (text, value) => {
  expect(env({ a: text }).getBool("a")).toBe(value);
});

test.each([
  ["", 0],
  ["1.5", 0],
  [" 42\t", 42],
  ["-7", -7],
  ["+7", 7],
  ["0x10", 0],
  ["99999999999999999999", 0],
  ["1_0", 0],
])("Env.getInt() reads %j as %d", (text, value) => {
  expect(env({ a: text }).getInt("a")).toBe(value);
});

test("Env.getInt64() keeps 64 bits", () => {
  expect(env({ a: "9223372036854775807" }).getInt64("a")).toBe(9223372036854775807n);
  expect(env({ a: "9223372036854775808" }).getInt64("a")).toBe(0n);
  expect(env({ a: "-9223372036854775808" }).getInt64("a")).toBe(-9223372036854775808n);
});

test.each([
  ["", undefined],
  ["null", undefined],
  ["raw", ["raw"]],
  ['["a","b"]', ["a", "b"]],
  ["[]", []],
  ['{"a":1}', ['{"a":1}']],
  ['["a",null]', ["a", ""]],
  ['["a",1]', ["a", "", '["a",1]']],
])("Env.getList() reads %j as %j", (text, value) => {
  expect(env({ a: text }).getList("a")).toEqual(value);
});

test("Env.setList() stores undefined as null", () => {
  const made = new Env();
  made.setList("a", undefined);
  made.setList("b", ["<x>"]);
  expect([made.get("a"), made.get("b")]).toEqual(["null", '["\\u003cx\\u003e"]']);
});

test("Env.get() answers the last value, Env.multiMap() all of them", () => {
  const made = new Env();
  made.set("a", "1");
  made.set("b", "2");
  made.set("a", "3");
  made.set("c=d", "e");
  expect([made.get("a"), made.get("c"), made.len(), made.exists("c=d")]).toEqual(["3", "d=e", 3, false]);
  expect(Object.fromEntries(made.multiMap())).toEqual({ a: ["1", "3"], b: ["2"], c: ["d=e"] });
});

// origin: engine/env_test.go TestMultiMap
test("Env.initMultiMap() replaces everything", () => {
  const made = env({ old: "x" });
  made.initMultiMap(new Map([["a", ["1", "2"]]]));
  expect([made.get("old"), made.get("a"), made.len()]).toEqual(["", "2", 1]);
});

test("Env.init() copies, and later changes stay apart", () => {
  const source = env({ a: "1" });
  const copy = env({ gone: "x" });
  copy.init(source);
  source.set("a", "2");
  expect([copy.get("a"), copy.get("gone")]).toEqual(["1", ""]);
  copy.init(copy);
  expect(copy.get("a")).toBe("1");
});

test("Env.getSubEnv() reads back what Env.setSubEnv() stored with its newline", () => {
  const outer = new Env();
  outer.setSubEnv("sub", env({ a: "1" }));
  expect(outer.get("sub")).toBe('{"a":1}\n');
  expect(outer.getSubEnv("sub")?.get("a")).toBe("1");
  expect(outer.getSubEnv("missing")).toBeUndefined();
  expect(env({ a: "[1]" }).getSubEnv("a")).toBeUndefined();
});

test("Env.getJson() gives the value, nothing for empty and null, and Go's error", () => {
  expect(env({ a: '{"x":[1]}' }).getJson("a")).toEqual({ x: [1] });
  expect(env({ a: "null" }).getJson("a")).toBeUndefined();
  expect(new Env().getJson("a")).toBeUndefined();
  expect(() => env({ a: "{" }).getJson("a")).toThrow("unexpected end of JSON input");
  expect(() => env({ a: "1 2" }).getJson("a")).toThrow("invalid character '2' after top-level value");
});

test("Env.import() takes a value's fields as if they had been sent as JSON", () => {
  const made = new Env();
  made.import({
    Memory: 1.5,
    Cmd: ["a", "b"],
    Tty: false,
    Image: "x",
    Gone: undefined,
    Nil: null,
    Map: new Map([["k", 1]]),
  });
  expect(Object.fromEntries(made.map())).toEqual({
    Memory: "1",
    Cmd: '["a","b"]',
    Tty: "false",
    Image: "x",
    Nil: "null",
    Map: '{"k":1}',
  });
  expect(() => made.import([1])).toThrow(
    "ImportEnv: json: cannot unmarshal array into Go value of type map[string]interface {}",
  );
});

// origin: engine/env_test.go TestLongNumbers, TestLongNumbersArray
test("Env.encode() keeps long integers inside objects", () => {
  const made = new Env();
  made.setJson("Test", { TestNum: [67108864, 4503599627370496] });
  expect(made.encode()).toBe('{"Test":{"TestNum":[67108864,4503599627370496]}}\n');
});

const names = fc.string().filter((name) => !name.includes("="));

test("Env.encode() always writes JSON, and decoding it is idempotent from then on", () => {
  fc.assert(
    fc.property(fc.dictionary(names, fc.oneof(fc.string({ unit: "binary" }), fc.json())), (values) => {
      const once = env(values).encode();
      const first = new Env();
      first.decode(once);
      expect(first.len()).toBe(Object.keys(values).length);
      const second = new Env();
      second.decode(first.encode());
      expect(second.encode()).toBe(first.encode());
      expect(once).not.toMatch(/[<>&\u2028\u2029]/);
    }),
  );
});

test("Env.decode() gives back every string, and integers truncated", () => {
  fc.assert(
    fc.property(
      fc.dictionary(names, fc.oneof(fc.string(), fc.maxSafeInteger(), fc.double({ noNaN: true }))),
      (values) => {
        const finite = Object.entries(values).filter(
          ([, value]) => typeof value === "string" || Number.isFinite(value),
        );
        const decoded = new Env();
        decoded.decode(JSON.stringify(Object.fromEntries(finite)));
        for (const [key, value] of finite) {
          if (typeof value === "string") expect(decoded.get(key)).toBe(value);
          else if (Number.isSafeInteger(Math.trunc(value)))
            expect(Number(decoded.get(key))).toBe(Math.trunc(value) + 0);
          else expect(decoded.get(key)).toMatch(/^-?\d+$/);
        }
      },
    ),
  );
});

test("Env.setInt() and Env.getInt64() agree on every 64-bit integer", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const made = new Env();
      made.setInt("a", value);
      expect(made.getInt64("a")).toBe(value);
    }),
  );
});
