import fc from "fast-check";
import { expect, test } from "vitest";
import { BufferWriter } from "../../../src/sync/io.ts";
import { StdDemux, stdCopy, stdWriter } from "../../../src/utils/stdcopy.ts";

test("stdWriter() puts stream and length before each write", async () => {
  const out = new BufferWriter();
  await stdWriter(out, 1).write("hi\n");
  await stdWriter(out, 2).write(Buffer.alloc(0x10203));
  expect(out.bytes().subarray(0, 19).toString("hex")).toBe("010000000000000368690a0200000000010203");
});

test("StdDemux.write() gives back what was written, however the bytes are cut", async () => {
  const frame = fc.record({ stream: fc.constantFrom(1 as const, 2 as const), data: fc.uint8Array({ maxLength: 40 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 6 }), async (frames) => {
      const wire = new BufferWriter();
      for (const { stream, data } of frames) await stdWriter(wire, stream).write(data);
      const bytes = wire.bytes();
      const expected = ([1, 2] as const).map((stream) =>
        Buffer.concat(frames.filter((f) => f.stream === stream).map((f) => f.data)).toString("hex"),
      );
      for (let cut = 0; cut <= bytes.length; cut++) {
        const [out, err] = [new BufferWriter(), new BufferWriter()];
        const demux = new StdDemux(out, err);
        await demux.write(bytes.subarray(0, cut));
        await demux.write(bytes.subarray(cut));
        expect([out.bytes().toString("hex"), err.bytes().toString("hex")]).toEqual(expected);
      }
    }),
    { numRuns: 30 },
  );
});

test("StdDemux.write() keeps the order of both streams, in any number of pieces", async () => {
  const frame = fc.tuple(fc.constantFrom(1 as const, 2 as const), fc.uint8Array({ maxLength: 300 }));
  await fc.assert(
    fc.asyncProperty(fc.array(frame), fc.infiniteStream(fc.integer({ min: 1, max: 60 })), async (frames, sizes) => {
      const wire = new BufferWriter();
      for (const [stream, data] of frames) await stdWriter(wire, stream).write(data);
      const seen: string[] = [];
      const sink = (name: string) => ({
        write: (data: Uint8Array | string) => {
          for (const byte of Buffer.from(data)) seen.push(`${name}${byte}`);
        },
      });
      const demux = new StdDemux(sink("1:"), sink("2:"));
      const bytes = wire.bytes();
      for (let at = 0; at < bytes.length; ) {
        const size = sizes.next().value as number;
        await demux.write(bytes.subarray(at, at + size));
        at += size;
      }
      expect(seen).toEqual(frames.flatMap(([stream, data]) => [...data].map((byte) => `${stream}:${byte}`)));
    }),
  );
});

test("StdDemux.write() meets any bytes with output or with a refusal", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const [out, err] = [new BufferWriter(), new BufferWriter()];
      const failure = await new StdDemux(out, err).write(bytes).then(
        () => undefined,
        (cause: Error) => cause.message,
      );
      expect([undefined, "Unrecognized input header"]).toContain(failure);
      expect(out.bytes().length + err.bytes().length).toBeLessThanOrEqual(Math.max(0, bytes.length - 8));
    }),
  );
});

test("StdDemux.write() shows stream 0 as output", async () => {
  const [out, err] = [new BufferWriter(), new BufferWriter()];
  await new StdDemux(out, err).write(Buffer.from("0000000000000001610200000000000001620200", "hex"));
  expect([out.toString(), err.toString()]).toEqual(["a", "b"]);
});

test("StdDemux.write() refuses a stream it does not know", async () => {
  const demux = new StdDemux(new BufferWriter(), new BufferWriter());
  await expect(demux.write("oops, no frames")).rejects.toThrow("Unrecognized input header");
});

test("stdCopy() ends silently inside a header or a payload", async () => {
  const out = new BufferWriter();
  async function* source() {
    yield Buffer.from("01000000000000026162", "hex");
    yield Buffer.from("010000", "hex");
  }
  await stdCopy(out, out, source());
  expect(out.toString()).toBe("ab");
});
