import { expect, test } from "vitest";
import { pathMatch } from "../../../src/graph/match.ts";
import { ProgressSink } from "../../../src/graph/progress-sink.ts";
import { SharedWork } from "../../../src/graph/shared-work.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { deferred } from "../../../src/sync/deferred.ts";
import { StreamFormatter } from "../../../src/utils/stream-formatter.ts";

test("ProgressSink never waits for its client: updates give way to newer ones, lines do not", async () => {
  const { clock } = memoryHost();
  const gate = deferred();
  const written: string[] = [];
  const out = {
    async write(chunk: Uint8Array | string) {
      await gate.promise;
      written.push(String(chunk));
    },
  };
  const sink = new ProgressSink(out, new StreamFormatter(false), clock);
  sink.status("", "begin");
  for (let current = 10; current <= 1000; current += 10) {
    await clock.advance(10);
    sink.update("a", "Downloading", { current, total: 1000 });
  }
  sink.status("", "end");
  gate.resolve();
  await sink.drain();
  expect(written).toHaveLength(3);
  expect([written[0], written[2]]).toEqual(["begin\r\n", "end\r\n"]);
  expect(written[1]).toContain("1 kB/1 kB");
});

test("ProgressSink says ten times a second at most how far something is", async () => {
  const { clock } = memoryHost();
  const written: string[] = [];
  const sink = new ProgressSink({ write: (c) => void written.push(String(c)) }, new StreamFormatter(false), clock);
  for (let current = 10; current <= 1000; current += 10) {
    await clock.advance(10);
    sink.update("a", "Downloading", { current, total: 2000 });
  }
  expect(written).toHaveLength(10);
});

test("ProgressSink forgets a client that is gone", async () => {
  const { clock } = memoryHost();
  const out = { write: () => Promise.reject(new Error("EPIPE")) };
  const sink = new ProgressSink(out, new StreamFormatter(false), clock);
  for (let i = 0; i < 3; i++) sink.status("", "line");
  await expect(sink.drain()).resolves.toBeUndefined();
});

test("SharedWork stops when its last user leaves", async () => {
  let reason: unknown;
  const work = new SharedWork<void>(
    (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject((reason = signal.reason)))),
  );
  const [one, two] = [work.enter(), work.enter()];
  one();
  one();
  expect(work.stopped).toBe(false);
  two();
  expect(work.stopped).toBe(true);
  await work.ended();
  expect(reason).toMatchObject({ message: "the client went away" });
});

// origin: Go's path/match_test.go
test.each([
  ["abc", "abc", true],
  ["*c", "abc", true],
  ["a*/b", "abc/b", true],
  ["a*/b", "a/c/b", false],
  ["a*b*c*d*e*/f", "axbxcxdxe/f", true],
  ["ab[c]", "abc", true],
  ["ab[^c]", "abc", false],
  ["ab[e-g]", "abc", false],
  ["a\\*b", "a*b", true],
  ["a?b", "a☺b", true],
  ["[a-ζ]*", "α", true],
  ["a???b", "a☺b", false],
  ["[", "a", false],
  ["[]a]", "]", false],
  ["my-app", "my-app", true],
  ["*-*/a.b", "x-y/a.b", true],
  ["a.b", "a-b", false],
  ["***************************************x", "y".repeat(60), false],
] as const)("pathMatch(%j, %j) is %s", (pattern, name, expected) => {
  expect(pathMatch(pattern, name)).toBe(expected);
});
