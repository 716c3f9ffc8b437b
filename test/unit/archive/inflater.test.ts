import { constants, crc32, deflateRawSync, gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gunzip } from "../../../src/archive/compression.ts";
import { InflateError, type Inflater } from "../../../src/host/inflater.ts";
import { isalInflater } from "../../../src/host/linux/isal.ts";

const isal = isalInflater();
/** A piece of output is smaller than what one piece of input becomes. */
const small = isalInflater(1000);
const none = "libisal2 is not installed, or this is no x86-64: zlib alone is tried";
if (isal === undefined) console.log(none);

const WAYS: [string, Inflater | undefined][] = [
  ["zlib", undefined],
  ...(isal && small
    ? ([
        ["ISA-L", isal],
        ["ISA-L with little room", small],
      ] as [string, Inflater][])
    : []),
];

async function* pieces(data: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < data.length; i++) {
    const size = sizes[i % sizes.length] as number;
    yield data.subarray(at, at + size);
    at += size;
  }
}

async function inflate(data: Uint8Array, inflater: Inflater | undefined, sizes: readonly number[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of gunzip(pieces(data, sizes), inflater)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

const TEXT = Buffer.from("all work and no play makes jack a dull boy\n".repeat(3000));
const PACKED = gzipSync(TEXT);

/** A member with a header of one's own. @param flags - of the header, which is followed by `fields` */
function member(flags: number, fields: Buffer, body = deflateRawSync(TEXT), method = 8): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(TEXT), 0);
  trailer.writeUInt32LE(TEXT.length, 4);
  return Buffer.concat([Buffer.from([0x1f, 0x8b, method, flags, 0, 0, 0, 0, 0, 3]), fields, body, trailer]);
}

function changed(at: number, value: number): Buffer {
  const copy = Buffer.from(PACKED);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] as number) ^ value;
  return copy;
}

const EXTRA = Buffer.concat([Buffer.from([3, 0]), Buffer.from("abc")]);
const NAMES = Buffer.from("name\0comment\0", "latin1");

const GOOD: [string, Buffer, Buffer][] = [
  ["a member", PACKED, TEXT],
  ["an empty member", gzipSync(""), Buffer.alloc(0)],
  ["stored blocks", gzipSync(TEXT, { level: 0 }), TEXT],
  ["fixed codes", gzipSync(TEXT, { strategy: constants.Z_FIXED }), TEXT],
  [
    "several members",
    Buffer.concat([PACKED, gzipSync(""), gzipSync("and"), PACKED]),
    Buffer.concat([TEXT, Buffer.from("and"), TEXT]),
  ],
  ["zeros behind it", Buffer.concat([PACKED, Buffer.alloc(700)]), TEXT],
  ["extra field, name and comment", member(4 | 8 | 16, Buffer.concat([EXTRA, NAMES])), TEXT],
  ["a bomb", gzipSync(Buffer.alloc(20 << 20)), Buffer.alloc(20 << 20)],
];

const BAD: [string, Buffer, string][] = [
  ["nothing", Buffer.alloc(0), "unexpected EOF"],
  ["half a header", PACKED.subarray(0, 7), "unexpected EOF"],
  ["a header alone", PACKED.subarray(0, 10), "unexpected EOF"],
  ["half a body", PACKED.subarray(0, PACKED.length >> 1), "unexpected EOF"],
  ["a body without its sum", PACKED.subarray(0, -8), "unexpected EOF"],
  ["half a sum", PACKED.subarray(0, -5), "unexpected EOF"],
  ["a second member cut short", Buffer.concat([PACKED, PACKED.subarray(0, 30)]), "unexpected EOF"],
  ["a wrong sum", changed(-5, 1), "gzip: invalid checksum"],
  ["a wrong length", changed(-1, 1), "gzip: invalid checksum"],
  ["no magic", changed(1, 1), "gzip: invalid header"],
  ["an unknown method", member(0, Buffer.alloc(0), undefined, 7), "gzip: invalid header"],
  ["something else behind it", Buffer.concat([PACKED, Buffer.from("garbage!garbage!")]), "gzip: invalid header"],
  ["an unknown kind of block", member(0, Buffer.alloc(0), Buffer.from([7])), "flate: corrupt input"],
  [
    "a stored block of two lengths",
    member(0, Buffer.alloc(0), Buffer.from([1, 5, 0, 5, 0, 1, 2, 3, 4, 5])),
    "flate: corrupt input",
  ],
  [
    "a look back before the beginning",
    member(0, Buffer.alloc(0), Buffer.from([0x4b, 0x04, 0x62, 0x00])),
    "flate: corrupt input",
  ],
];

describe.each(WAYS)("gunzip() by %s", (_, inflater) => {
  test.each(GOOD)("inflates %s, in pieces of any size", async (_name, packed, plain) => {
    const sizes = packed.length > 10_000 ? [[262_144], [1000]] : [[262_144], [1], [7], [packed.length - 1]];
    for (const each of sizes)
      expect(
        (
          await inflate(
            packed,
            inflater,
            each.map((n) => Math.max(n, 1)),
          )
        ).equals(plain),
      ).toBe(true);
  });

  test.each(BAD)("refuses %s, in Go's words", async (_name, packed, words) => {
    for (const size of [262_144, 1, 7]) await expect(inflate(packed, inflater, [size])).rejects.toThrow(words);
  });

  test("inflates what zlib has made, or refuses it as zlib does", async () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc
        .array(fc.constantFrom("a", "bc", "layer", "\0\0\0\0\0\0\0\0"), { maxLength: 3000 })
        .map((parts) => Buffer.from(parts.join(""))),
    );
    const damage = fc.option(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { nil: undefined });
    const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(content, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 0, max: 9 }),
        damage,
        sizes,
        async (contents, level, hit, cuts) => {
          const members = contents.map((each) => gzipSync(each, { level }));
          const packed = Buffer.concat(members);
          if (hit !== undefined) {
            const at = 10 + (hit[0] % (packed.length - 10));
            const flags = members.map((_member, i) => Buffer.concat(members.slice(0, i)).length + 3);
            // Flags that mean nothing yet: zlib refuses them, Go and ISA-L look away.
            const change = flags.includes(at) ? hit[1] & 0x1f : hit[1];
            packed[at] = (packed[at] as number) ^ change;
          }
          let expected: Buffer | undefined;
          try {
            expected = gunzipSync(packed);
          } catch {
            // Refused.
          }
          const found = await inflate(packed, inflater, cuts).catch(() => undefined);
          expect(found?.toString("base64")).toBe(expected?.toString("base64"));
        },
      ),
      { numRuns: 300 },
    );
  });
});

test.skipIf(isal === undefined)(
  `an Inflater has memory that does not grow${isal === undefined ? ` (${none})` : ""}`,
  async () => {
    const bomb = gzipSync(Buffer.alloc(256 << 20), { level: 9 });
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    let total = 0;
    for await (const part of gunzip(pieces(bomb, [bomb.length]), isal)) {
      total += part.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(total).toBe(256 << 20);
    expect(most).toBeLessThan(4 << 20);
  },
);

test("gunzip() passes on what is no fault of the data", async () => {
  const reason = new Error("out of cheese");
  const inflater: Inflater = {
    reset: () => undefined,
    inflate: () => {
      throw reason;
    },
  };
  await expect(inflate(PACKED, inflater, [100])).rejects.toBe(reason);
  const broken: Inflater = {
    reset: () => undefined,
    inflate: () => {
      throw new InflateError("data");
    },
  };
  await expect(inflate(PACKED, broken, [100])).rejects.toThrow("flate: corrupt input");
});
