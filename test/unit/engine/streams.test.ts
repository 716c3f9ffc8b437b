import { expect, test } from "vitest";
import { Input, Output, tail } from "../../../src/engine/streams.ts";
import { deferred } from "../../../src/sync/deferred.ts";
import { BufferWriter, readAll, type Writer } from "../../../src/sync/io.ts";

test.each([
  ["", 1, ""],
  ["\n", 1, ""],
  ["a", 1, "a"],
  ["a\n", 1, "a"],
  ["a\nb", 1, "b"],
  ["a\nb\n", 1, "b"],
  ["a\n\n", 1, ""],
  ["\nb", 1, "b"],
  ["a\nb", 0, ""],
  ["a\nb", -1, ""],
  ["One\nTwo\nThree", 2, "Two\nThree"],
  ["One\nTwo\nThree", 3, "One\nTwo\nThree"],
  ["One\nTwo\nThree", 9, "One\nTwo\nThree"],
  ["\n\n\n", 2, "\n"],
])("tail(%j, %d) is %j", (text, n, last) => {
  expect(tail(text, n)).toBe(last);
});

test("Output.write() reaches every destination in order, also when one of them fails", async () => {
  const output = new Output();
  const good = new BufferWriter();
  output.add({ write: () => Promise.reject(new Error("first")) });
  output.add({
    write() {
      throw new Error("second");
    },
  });
  output.add(good);
  await expect(output.write("hello")).rejects.toThrow("first");
  await expect(output.write(" there")).rejects.toThrow("first");
  expect(good.toString()).toBe("hello there");
});

test("Output.write() waits for a slow destination before the next chunk is handed out", async () => {
  const output = new Output();
  const seen: string[] = [];
  const gate = deferred();
  output.add({
    async write(chunk) {
      seen.push(`begin ${chunk}`);
      await gate.promise;
      seen.push(`end ${chunk}`);
    },
  });
  const writes = [output.write("1"), output.write("2")];
  const closed = output.close();
  await Promise.resolve();
  expect(seen).toEqual(["begin 1"]);
  gate.resolve();
  await Promise.all([...writes, closed]);
  expect(seen).toEqual(["begin 1", "end 1", "begin 2", "end 2"]);
});

test("Output.used() counts an empty write, which reaches the destination", async () => {
  const output = new Output();
  const chunks: unknown[] = [];
  output.add({ write: (chunk) => void chunks.push(chunk) });
  expect(output.used()).toBe(false);
  await output.write("");
  expect([output.used(), chunks]).toEqual([true, [""]]);
});

test("Output.close() closes all destinations, throws the first failure and loses what comes later", async () => {
  const output = new Output();
  const closed: string[] = [];
  const late = new BufferWriter();
  const failing = (name: string): Writer => ({
    write: () => undefined,
    close() {
      closed.push(name);
      throw new Error(name);
    },
  });
  output.add(failing("a"));
  output.add(late);
  output.add(failing("b"));
  await expect(output.close()).rejects.toThrow("a");
  expect(closed).toEqual(["a", "b"]);
  await output.write("late");
  expect(late.toString()).toBe("");
});

test("Output.set() closes the destinations it replaces", async () => {
  const output = new Output();
  let closed = false;
  const next = new BufferWriter();
  output.add({
    write: () => undefined,
    close: () => {
      closed = true;
    },
  });
  await output.set(next);
  await output.write("x");
  expect([closed, next.toString()]).toEqual([true, "x"]);
});

// origin: engine/streams_test.go TestOutputAddPipe
test.each(["hello, world!", "One\nTwo\nThree", "", "A line followed by an empty line\n\n"])(
  "Output.addPipe() passes on %j",
  async (text) => {
    const output = new Output();
    const reader = output.addPipe();
    const writing = output.write(text).then(() => output.close());
    expect((await readAll(reader)).toString()).toBe(text);
    await writing;
  },
);

test("Output.addPipe() fails writing when the reader has left", async () => {
  const output = new Output();
  const reader = output.addPipe();
  const leaving = (async () => {
    for await (const _ of reader) break;
  })();
  await output.write("one");
  await leaving;
  await expect(output.write("two")).rejects.toThrow("io: read/write on closed pipe");
});

test("Output.addEnv() holds the last complete object once the output is closed", async () => {
  const output = new Output();
  const env = output.addEnv();
  await output.write('{"foo": "bar", "gone": 1}{"foo": "b\u00e9');
  await output.write('", "answer": 42.0}\n{"foo":');
  expect(env.len()).toBe(0);
  await output.close();
  expect([env.get("foo"), env.getInt("answer"), env.exists("gone")]).toEqual(["b\u00e9", 42, false]);
});

test("Output.addTable() and Output.addListTable() hold the rows once the output is closed", async () => {
  const rows = new Output();
  const list = new Output();
  const [table, listTable, broken] = [rows.addTable(), list.addListTable(), rows.addListTable()];
  await rows.write('{"a":1}{"a":2}');
  await list.write('[{"a":3}]');
  await Promise.all([rows.close(), list.close()]);
  expect([...table.rows, ...listTable.rows].map((row) => row.getInt("a"))).toEqual([1, 2, 3]);
  expect(broken.len()).toBe(0);
});

test("Input reads its one source and closes it", async () => {
  const input = new Input();
  expect((await readAll(input)).length).toBe(0);
  expect(input.connected).toBe(false);
  let closed = false;
  async function* source() {
    yield Buffer.from("hello ");
    yield Buffer.from("world");
  }
  input.add(Object.assign(source(), { close: () => void (closed = true) }));
  expect(() => input.add(source())).toThrow("Maximum number of sources reached: 1");
  expect((await readAll(input)).toString()).toBe("hello world");
  await input.close();
  expect(closed).toBe(true);
});
