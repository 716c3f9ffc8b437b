import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeJsonLog,
  decodeJsonLogLines,
  encodeJsonLog,
  encodePlainLines,
} from "../../../../src/pkg/jsonlog/jsonlog.ts";

test("encodeJsonLog() and decodeJsonLog() agree for every line", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.constantFrom("stdout", "stderr"), (log, stream) => {
      const line = { log, stream, time: "2014-08-20T20:13:34Z" };
      const text = encodeJsonLog(line);
      expect(text.indexOf("\n")).toBe(text.length - 1);
      expect(decodeJsonLog(text)).toEqual(line);
    }),
  );
});

test("decodeJsonLog() gives nothing for a line that was cut", () => {
  expect(decodeJsonLog('{"log":"a\\n","str')).toBeUndefined();
  expect(decodeJsonLog("null")).toBeUndefined();
});

const time = "2014-08-20T20:13:34.000000001Z";
/** Texts with what the short ways look for. */
const awkward = fc
  .array(fc.constantFrom("a", "n", "\\", '"', "<", "\n", "\t", "é", "\u2028", '","stream":"', '"}', "}"), {
    maxLength: 12,
  })
  .map((parts) => parts.join(""));

test("encodePlainLines() writes what encodeJsonLog() writes, or nothing", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(awkward, fc.string()), { minLength: 1 }), (texts) => {
      const lines = texts.map((text) => `${text.replaceAll("\n", "")}\n`);
      const bytes = Buffer.from(lines.join("")).toString("latin1");
      const expected = lines.map((log) => encodeJsonLog({ log, stream: "stderr", time })).join("");
      expect(encodePlainLines(bytes, 1000, "stderr", time) ?? expected).toBe(expected);
    }),
  );
  expect(encodePlainLines("a b\n\n~\n", 4, "stdout", time)).toBeDefined();
  expect(encodePlainLines("a b\n\n~\n", 3, "stdout", time)).toBeUndefined();
});

test("decodeJsonLogLines() reads the bytes of what decodeJsonLog() reads", () => {
  const bytes = (text: string) => Buffer.from(text).toString("latin1");
  const agree = (lines: readonly string[], rest: string) => {
    const expected = lines.map(decodeJsonLog).filter((line) => line !== undefined);
    const text = lines.map((line) => `${line}\n`).join("");
    expect(decodeJsonLogLines(bytes(text + rest))).toEqual({
      lines: expected.map(({ log, stream, time }) => ({ log: bytes(log), stream: bytes(stream), time: bytes(time) })),
      rest: bytes(text).length,
    });
    // Merged: the same output in the same order.
    const output = (all: readonly { log: string; stream: string }[]) =>
      all.reduce<string[]>((out, { log, stream: name }) => {
        if (out.at(-2) === name) out[out.length - 1] += log;
        else if (log !== "") out.push(name, log);
        return out;
      }, []);
    const merged = decodeJsonLogLines(bytes(text + rest), true);
    expect(merged.rest).toBe(bytes(text).length);
    expect(output(merged.lines)).toEqual(
      output(expected.map(({ log, stream: name }) => ({ log: bytes(log), stream: name }))),
    );
  };
  const broken = [
    '{"log":"a\\n","str',
    '{"log":"a\\n","stream":"stdout","time":"b","x":"c"}',
    '{"log":"a\\n","stream":"stdout","time":"b\\n"}',
    '{"log":"a\\n","stream":"stderr","time":"b"} ',
    '{"log":"a\\n","stream":"stderr","time":"b"}}',
    '{"log":"a"}',
    "null",
    "",
  ];
  const stream = fc.constantFrom("stdout", "stderr", "other");
  const line = fc.oneof(
    fc.constantFrom(...broken),
    fc
      .tuple(fc.oneof(awkward, fc.string()), stream, fc.boolean())
      .map(([log, name, end]) => encodeJsonLog({ log: end ? `${log}\n` : log, stream: name, time }).slice(0, -1)),
  );
  fc.assert(fc.property(fc.array(line), fc.constantFrom("", '{"lo', '{"log":"\\n"'), agree));
});
