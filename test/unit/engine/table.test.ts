import { expect, test } from "vitest";
import { Env } from "../../../src/engine/env.ts";
import { Table } from "../../../src/engine/table.ts";
import { BufferWriter } from "../../../src/sync/io.ts";

function table(key: string, values: string[]): Table {
  const made = new Table(key);
  for (const value of values) {
    const row = new Env();
    row.set(key, value);
    made.add(row);
  }
  return made;
}

const column = (made: Table, key: string) => made.rows.map((row) => row.get(key));

test("Table.reverseSort() puts text before numbers, numbers by value", () => {
  const made = table("Created", ["10", "9", "100", "b"]);
  made.reverseSort();
  expect(made.toListString()).toBe('[{"Created":"b"}\n,{"Created":100}\n,{"Created":10}\n,{"Created":9}\n]');
});

// origin: engine/table_test.go TestTableSortStringValue, TestTableReverseSortStringValue
test("Table.sort() orders text, Table.reverseSort() the other way", () => {
  const made = table("Key", ["A", "D", "B", "C"]);
  made.sort();
  expect(column(made, "Key")).toEqual(["A", "B", "C", "D"]);
  made.reverseSort();
  expect(column(made, "Key")).toEqual(["D", "C", "B", "A"]);
  expect(made.len()).toBe(4);
});

test("Table.sort() compares integers of 64 bits, keeps the order of equal rows, and follows Table.setKey()", () => {
  const made = table("n", ["9007199254740993", "9007199254740992", "-1"]);
  made.sort();
  expect(column(made, "n")).toEqual(["-1", "9007199254740992", "9007199254740993"]);
  made.setKey("other");
  made.reverseSort();
  expect(column(made, "n")).toEqual(["-1", "9007199254740992", "9007199254740993"]);
});

test("Table.writeListTo() writes an array, Table.writeTo() rows without brackets", async () => {
  const made = table("a", ["1", "2"]);
  const list = new BufferWriter();
  const rows = new BufferWriter();
  await made.writeListTo(list);
  await made.writeTo(rows);
  expect([list.toString(), rows.toString()]).toEqual(['[{"a":1}\n,{"a":2}\n]', '{"a":1}\n{"a":2}\n']);
  expect(new Table().toListString()).toBe("[]");
});

test("Table.readListFrom() takes objects and leaves the rest", () => {
  const made = new Table();
  made.readListFrom('[{"a":1.5},null,3,"x",[{"a":2}],{"a":"3"}]');
  expect(column(made, "a")).toEqual(["1", "3"]);
  made.readListFrom("null");
  expect(made.len()).toBe(2);
  expect(() => made.readListFrom("{}")).toThrow("json: cannot unmarshal object into Go value of type []interface {}");
  expect(() => made.readListFrom("[1")).toThrow("unexpected end of JSON input");
});

test("Table.readFrom() takes objects that follow each other, up to the first fault", () => {
  const made = new Table();
  expect(() => made.readFrom('{"a":1}{"a":2}\n {"a":3} x')).toThrow(
    "invalid character 'x' looking for beginning of value",
  );
  expect(column(made, "a")).toEqual(["1", "2", "3"]);
});
