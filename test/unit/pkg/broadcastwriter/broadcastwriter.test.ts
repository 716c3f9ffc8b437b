import fc from "fast-check";
import { expect, test } from "vitest";
import { BroadcastWriter, lineLimit } from "../../../../src/pkg/broadcastwriter/broadcastwriter.ts";
import { subscriptionLimit } from "../../../../src/pkg/broadcastwriter/subscription.ts";
import { decodeJsonLog } from "../../../../src/pkg/jsonlog/jsonlog.ts";
import { deferred } from "../../../../src/sync/deferred.ts";
import { BufferWriter } from "../../../../src/sync/io.ts";

const now = () => "2014-08-20T20:13:34.000000001Z";
const logged = (log: BufferWriter) =>
  log
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => decodeJsonLog(line)?.log);

// origin: pkg/broadcastwriter/broadcastwriter_test.go TestBroadcastWriter
test("BroadcastWriter.write() gives every reader every byte", async () => {
  const out = new BroadcastWriter(now);
  const [a, b] = [new BufferWriter(), new BufferWriter()];
  const first = out.addWriter(a);
  await out.write("foo");
  const second = out.addWriter(b);
  await out.write("bar");
  out.clean();
  await Promise.all([first.ended, second.ended]);
  expect([a.toString(), b.toString()]).toEqual(["foobar", "bar"]);
});

test("BroadcastWriter.write() logs whole lines, with the stream's name and one time for each write", async () => {
  const out = new BroadcastWriter(now);
  const log = new BufferWriter();
  out.addLog(log, "stdout");
  await out.write("a<b\nlast");
  await out.write(" line\n");
  expect(log.toString()).toBe(
    '{"log":"a\\u003cb\\n","stream":"stdout","time":"2014-08-20T20:13:34.000000001Z"}\n' +
      '{"log":"last line\\n","stream":"stdout","time":"2014-08-20T20:13:34.000000001Z"}\n',
  );
});

test("BroadcastWriter.clean() logs a last line that has no end", () => {
  const out = new BroadcastWriter(now);
  const log = new BufferWriter();
  out.addLog(log, "stderr");
  void out.write("no end");
  out.clean();
  expect(logged(log)).toEqual(["no end"]);
});

test("BroadcastWriter.write() cuts a long line at a character and keeps no more than that in memory", () => {
  const out = new BroadcastWriter(now);
  const log = new BufferWriter();
  out.addLog(log, "stdout");
  const text = `x${"é".repeat(lineLimit)}`;
  void out.write(text);
  out.clean();
  const lines = logged(log);
  expect(lines.join("")).toBe(text);
  expect(lines.every((line) => Buffer.byteLength(line ?? "") <= lineLimit)).toBe(true);
});

test("BroadcastWriter.write() logs the same lines however the bytes are cut into chunks", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ maxLength: 30 }).map((s) => s.replaceAll("\n", "")),
        { maxLength: 8 },
      ),
      fc.infiniteStream(fc.nat(9)),
      (lines, sizes) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        const out = new BroadcastWriter(now);
        const log = new BufferWriter();
        out.addLog(log, "stdout");
        for (let at = 0; at < bytes.length; ) {
          const size = 1 + (sizes.next().value as number);
          void out.write(bytes.subarray(at, at + size));
          at += size;
        }
        expect(logged(log)).toEqual(
          Buffer.concat([bytes])
            .toString()
            .split("\n")
            .slice(0, -1)
            .map((l) => `${l}\n`),
        );
      },
    ),
  );
});

test("BroadcastWriter.write() waits for a reader that is a megabyte behind, and no longer when it leaves", async () => {
  const out = new BroadcastWriter(now);
  const stuck = out.addWriter({ write: () => deferred().promise });
  const live = new BufferWriter();
  out.addWriter(live);
  expect(out.write(Buffer.alloc(subscriptionLimit))).toBeUndefined();
  const waiting = out.write("x");
  expect(waiting).toBeInstanceOf(Promise);
  await Promise.resolve();
  expect(live.bytes().length).toBe(subscriptionLimit + 1);
  stuck.cancel();
  await waiting;
  expect(out.write("y")).toBeUndefined();
});

test("BroadcastWriter.addWriter() forgets a reader that fails", async () => {
  const out = new BroadcastWriter(now);
  let calls = 0;
  const bad = out.addWriter({
    write: () => {
      calls++;
      throw new Error("EPIPE");
    },
  });
  await out.write("a");
  await bad.ended;
  await out.write("b");
  expect(calls).toBe(1);
});

test("BroadcastWriter.addWriter() keeps a held reader's bytes until it is released", async () => {
  const out = new BroadcastWriter(now);
  const sink = new BufferWriter();
  const held = out.addWriter(sink, true);
  await out.write("a");
  out.clean();
  expect(sink.toString()).toBe("");
  held.release();
  await held.ended;
  expect(sink.toString()).toBe("a");
});

test("BroadcastWriter.write() logs the same lines wherever the chunks are cut", () => {
  const text = `plain\n\ntwo "quoted" and <more>\nplain again\n${"l".repeat(lineLimit + 3)}\n\u00e9\nend`;
  const bytes = Buffer.from(text);
  const linesOf = (chunks: readonly Buffer[]) => {
    const out = new BroadcastWriter(now);
    const log = new BufferWriter();
    out.addLog(log, "stdout");
    for (const chunk of chunks) void out.write(chunk);
    out.clean();
    return log.toString();
  };
  const whole = linesOf([bytes]);
  expect(logged(Object.assign(new BufferWriter(), { toString: () => whole })).join("")).toBe(text);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 6 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      expect(linesOf(at.slice(1).map((end, i) => bytes.subarray(at[i], end)))).toBe(whole);
    }),
  );
});
