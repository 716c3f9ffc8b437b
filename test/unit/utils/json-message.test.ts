import fc from "fast-check";
import { expect, test } from "vitest";
import { BufferWriter, type Reader } from "../../../src/sync/io.ts";
import {
  displayJSONMessagesStream,
  encodeMessage,
  type JSONMessage,
  progressText,
  readMessages,
} from "../../../src/utils/json-message.ts";

async function* source(...chunks: (string | Uint8Array)[]): Reader {
  for (const chunk of chunks) yield Buffer.from(chunk as Uint8Array);
}

async function shown(messages: JSONMessage[], isTerminal: boolean, width?: number): Promise<string> {
  const out = new BufferWriter();
  const stream = source(...messages.map(encodeMessage));
  await displayJSONMessagesStream(stream, out, { isTerminal, terminalWidth: width, now: () => 0 });
  return out.toString();
}

const start = 1_400_000_000;

test("progressText() draws bar, sizes and the time left at 111 columns and more", () => {
  const progress = { current: 512, total: 2048, start };
  // 10.5 s for 512 bytes: 20507812 ns each, 31.49 s to go
  const now = start * 1000 + 10_500;
  expect(progressText(progress, { now })).toBe(
    "[============>                                      ]    512 B/2.048 kB 31s",
  );
  expect(progressText(progress, { now, width: 111 })).toContain("[====");
  expect(progressText(progress, { now, width: 110 })).toBe("   512 B/2.048 kB 31s");
  expect(progressText(progress, { now, width: 51 })).toBe("   512 B/2.048 kB 31s");
  expect(progressText(progress, { now, width: 50 })).toBe("   512 B/2.048 kB");
});

test("progressText() is only a size, or nothing, when the total is unknown", () => {
  expect(progressText({}, { now: 0 })).toBe("");
  expect(progressText({ total: -1 }, { now: 0 })).toBe("");
  expect(progressText({ current: 512, total: -1 }, { now: 0 })).toBe("   512 B");
});

test("progressText() tells no time left when it is done, and survives more than was announced", () => {
  expect(progressText({ current: 10, total: 10, start }, { now: start * 1000 + 5000, width: 100 })).toBe(
    "    10 B/10 B",
  );
  expect(progressText({ current: 1e12, total: 1 }, { now: 0 }).length).toBeLessThan(1100);
});

test("progressText() prints hours and minutes as Go does", () => {
  const at = (seconds: number) =>
    progressText({ current: 1, total: 2, start }, { now: (start + seconds) * 1000, width: 60 }).slice(12);
  expect([at(0), at(59), at(60), at(3600), at(3725)]).toEqual([" 0s", " 59s", " 1m0s", " 1h0m0s", " 1h2m5s"]);
});

test("encodeMessage() keeps Go's order, leaves out what is empty and escapes for HTML", () => {
  expect(
    encodeMessage({
      error: "e",
      errorDetail: { message: "e", code: 0 },
      time: 5,
      id: "i",
      status: "",
      progress: "[=>",
      progressDetail: { start: 3, total: -1, current: 0 },
      stream: "<&>",
    }),
  ).toBe(
    '{"stream":"\\u003c\\u0026\\u003e","progressDetail":{"total":-1,"start":3},"progress":"[=\\u003e","id":"i","time":5,"errorDetail":{"message":"e"},"error":"e"}',
  );
  expect(encodeMessage({})).toBe("{}");
});

test("readMessages() finds the messages, however the bytes are cut", async () => {
  const message = fc.record(
    { status: fc.string({ unit: "binary" }), id: fc.string(), time: fc.nat({ max: 9e9 }) },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { maxLength: 4 }),
      fc.constantFrom("", "\r\n", " "),
      async (messages, between) => {
        const texts = messages.map(encodeMessage);
        const bytes = Buffer.from(texts.map((text) => text + between).join(""));
        const expected = texts.map((text) => JSON.parse(text));
        for (let cut = 0; cut <= bytes.length; cut++) {
          const found: JSONMessage[] = [];
          for await (const m of readMessages(source(bytes.subarray(0, cut), bytes.subarray(cut)))) found.push(m);
          expect(found).toEqual(expected);
        }
      },
    ),
    { numRuns: 20 },
  );
});

test("readMessages() refuses what is no message", async () => {
  const all = async (text: string) => {
    for await (const _ of readMessages(source(text)));
  };
  await expect(all("404 page not found\n")).rejects.toThrow("json: cannot unmarshal number");
  await expect(all("page not found\n")).rejects.toThrow("invalid character 'p' looking for beginning of value");
  await expect(all('{"status":')).rejects.toThrow("unexpected EOF");
  await expect(all('["a"]')).rejects.toThrow("json: cannot unmarshal array");
});

test("displayJSONMessagesStream() prints statuses, ids and senders line by line", async () => {
  expect(
    await shown([{ status: "Pulling repository busybox" }, { status: "Download complete", id: "e72ac664f4f0" }], false),
  ).toBe("Pulling repository busybox\ne72ac664f4f0: Download complete\n");
  expect(await shown([{ status: "start", id: "a", from: "busybox:latest" }], false)).toBe(
    "a: (from busybox:latest) start\n",
  );
});

test("displayJSONMessagesStream() hides progress where there is no terminal, but not its empty line", async () => {
  const progressDetail = { current: 1, total: 4 };
  expect(await shown([{ status: "Downloading", id: "a", progressDetail }], false)).toBe("\n");
});

test("displayJSONMessagesStream() moves the cursor to the line of the id", async () => {
  const p = (id: string, current: number) => ({ status: "Downloading", id, progressDetail: { current, total: 4 } });
  expect(await shown([p("a", 1), p("b", 2), p("a", 4)], true, 80)).toBe(
    "\n\x1b[0A\x1b[2K\ra: Downloading      1 B/4 B\r\x1b[0B" +
      "\n\x1b[0A\x1b[2K\rb: Downloading      2 B/4 B\r\x1b[0B" +
      "\x1b[2A\x1b[2K\ra: Downloading      4 B/4 B\r\x1b[2B",
  );
});

test("displayJSONMessagesStream() prints streams as they are", async () => {
  expect(await shown([{ stream: "Step 0 : FROM x\n" }, { stream: " ---> 1" }], true)).toBe("Step 0 : FROM x\n ---> 1");
});

test("displayJSONMessagesStream() ends with the error of the stream", async () => {
  await expect(shown([{ errorDetail: { code: 3, message: "boom" }, error: "boom" }], false)).rejects.toMatchObject({
    message: "boom",
    code: 3,
    statusCode: 500,
  });
  await expect(shown([{ errorDetail: { code: 401, message: "x" } }], false)).rejects.toThrow(
    "Authentication is required.",
  );
});
