import fc from "fast-check";
import { expect, test } from "vitest";
import { ApiRequest } from "../../../../src/api/server/request.ts";
import { ApiVersion } from "../../../../src/api/server/version.ts";
import {
  CLOSE,
  encodeClose,
  encodeFrame,
  FrameError,
  FrameParser,
  OPCODE,
} from "../../../../src/api/server/websocket/frames.ts";
import { readHandshake } from "../../../../src/api/server/websocket/handshake.ts";
import { memoryHost } from "../../../../src/host/memory/memory.ts";
import { frame, readFrames } from "../../../support/websocket.ts";

/** What a parser was told, in order. */
async function parsed(chunks: readonly Uint8Array[]): Promise<{ told: string[]; data: Buffer; failure: string }> {
  const told: string[] = [];
  const data: Buffer[] = [];
  const parser = new FrameParser({
    data: (chunk) => void data.push(Buffer.from(chunk)),
    ping: (payload) => void told.push(`ping ${payload.toString("hex")}`),
    close: (status) => void told.push(`close ${status}`),
  });
  let failure = "";
  try {
    for (const chunk of chunks) await parser.feed(chunk);
  } catch (cause) {
    if (!(cause instanceof FrameError)) throw cause;
    failure = cause.message;
  }
  return { told, data: Buffer.concat(data), failure };
}

/** Cuts bytes at the places given. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

test("FrameParser gives the same whichever way the bytes come", async () => {
  const message = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 });
  const ping = fc.uint8Array({ maxLength: 125 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(message, fc.option(ping)), { maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 40 }),
      async (messages, places) => {
        const frames: Buffer[] = [];
        const wanted: string[] = [];
        for (const [parts, between] of messages) {
          for (const [i, part] of parts.entries()) {
            frames.push(
              frame(i === 0 ? OPCODE.binary : OPCODE.continuation, Buffer.from(part), { fin: i === parts.length - 1 }),
            );
            if (between === null || i > 0) continue;
            frames.push(frame(OPCODE.ping, Buffer.from(between)));
            wanted.push(`ping ${Buffer.from(between).toString("hex")}`);
          }
        }
        frames.push(frame(OPCODE.close, Buffer.from([0x03, 0xe8])), Buffer.from("what comes behind does not count"));
        const { told, data, failure } = await parsed(cut(Buffer.concat(frames), places));
        expect(failure).toBe("");
        expect(told).toEqual([...wanted, "close 1000"]);
        expect(data).toEqual(Buffer.concat(messages.flatMap(([parts]) => parts.map((part) => Buffer.from(part)))));
      },
    ),
  );
});

test("FrameParser takes a frame of 64 KB and more apart as it comes", async () => {
  const payload = Buffer.alloc(70_000, "ab");
  const bytes = frame(OPCODE.text, payload);
  expect(
    (
      await parsed(
        cut(
          bytes,
          Array.from({ length: 500 }, (_, i) => i * 137),
        ),
      )
    ).data.equals(payload),
  ).toBe(true);
});

test("FrameParser is told a fault of anything, and never breaks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      async (bytes, places) => {
        const whole = await parsed([bytes]);
        const pieces = await parsed(cut(Buffer.from(bytes), places));
        expect(pieces).toEqual(whole);
      },
    ),
    { numRuns: 2000 },
  );
});

test("encodeFrame() is read by a client", () => {
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 100_000]) {
    const payload = Buffer.alloc(size, "x");
    const { frames, rest } = readFrames(encodeFrame(OPCODE.binary, payload));
    expect([frames, rest.length]).toEqual([[{ opcode: 2, fin: true, payload }], 0]);
  }
});

test("encodeClose() keeps its reason short, and whole characters of it", () => {
  const { frames } = readFrames(encodeClose(CLOSE.internalError, "ä".repeat(100)));
  expect(frames[0]?.payload.readUInt16BE(0)).toBe(1011);
  expect(frames[0]?.payload.subarray(2).toString()).toBe("ä".repeat(61));
});

test("readHandshake() gives the answer of the standard's own example", () => {
  const headers = {
    upgrade: "WebSocket",
    connection: "keep-alive, Upgrade",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
  };
  const head = { method: "GET", url: "/", headers, version: new ApiVersion("1.14"), name: "x" };
  const request = new ApiRequest(head, (async function* () {})(), new AbortController().signal);
  expect(readHandshake(request, memoryHost())).toEqual({
    status: 101,
    head: expect.stringContaining("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
  });
});
