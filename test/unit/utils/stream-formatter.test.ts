import { expect, test } from "vitest";
import { BufferWriter } from "../../../src/sync/io.ts";
import { ProgressReader } from "../../../src/utils/progress-reader.ts";
import { StreamFormatter, stderrFormatter, stdoutFormatter } from "../../../src/utils/stream-formatter.ts";

const json = () => new StreamFormatter(true, () => 1_400_000_001_000);
const plain = () => new StreamFormatter(false, () => 1_400_000_001_000);

// origin: utils/streamformatter_test.go
test("StreamFormatter ends each JSON object but progress with a line end", () => {
  const f = json();
  expect(f.used()).toBe(false);
  expect(f.formatStream("stream")).toBe('{"stream":"stream"}\r\n');
  expect(f.formatStatus("ID", "a1")).toBe('{"status":"a1","id":"ID"}\r\n');
  expect(f.formatStatus("", "")).toBe("{}\r\n");
  expect(f.formatError("Error for formatter")).toBe(
    '{"errorDetail":{"message":"Error for formatter"},"error":"Error for formatter"}\r\n',
  );
  expect(f.formatError({ code: 50, message: "Json error" })).toBe(
    '{"errorDetail":{"code":50,"message":"Json error"},"error":"Json error"}\r\n',
  );
  expect(f.formatProgress("id", "action")).toBe('{"status":"action","progressDetail":{},"id":"id"}');
  expect(f.formatProgress("id", "action", { current: 15, total: 30, start: 1 })).toMatch(
    /^\{"status":"action","progressDetail":\{"current":15,"total":30,"start":1\},"progress":"\[=+\\u003e +\] {5}15 B\/30 B \d+h\d+m\d+s","id":"id"\}$/,
  );
  expect(f.used()).toBe(true);
});

test("StreamFormatter writes plain text for API 1.0", () => {
  const f = plain();
  expect(f.formatStream("stream")).toBe("stream\r");
  expect(f.formatStatus("ID", "a1")).toBe("a1\r\n");
  expect(f.formatError("oops")).toBe("Error: oops\r\n");
  expect(f.formatProgress("ID", "Pulling")).toBe("Pulling \r\n");
  expect(f.formatProgress("ID", "Pulling", { current: 5 })).toBe("Pulling      5 B\r");
});

test("stdoutFormatter() and stderrFormatter() wrap each write, errors in red", async () => {
  const out = new BufferWriter();
  await stdoutFormatter(out, json()).write("a\n");
  await stderrFormatter(out, json()).write(Buffer.from("b"));
  expect(out.toString()).toBe('{"stream":"a\\n"}\r\n{"stream":"\\u001b[91mb\\u001b[0m"}\r\n');
});

async function* chunks(...sizes: number[]) {
  for (const size of sizes) yield Buffer.alloc(size);
}

function reader(size: number, source: AsyncIterable<Uint8Array>, newLine = false) {
  const lines: string[] = [];
  const progress = new ProgressReader(source, {
    size,
    output: { write: (text) => void lines.push(text as string) },
    formatter: json(),
    newLine,
    id: "i",
    action: "Downloading",
    now: () => 1_400_000_001_000,
  });
  const currents = () => lines.map((text) => JSON.parse(text).progressDetail?.current);
  return { progress, lines, currents };
}

test("ProgressReader reports when more than one percent has come, at the end and on close", async () => {
  const { progress, currents } = reader(1000, chunks(10, 1, 5, 6, 978));
  let bytes = 0;
  for await (const chunk of progress) bytes += chunk.length;
  await progress.close();
  await progress.close();
  expect(bytes).toBe(1000);
  expect(currents()).toEqual([11, 22, 1000, 1000, 1000]);
});

test("ProgressReader reports every 512 KiB of an unknown size", async () => {
  const half = 256 * 1024;
  const { progress, currents, lines } = reader(-1, chunks(half, half, half), true);
  for await (const _ of progress);
  expect(currents()).toEqual([3 * half, 3 * half, undefined]);
  expect(lines.at(-1)).toBe("{}\r\n");
});

test("ProgressReader reports a source that breaks and passes the error on", async () => {
  async function* broken() {
    yield Buffer.alloc(3);
    throw new Error("connection reset");
  }
  const { progress, currents } = reader(1000, broken());
  await expect(
    (async () => {
      for await (const _ of progress);
    })(),
  ).rejects.toThrow("connection reset");
  expect(currents()).toEqual([3]);
});
