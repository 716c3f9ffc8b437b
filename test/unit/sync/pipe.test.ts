import { expect, test } from "vitest";
import { readAll } from "../../../src/sync/io.ts";
import { pipe } from "../../../src/sync/pipe.ts";

test("pipe() makes each write wait until its chunk was taken", async () => {
  const { reader, writer } = pipe();
  let done = false;
  const writing = writer.write("one").then(() => {
    done = true;
  });
  await Promise.resolve();
  expect(done).toBe(false);
  const chunks = reader[Symbol.asyncIterator]();
  expect(String((await chunks.next()).value)).toBe("one");
  await writing;
  expect(done).toBe(true);
});

test("pipe() ends the reader when the writer closes, after what was written", async () => {
  const { reader, writer } = pipe();
  const writing = Promise.all([writer.write("a"), writer.write(Buffer.from("b")), writer.write("")]);
  writer.close();
  writer.close(new Error("too late"));
  expect((await readAll(reader)).toString()).toBe("ab");
  await writing;
  await expect(writer.write("c")).rejects.toThrow("io: read/write on closed pipe");
});

test("pipe() hands the writer's error to the reader", async () => {
  const { reader, writer } = pipe();
  const reading = readAll(reader);
  writer.close(new Error("disk gone"));
  await expect(reading).rejects.toThrow("disk gone");
});

test("pipe() fails waiting and later writes when the reader closes", async () => {
  const { reader, writer } = pipe();
  const waiting = writer.write("a");
  reader.close(new Error("client left"));
  await expect(waiting).rejects.toThrow("client left");
  await expect(writer.write("b")).rejects.toThrow("client left");
  expect((await readAll(reader)).length).toBe(0);
});

test("pipe() wakes a reader that waits when it is closed from its own side", async () => {
  const { reader } = pipe();
  const reading = readAll(reader);
  await Promise.resolve();
  reader.close();
  expect((await reading).length).toBe(0);
});
