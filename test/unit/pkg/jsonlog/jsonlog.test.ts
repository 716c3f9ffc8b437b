import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeJsonLog, encodeJsonLog } from "../../../../src/pkg/jsonlog/jsonlog.ts";

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
