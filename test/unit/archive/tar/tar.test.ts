import { execFileSync } from "node:child_process";
import { closeSync, linkSync, mkdirSync, openSync, symlinkSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { extract, pack } from "tar-stream";
import { expect, test } from "vitest";
import type { Header } from "../../../../src/archive/tar/header.ts";
import { TarParser } from "../../../../src/archive/tar/parser.ts";
import { encodeHeader, paddingOf, TRAILER, type WriteHeader } from "../../../../src/archive/tar/writer.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

interface Entry {
  header: Header;
  data: Buffer;
}

/** Parses an archive given in pieces of one size. */
function parse(archive: Buffer, piece = archive.length || 1): Entry[] {
  const entries: Entry[] = [];
  const parser = new TarParser({
    entry: (header) => entries.push({ header, data: Buffer.alloc(Math.min(header.size, 1 << 24)) }),
    data: (chunk, position) => void chunk.copy(entries.at(-1)!.data, position),
    endEntry: () => undefined,
  });
  for (let at = 0; at < archive.length; at += piece) parser.feed(archive.subarray(at, at + piece));
  parser.end();
  return entries;
}

function write(entries: { header: WriteHeader; data?: Buffer }[]): Buffer {
  const parts = entries.flatMap(({ header, data = Buffer.alloc(0) }) => [
    encodeHeader(header, 7),
    data,
    Buffer.alloc(paddingOf(data.length)),
  ]);
  return Buffer.concat([...parts, TRAILER]);
}

const FILE: WriteHeader = { name: "a", type: "0", mode: 0o100644, uid: 0, gid: 0, size: 0, mtime: 0 };

/** Puts the right checksum into a header that a test has changed. */
function repair(block: Buffer, at = 0): Buffer {
  block.fill(0x20, at + 148, at + 156);
  let sum = 0;
  for (let i = at; i < at + 512; i++) sum += block[i]!;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148);
  return block;
}

/** An entry of a type the writer does not write: extended headers. */
function raw(type: string, body: Buffer, name = "x"): Buffer {
  const block = encodeHeader({ ...FILE, name, size: body.length }, 7);
  block[156] = type.charCodeAt(0);
  return Buffer.concat([repair(block), body, Buffer.alloc(paddingOf(body.length))]);
}

const byteString = (min: number, max: number) =>
  fc
    .uint8Array({ minLength: min, maxLength: max })
    .map((bytes) => Buffer.from(bytes.map((b) => (b === 0 ? 1 : b))).toString("latin1"));
const name = fc.oneof(
  byteString(1, 40),
  fc.array(fc.stringMatching(/^[a-z.]{1,60}$/), { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/")),
  fc.constantFrom(
    ...[99, 100, 101, 154, 155, 156, 255, 256, 257].map((n) => "d/".repeat(n >> 1) + "x".repeat(1 + (n & 1))),
  ),
);
const entry: fc.Arbitrary<{ header: WriteHeader; data: Buffer }> = fc
  .record({
    name: name.filter((text) => !text.endsWith("/")),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.integer({ min: 0, max: 0xfffffffe }),
    gid: fc.integer({ min: 0, max: 0xfffffffe }),
    mtime: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
    mtimeNs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
    linkname: byteString(0, 200),
    xattrs: fc
      .array(fc.tuple(fc.stringMatching(/^user\.[a-z=%235D]{1,9}$/), fc.uint8Array({ maxLength: 50 })), {
        maxLength: 3,
      })
      .map((list) => new Map(list.map(([key, value]) => [key, Buffer.from(value)]))),
    data: fc.uint8Array({ maxLength: 1500 }).map((bytes) => Buffer.from(bytes)),
  })
  .map(({ data, ...rest }) => ({ header: { ...FILE, ...rest, mode: rest.mode | 0o100000, size: data.length }, data }));

test("TarParser gives back what encodeHeader() wrote, whatever the pieces", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 4 }), fc.integer({ min: 1, max: 1400 }), (entries, piece) => {
      const parsed = parse(write(entries), piece);
      expect(parsed.length).toBe(entries.length);
      for (const [index, { header, data }] of entries.entries()) {
        const { xattrs, ...got } = parsed[index]!.header;
        expect(got).toMatchObject({
          name: header.name,
          mode: header.mode & 0o7777,
          uid: header.uid,
          gid: header.gid,
          mtime: header.mtime,
          mtimeNs: header.mtimeNs,
          linkname: header.linkname,
          size: header.size,
        });
        expect(xattrs ?? new Map()).toEqual(header.xattrs);
        expect(parsed[index]!.data.equals(data)).toBe(true);
      }
    }),
    { numRuns: 150 },
  );
});

test("TarParser ends with a TarError or a list, never otherwise, for any change of bytes", () => {
  const archive = write([
    {
      header: { ...FILE, name: "d".repeat(120), xattrs: new Map([["user.a", Buffer.from([0xff])]]), size: 3 },
      data: Buffer.from("abc"),
    },
    { header: { ...FILE, type: "2", linkname: "é", name: "l" } },
  ]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      (changes, repaired) => {
        const broken = Buffer.from(archive);
        for (const [at, value] of changes) broken[at] = value;
        if (repaired) for (let at = 0; at + 512 <= broken.length; at += 512) repair(broken, at);
        try {
          parse(broken, 700);
        } catch (cause) {
          expect(String(cause)).toMatch(
            /^(TarError: archive\/tar: invalid tar header|Error: Unhandled tar header type)/,
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("TarParser reads what GNU tar writes, in all its formats", () => {
  const dir = temporaryDirectory("tar-");
  const long = `${"directory-with-a-long-name/".repeat(5)}end`;
  mkdirSync(join(dir, "t", long), { recursive: true });
  writeFileSync(join(dir, "t", long, `${"f".repeat(120)}`), "long");
  writeFileSync(join(dir, "t/plain"), "plain text");
  symlinkSync("../".repeat(60), join(dir, "t/link"));
  linkSync(join(dir, "t/plain"), join(dir, "t/plain2"));
  execFileSync("mkfifo", [join(dir, "t/fifo")]);
  for (const format of ["v7", "oldgnu", "gnu", "ustar", "pax"]) {
    const only = format === "v7" || format === "ustar" ? ["t/plain", "t/plain2"] : ["t"];
    const args = ["-C", dir, `--format=${format}`, "--sort=name", "--mtime=@1400000000", "--owner=0", "--group=0"];
    const archive = execFileSync("tar", [...args, "-cf", "-", ...only]);
    const list = execFileSync("tar", ["-tf", "-"], { input: archive, encoding: "utf8" }).trim().split("\n");
    const entries = parse(archive, 1000);
    expect(entries.map(({ header }) => header.name)).toEqual(list);
    expect(entries.every(({ header }) => header.mtime === 1400000000)).toBe(true);
    const plain = entries.find(({ header }) => header.name === "t/plain");
    expect(plain?.data.toString()).toBe("plain text");
    expect(entries.find(({ header }) => header.name === "t/plain2")?.header).toMatchObject({
      type: "1",
      linkname: "t/plain",
    });
  }
});

test("TarParser puts the data of sparse files where it belongs, in GNU tar's four formats", () => {
  const dir = temporaryDirectory("sparse-");
  const path = join(dir, "holes");
  const fd = openSync(path, "w");
  for (let piece = 0; piece < 40; piece++) writeSync(fd, `piece ${piece}`, piece * 65536);
  closeSync(fd);
  truncateSync(path, 3 << 20);
  const whole = execFileSync("cat", [path], { maxBuffer: 4 << 20 });
  for (const format of [
    ["--format=gnu"],
    ...["0.0", "0.1", "1.0"].map((v) => ["--format=pax", `--sparse-version=${v}`]),
  ]) {
    const archive = execFileSync("tar", ["-C", dir, "-S", ...format, "-cf", "-", "holes"]);
    expect(archive.length).toBeLessThan(1 << 20);
    const [entry] = parse(archive, 3000);
    expect(entry?.header).toMatchObject({ name: "holes", size: 3 << 20, sparse: true });
    expect(entry?.data.equals(whole)).toBe(true);
  }
});

test("GNU tar and tar-stream read what encodeHeader() writes", async () => {
  const archive = write([
    { header: { ...FILE, name: "./", type: "5", mode: 0o040755 } },
    {
      header: { ...FILE, name: `${"p".repeat(90)}/${"n".repeat(90)}`, size: 5, uid: 3_000_000, mtime: 1400000000 },
      data: Buffer.from("hello"),
    },
    { header: { ...FILE, name: "n".repeat(130), size: 1 }, data: Buffer.from("x") },
    { header: { ...FILE, name: Buffer.from("grüße").toString("latin1"), type: "2", linkname: "ziel" } },
    { header: { ...FILE, name: "dev", type: "3", mode: 0o020600, devMajor: 10, devMinor: 200 } },
  ]);
  const names = ["./", `${"p".repeat(90)}/${"n".repeat(90)}`, "n".repeat(130), "grüße", "dev"];
  const list = execFileSync("tar", ["--quoting-style=literal", "-tf", "-"], { input: archive, encoding: "utf8" });
  expect(list.trim().split("\n")).toEqual(names);
  const seen: { name: string; uid: number | undefined; major: number | undefined }[] = [];
  const reader = extract();
  reader.end(archive);
  for await (const item of reader) {
    seen.push({ name: item.header.name, uid: item.header.uid, major: item.header.devmajor });
    item.resume();
  }
  expect(seen.map(({ name }) => name)).toEqual(["./", ...names.slice(1)]);
  expect(seen[1]?.uid).toBe(3_000_000);
  expect(seen[4]?.major).toBe(10);
});

test("TarParser reads what tar-stream packs", async () => {
  const packer = pack();
  packer.entry({ name: "a".repeat(150), mode: 0o755, mtime: new Date(1400000000_000) }, "content");
  packer.entry({ name: "dir", type: "directory" });
  packer.finalize();
  const parts: Buffer[] = [];
  for await (const part of packer) parts.push(part as Buffer);
  const entries = parse(Buffer.concat(parts), 77);
  expect(entries.map(({ header }) => [header.name, header.type])).toEqual([
    ["a".repeat(150), "0"],
    ["dir", "5"],
  ]);
  expect(entries[0]?.data.toString()).toBe("content");
});

test("encodeHeader() chooses ustar, pax and binary numbers as Go 1.2 does", () => {
  const magic = (header: Buffer) => header.toString("latin1", 257, 265);
  expect(magic(encodeHeader(FILE, 7))).toBe("ustar\x0000");
  expect(encodeHeader(FILE, 7).toString("latin1", 100, 108)).toBe("0100644\0");
  const split = encodeHeader({ ...FILE, name: `${"p".repeat(150)}/n` }, 7);
  expect([split.length, split.toString("latin1", 345, 495)]).toEqual([512, "p".repeat(150)]);
  expect(magic(encodeHeader({ ...FILE, uid: 2 ** 31 }, 7))).toBe("ustar  \0");
  const pax = encodeHeader({ ...FILE, name: `dir/${"n".repeat(101)}` }, 42);
  expect(pax.toString("latin1", 0, 100)).toBe(`dir/PaxHeaders.42/${"n".repeat(82)}`);
  expect(pax.toString("latin1", 512, 512 + 115)).toBe(`115 path=dir/${"n".repeat(101)}\n`);
  const capability = encodeHeader({ ...FILE, xattrs: new Map([["security.capability", Buffer.from([1, 0, 255])]]) }, 7);
  expect(capability.includes(Buffer.from([...Buffer.from("SCHILY.xattr.security.capability="), 1, 0, 255, 10]))).toBe(
    true,
  );
});

test.each<[string, () => Buffer]>([
  [
    "a wrong checksum",
    () => {
      const b = write([{ header: FILE }]);
      b[0] = 0x62;
      return b;
    },
  ],
  [
    "a negative size",
    () => {
      const b = encodeHeader(FILE, 7);
      b.fill(0xff, 124, 136);
      return repair(b);
    },
  ],
  [
    "a size beyond what a number holds",
    () => {
      const b = encodeHeader(FILE, 7);
      b.fill(0x7f, 125, 136);
      b[124] = 0x80;
      return repair(b);
    },
  ],
  [
    "text in a number",
    () => {
      const b = encodeHeader(FILE, 7);
      b.write("12x4567", 108);
      return repair(b);
    },
  ],
  ["an owner of 2^32-1", () => encodeHeader({ ...FILE, uid: 2 ** 32 - 1 }, 7)],
  ["a group of 2^32", () => encodeHeader({ ...FILE, gid: 2 ** 32 }, 7)],
  [
    "an owner of 2^32-1 in pax",
    () => Buffer.concat([raw("x", Buffer.from("18 uid=4294967295\n")), encodeHeader(FILE, 7)]),
  ],
  [
    "an extended header of 1 MiB and a byte",
    () => {
      const b = encodeHeader({ ...FILE, size: (1 << 20) + 1 }, 7);
      b[156] = 0x78;
      return repair(b);
    },
  ],
  [
    "a long name of 64 MiB",
    () => {
      const b = encodeHeader({ ...FILE, size: 64 << 20 }, 7);
      b[156] = 0x4c;
      return repair(b);
    },
  ],
  ["a pax length of 0", () => raw("x", Buffer.from("0 a=b\n"))],
  ["a pax length that is negative", () => raw("x", Buffer.from("-9 a=b\n"))],
  ["a pax length beyond the header", () => raw("x", Buffer.from("99 a=b\n"))],
  ["a pax record without a line end", () => raw("x", Buffer.from("6 a=bc"))],
  ["a NUL in a pax path", () => raw("x", Buffer.from("12 path=a\0b\n"))],
  ["a NUL in a GNU long name", () => raw("L", Buffer.from("a\0b"))],
  ["a pax header at the end", () => Buffer.concat([raw("x", Buffer.from("6 a=b\n")), TRAILER])],
  ["a long name at the end", () => raw("L", Buffer.from("a"))],
  ["a lone block of zeros", () => Buffer.concat([Buffer.alloc(512), encodeHeader(FILE, 7)])],
  ["data cut short", () => encodeHeader({ ...FILE, size: 9 }, 7)],
  ["a header cut short", () => encodeHeader(FILE, 7).subarray(0, 300)],
  [
    "a sparse map of too many pieces",
    () =>
      Buffer.concat([
        raw("x", Buffer.from("22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n28 GNU.sparse.realsize=9999\n")),
        raw("0", Buffer.from("99999999\n".padEnd(512, "\0"))),
      ]),
  ],
  [
    "sparse pieces that overlap",
    () =>
      Buffer.concat([
        raw("x", Buffer.from("23 GNU.sparse.size=100\n26 GNU.sparse.map=0,5,3,5\n")),
        raw("0", Buffer.alloc(10)),
      ]),
  ],
])("TarParser refuses %s", (_, make) => {
  expect(() => parse(make(), 512)).toThrow(/^(?:archive\/tar: invalid tar header \(|unexpected EOF$)/);
});

// origin: archive/archive_test.go TestUntarUstarGnuConflict
test("TarParser reads a long name beside a binary number, though one is of ustar and the other GNU's", () => {
  const block = encodeHeader({ ...FILE, name: `${"p".repeat(150)}/n` }, 7);
  block.fill(0, 108, 116);
  block[108] = 0x80;
  block.writeUInt32BE(0x80000001, 112);
  const [entry] = parse(Buffer.concat([repair(block), TRAILER]));
  expect(entry?.header).toMatchObject({ name: `${"p".repeat(150)}/n`, uid: 0x80000001 });
});

test("TarParser names a type it does not know as 1.2.0 does", () => {
  expect(() => parse(raw("V", Buffer.alloc(0)))).toThrow("Unhandled tar header type 86");
});

test("TarParser ignores a global header, and everything after the end", () => {
  const archive = Buffer.concat([
    raw("g", Buffer.from("13 path=evil\n")),
    write([{ header: FILE }]),
    Buffer.from("garbage".repeat(100)),
  ]);
  expect(parse(archive, 512).map(({ header }) => header.name)).toEqual(["a"]);
});

test("TarParser takes a file whose name ends with a slash for a directory", () => {
  expect(parse(write([{ header: { ...FILE, name: "old/" } }]))[0]?.header.type).toBe("5");
});
