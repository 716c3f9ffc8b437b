import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Compression, decompressStream, detectCompression, extension } from "../../../src/archive/compression.ts";
import { linuxExec } from "../../../src/host/linux/exec.ts";
import { readAll } from "../../../src/sync/io.ts";

const exec = linuxExec({});
/** A machine without any program. */
const bare = { ...exec, lookPath: async () => undefined };
const TEXT = Buffer.from("all work and no play makes jack a dull boy\n".repeat(5000));

async function* pieces(data: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

async function decompress(data: Buffer, size = 1000, machine: Parameters<typeof decompressStream>[0] = exec) {
  const { compression, plain } = await decompressStream(machine, pieces(data, size));
  return { compression, data: await readAll(plain) };
}

function compress(compression: Compression, data: Buffer): Buffer {
  if (compression === "none") return data;
  return execFileSync(compression, ["-c"], { input: data, maxBuffer: 16 << 20 });
}

const KINDS: Compression[] = ["none", "gzip", "bzip2", "xz", "zstd"];

test.each(KINDS)("decompressStream() gives back what %s compressed", async (kind) => {
  const packed = compress(kind, TEXT);
  for (const size of [1, 7, 100_000]) {
    const result = await decompress(size === 1 ? compress(kind, TEXT.subarray(0, 500)) : packed, size);
    expect(result.compression).toBe(kind);
    expect(result.data.equals(size === 1 ? TEXT.subarray(0, 500) : TEXT)).toBe(true);
  }
});

test.each(["bzip2", "zstd"] as const)("decompressStream() undoes %s without the program", async (kind) => {
  const twice = Buffer.concat([compress(kind, TEXT), compress(kind, Buffer.from("and again"))]);
  const { data } = await decompress(twice, 999, bare);
  expect(data.toString()).toBe(`${TEXT}and again`);
});

test("decompressStream() names the program that is missing, as Go does", async () => {
  await expect(decompress(compress("xz", TEXT), 1000, bare)).rejects.toThrow(
    'exec: "xz": executable file not found in $PATH',
  );
});

test.each(["gzip", "bzip2", "xz", "zstd"] as const)("decompressStream() sees that %s is broken", async (kind) => {
  const packed = compress(kind, TEXT);
  const cut = packed.subarray(0, packed.length - 6);
  await expect(decompress(cut)).rejects.toThrow();
  const flipped = Buffer.from(packed);
  flipped[packed.length >> 1]! ^= 0x10;
  await expect(decompress(flipped)).rejects.toThrow();
  if (kind === "bzip2" || kind === "zstd") {
    await expect(decompress(cut, 1000, bare)).rejects.toThrow();
    if (kind === "bzip2") await expect(decompress(flipped, 1000, bare)).rejects.toThrow();
  }
});

test("decompressStream() checks gzip to its end, in the words of 1.2.0", async () => {
  const packed = gzipSync(TEXT);
  const sum = Buffer.from(packed);
  sum[packed.length - 5]! ^= 1;
  await expect(decompress(sum)).rejects.toThrow("gzip: invalid checksum");
  await expect(decompress(packed.subarray(0, -3))).rejects.toThrow("unexpected EOF");
  await expect(decompress(Buffer.concat([packed, Buffer.from("garbage!")]))).rejects.toThrow("gzip: invalid header");
  expect((await decompress(Buffer.concat([packed, packed]))).data.length).toBe(2 * TEXT.length);
  expect((await decompress(Buffer.concat([packed, Buffer.alloc(700)]))).data.length).toBe(TEXT.length);
});

test("decompressStream() finds nothing in a stream of less than ten bytes", async () => {
  for (let length = 0; length < 10; length++) await expect(decompress(Buffer.alloc(length))).rejects.toThrow(/^EOF$/);
  const { plain } = await decompressStream(exec, pieces(Buffer.from("abc"), 1), "none");
  expect((await readAll(plain)).toString()).toBe("abc");
});

test("decompressStream() hands out a bomb in pieces that fit the memory", async () => {
  const bomb = gzipSync(Buffer.alloc(256 << 20), { level: 9 });
  const { plain } = await decompressStream(exec, pieces(bomb, bomb.length));
  let total = 0;
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for await (const chunk of plain) {
    total += chunk.length;
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(total).toBe(256 << 20);
  expect(most).toBeLessThan(160 << 20);
});

test("decompressStream() refuses to take the memory that an xz file asks for, but not what xz makes of its own", async () => {
  const greedy = execFileSync("xz", ["--lzma2=preset=0,dict=512MiB", "-c"], { input: TEXT });
  await expect(decompress(greedy)).rejects.toThrow(/xz failed: .*Memory usage limit reached; .*The limit is 256 MiB/s);
  const best = execFileSync("xz", ["-9e", "-c"], { input: TEXT });
  expect((await decompress(best)).data).toEqual(TEXT);
});

test("decompressStream() never fails but with an error, whatever comes after the magic bytes", async () => {
  const heads = [
    [0x1f, 0x8b, 0x08],
    [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59],
    [0x28, 0xb5, 0x2f, 0xfd],
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...heads),
      fc.uint8Array({ minLength: 10, maxLength: 300 }),
      async (head, rest) => {
        const outcome = await decompress(Buffer.from([...head, ...rest]), 64, bare).catch((cause: unknown) => cause);
        expect(outcome instanceof Error || typeof outcome === "object").toBe(true);
      },
    ),
    { numRuns: 200 },
  );
});

test("detectCompression() and extension() agree with 1.2.0", () => {
  expect(KINDS.map((kind) => detectCompression(compress(kind, TEXT).subarray(0, 10)))).toEqual(KINDS);
  expect(KINDS.map(extension)).toEqual(["tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"]);
  expect(detectCompression(Buffer.from([0x1f, 0x8b]))).toBe("none");
});
