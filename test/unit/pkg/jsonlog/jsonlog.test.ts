import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeJsonLog, encodeJsonLog } from "../../../../src/pkg/jsonlog/jsonlog.ts";
import { parseRfc3339, rfc3339Nano } from "../../../../src/pkg/jsonlog/time.ts";

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

test.each([
  [0n, "1970-01-01T00:00:00Z"],
  [1_408_565_614_947_578_859n, "2014-08-20T20:13:34.947578859Z"],
  [1_408_565_614_100_000_000n, "2014-08-20T20:13:34.1Z"],
  [-1n, "1969-12-31T23:59:59.999999999Z"],
])("rfc3339Nano() prints %s without trailing zeros", (ns, text) => {
  expect(rfc3339Nano(ns)).toBe(text);
  expect(parseRfc3339(text)).toBe(ns);
});
