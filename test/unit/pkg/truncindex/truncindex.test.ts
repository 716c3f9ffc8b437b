import fc from "fast-check";
import { expect, test } from "vitest";
import { BadRequestError, NoSuchError } from "../../../../src/errdefs/errdefs.ts";
import { TruncIndex } from "../../../../src/pkg/truncindex/truncindex.ts";

const id = "99b36c2c326ccc11e726eee6ee78a0baf166ef96";
const near = `${id.slice(0, 6)}blabla`;

test("get() finds an id by each of its prefixes", () => {
  const index = new TruncIndex([id]);
  for (let length = 1; length <= id.length; length++) expect(index.get(id.slice(0, length))).toBe(id);
});

test.each(["abracadabra", id.slice(20), `${id}0`, "8", " "])("get(%j) knows no such id", (prefix) => {
  const index = new TruncIndex([id]);
  expect(() => index.get(prefix)).toThrow(new NoSuchError("id", prefix));
  expect(() => index.get(prefix)).toThrow(`No such id: ${prefix}`);
});

test("get() refuses the empty prefix, and every prefix in an empty index", () => {
  expect(() => new TruncIndex().get("")).toThrow(new BadRequestError("prefix can't be empty"));
  expect(() => new TruncIndex().get("foobar")).toThrow("No such id: foobar");
});

test("get() says the same of an ambiguous prefix as of an unknown one", () => {
  const index = new TruncIndex([id, near]);
  for (const length of [1, 4, 6]) {
    expect(() => index.get(id.slice(0, length))).toThrow(`No such id: ${id.slice(0, length)}`);
  }
  expect([index.get(id.slice(0, 7)), index.get(near.slice(0, 7))]).toEqual([id, near]);
});

test("get() finds no id that another one starts with", () => {
  const index = new TruncIndex(["abc", "abcdef"]);
  expect(() => index.get("abc")).toThrow("No such id: abc");
  expect(index.get("abcd")).toBe("abcdef");
  index.delete("abcdef");
  expect(index.get("abc")).toBe("abc");
});

test("add() refuses a blank, nothing and an id twice", () => {
  const index = new TruncIndex([id]);
  expect(() => index.add("I have a space")).toThrow("Illegal character: ' '");
  expect(() => index.add("")).toThrow("prefix can't be empty");
  expect(() => index.add(id)).toThrow(`Id already exists: '${id}'`);
  expect(index.size).toBe(1);
});

test("delete() refuses what is not there, with quotes", () => {
  const index = new TruncIndex([id]);
  expect(() => index.delete("non-existing")).toThrow("No such id: 'non-existing'");
  expect(() => index.delete("")).toThrow("No such id: ''");
  expect(() => index.delete(id.slice(0, 8))).toThrow(`No such id: '${id.slice(0, 8)}'`);
  expect(() => index.delete(`${id}0`)).toThrow(NoSuchError);
});

test("delete() ends a conflict", () => {
  const index = new TruncIndex([id, near]);
  index.delete(near);
  expect([index.get(id.slice(0, 1)), index.get(id.slice(0, 6)), index.size]).toEqual([id, id, 1]);
  expect(() => index.get(near.slice(0, 7))).toThrow(NoSuchError);
});

test("the constructor leaves out what add() refuses", () => {
  const index = new TruncIndex(["", "a b", "ab", "ab"]);
  expect([index.size, index.get("a")]).toEqual([1, "ab"]);
});

test("TruncIndex answers as a scan over all ids would", () => {
  const key = fc.string({ unit: fc.constantFrom("a", "b", "c", "_"), minLength: 1, maxLength: 6 });
  const step = fc.record({ remove: fc.boolean(), id: key });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.array(key), (steps, probes) => {
      const model = new Set<string>();
      const index = new TruncIndex();
      for (const { remove, id } of steps) {
        const known = model.has(id);
        const work = () => (remove ? index.delete(id) : index.add(id));
        if (known === remove) work();
        else expect(work).toThrow(remove ? "No such id" : "Id already exists");
        if (remove) model.delete(id);
        else model.add(id);
      }
      expect(index.size).toBe(model.size);
      for (const probe of [...probes, ...model]) {
        const hits = [...model].filter((id) => id.startsWith(probe));
        if (hits.length === 1) expect(index.get(probe)).toBe(hits[0]);
        else expect(() => index.get(probe)).toThrow(`No such id: ${probe}`);
      }
    }),
  );
});
