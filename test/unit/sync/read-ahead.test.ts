import { expect, test } from "vitest";
import { readAll } from "../../../src/sync/io.ts";
import { readAhead } from "../../../src/sync/read-ahead.ts";

/** A source of `chunks` that counts how many were taken. */
function source(...chunks: (string | Error)[]) {
  const seen = { taken: 0, destroyed: false };
  return {
    seen,
    async *[Symbol.asyncIterator]() {
      for (const chunk of chunks) {
        seen.taken++;
        if (chunk instanceof Error) throw chunk;
        yield Buffer.from(chunk);
      }
    },
    destroy() {
      seen.destroyed = true;
    },
  };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("readAhead() reads before anybody asks, up to its limit, and gives everything in order", async () => {
  const from = source("one", "two", "three", "four");
  const ahead = readAhead(from, 6);
  await settle();
  expect(from.seen.taken).toBe(2);
  expect((await readAll(ahead)).toString()).toBe("onetwothreefour");
  expect(from.seen).toEqual({ taken: 4, destroyed: true });
});

test("readAhead() gives a failure at its place", async () => {
  const ahead = readAhead(source("one", new Error("broken")), 100);
  await settle();
  const got: string[] = [];
  const read = async () => {
    for await (const chunk of ahead) got.push(String(chunk));
  };
  await expect(read()).rejects.toThrow("broken");
  expect(got).toEqual(["one"]);
});

test("readAhead().destroy() destroys the source", async () => {
  const from = source("one");
  readAhead(from, 0).destroy();
  expect(from.seen).toEqual({ taken: 0, destroyed: true });
});
