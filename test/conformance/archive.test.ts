/**
 * Archives against GNU tar, both ways: what it writes we unpack as it does, and what we write it unpacks as it was.
 * Random trees with every kind of entry, all formats, names of any bytes. Needs root, for owners and devices.
 */

import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  lchownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { tar } from "../../src/archive/archive.ts";
import { fromText } from "../../src/archive/byte-string.ts";
import { TarParser } from "../../src/archive/tar/parser.ts";
import { Unpacker } from "../../src/archive/unpack.ts";
import { linuxHost } from "../../src/host/linux/host.ts";
import { syncFs } from "../../src/host/linux/worker-port.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: owners and devices need root");
const vm = test.runIf(isRoot);
const base = mkdtempSync(join(tmpdir(), "archive-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const KINDS = ["file", "file", "empty", "dir", "symlink", "hardlink", "sparse", "char", "block", "fifo"] as const;
/** A capability as the kernel has it: cap_net_raw, effective and permitted. */
const CAPABILITY = Buffer.from("0100000200200000000000000000000000000000", "hex");

interface Item {
  readonly path: readonly Buffer[];
  readonly kind: (typeof KINDS)[number];
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly content: Uint8Array;
  readonly target: Buffer;
  readonly attribute: Uint8Array | undefined;
  readonly attributeName: string;
  readonly capable: boolean;
  /** Whether it has one more name. */
  readonly again: boolean;
}

/** A name: plain, long, of any characters, of any bytes. */
const name = fc
  .oneof(
    fc.stringMatching(/^[a-z.]{1,12}$/).map((text) => Buffer.from(text)),
    fc.stringMatching(/^[a-z]{90,130}$/).map((text) => Buffer.from(text)),
    fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }).map((text) => Buffer.from(text).subarray(0, 250)),
    fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  )
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x5f : byte))))
  .filter((bytes) => !["", ".", ".."].includes(bytes.toString("latin1")));

const item: fc.Arbitrary<Item> = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 5 }),
  kind: fc.constantFrom(...KINDS),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.constantFrom(0o7777777, 0o10000000, 0xfffffffe)),
  gid: fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.constantFrom(0o10000000)),
  seconds: fc.oneof(fc.integer({ min: 0, max: 2 ** 31 }), fc.constantFrom(-5, 2 ** 33 + 5)),
  nanoseconds: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
  content: fc.uint8Array({ maxLength: 2000 }),
  target: fc.oneof(
    name,
    fc.stringMatching(/^[a-z/]{101,300}$/).map((text) => Buffer.from(text)),
  ),
  attribute: fc.option(fc.uint8Array({ minLength: 1, maxLength: 60 }), { nil: undefined }),
  attributeName: fc.constantFrom("test", "a=b", "50%", "%3D%25%", "Ünï".normalize("NFD"), "two words"),
  capable: fc.boolean(),
  again: fc.boolean(),
});

/** Trees without two entries of one name at the top; what is below a name is a directory. */
const tree = fc.uniqueArray(item, { selector: ({ path }) => path[0]!.toString("latin1"), minLength: 1, maxLength: 10 });

let count = 0;
function directory(): string {
  const path = join(base, `d${count++}`);
  mkdirSync(path);
  return path;
}

const SLASH = Buffer.from("/");
function at(root: string, parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(root), ...parts.flatMap((part) => [SLASH, part])]);
}

function make(items: readonly Item[]): string {
  const root = directory();
  const first = at(root, [Buffer.from("first")]);
  writeFileSync(first, "the first name of a file");
  for (const [n, one] of items.entries()) {
    const path = at(root, one.path);
    if (one.path.length > 1) mkdirSync(at(root, one.path.slice(0, -1)), { recursive: true });
    if (path.equals(first)) continue;
    makeOne(one, path, first);
    if (one.again && one.kind !== "dir") linkSync(path, at(root, [Buffer.from(`again-${n}`)]));
  }
  return root;
}

function makeOne(one: Item, path: Buffer, first: Buffer): void {
  const { kind, content, mode } = one;
  if (kind === "hardlink") {
    linkSync(first, path);
    return;
  }
  if (kind === "dir") mkdirSync(path);
  else if (kind === "symlink") symlinkSync(one.target, path);
  else if (kind === "file" || kind === "empty") writeFileSync(path, kind === "file" ? content : "");
  else if (kind === "sparse") sparse(path, content);
  else syncFs.mknodSync(path, { char: 0o020600, block: 0o060600, fifo: 0o010600 }[kind], kind === "fifo" ? 0 : 7, mode);
  lchownSync(path, one.uid, one.gid);
  if (kind !== "symlink") chmodSync(path, mode);
  const isFile = kind === "file" || kind === "sparse" || kind === "empty";
  if (one.attribute !== undefined && (isFile || kind === "dir"))
    syncFs.lsetxattrSync(path, `user.${fromText(one.attributeName)}`, Buffer.from(one.attribute));
  if (one.capable && isFile) syncFs.lsetxattrSync(path, "security.capability", CAPABILITY);
  syncFs.utimensSync(path, one.seconds, one.nanoseconds);
}

function sparse(path: Buffer, content: Uint8Array): void {
  const fd = openSync(path, "w");
  for (let piece = 0; piece < 1 + (content.length % 30); piece++) writeSync(fd, content, 0, undefined, piece << 16);
  closeSync(fd);
  truncateSync(path, 2_500_000);
}

/** Everything about each entry but the root, in the order of their names. */
const LISTING = `
import hashlib, os, stat, sys
root, whole, first, out = os.fsencode(sys.argv[1]), sys.argv[2] == "seconds", {}, []
def add(path):
    full = os.path.join(root, path)
    s = os.lstat(full)
    what = [path.hex(), oct(s.st_mode), s.st_uid, s.st_gid, s.st_mtime_ns // 10**9 if whole else s.st_mtime_ns]
    if stat.S_ISREG(s.st_mode):
        what += [s.st_size, hashlib.sha256(open(full, "rb").read()).hexdigest()]
    if not stat.S_ISDIR(s.st_mode) and s.st_nlink > 1: what.append("= " + first.setdefault((s.st_dev, s.st_ino), path.hex()))
    if stat.S_ISLNK(s.st_mode): what.append(os.readlink(full).hex())
    if stat.S_ISCHR(s.st_mode) or stat.S_ISBLK(s.st_mode): what.append((os.major(s.st_rdev), os.minor(s.st_rdev)))
    for name in sorted(os.listxattr(full, follow_symlinks=False)):
        what.append((name, os.getxattr(full, name, follow_symlinks=False).hex()))
    out.append(" ".join(map(str, what)))
    if stat.S_ISDIR(s.st_mode): walk(path)
def walk(path):
    for name in sorted(os.listdir(os.path.join(root, path))): add(os.path.join(path, name) if path else name)
walk(b"")
print("\\n".join(out))
`;

function listing(root: string, times: "seconds" | "nanoseconds"): string[] {
  return execFileSync("python3", ["-c", LISTING, root, times], { encoding: "utf8", maxBuffer: 1 << 26 }).split("\n");
}

const ATTRIBUTES = ["--xattrs", "--xattrs-include=*"];

function unpackWithTar(archive: Buffer): string {
  const root = directory();
  const args = ["-x", "-p", "-C", root, "--numeric-owner", "--same-owner", ...ATTRIBUTES];
  const { status, stderr } = spawnSync("tar", args, { input: archive });
  expect(`${status} ${stderr}`).toMatch(/^0 /);
  return root;
}

function unpackOurselves(archive: Buffer, piece: number): string {
  const root = directory();
  const unpacker = new Unpacker(syncFs, { root, whiteouts: "keep", chown: true });
  const parser = new TarParser(unpacker);
  for (let from = 0; from < archive.length; from += piece) parser.feed(archive.subarray(from, from + piece));
  parser.end();
  unpacker.finish();
  return root;
}

async function pack(root: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of tar(linuxHost(), root)) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

const FORMATS: readonly (readonly string[])[] = [
  ["--format=v7"],
  ["--format=ustar"],
  ["--format=oldgnu"],
  ["--format=gnu", "-S"],
  ["--format=posix"],
  ["--format=posix", ...ATTRIBUTES],
  ["--format=posix", "-S", "--sparse-version=0.0", ...ATTRIBUTES],
  ["--format=posix", "-S", "--sparse-version=0.1", ...ATTRIBUTES],
  ["--format=posix", "-S", "--sparse-version=1.0", ...ATTRIBUTES],
  ["--format=posix", "--pax-option=globexthdr.name=g,comment=global"],
];

vm("what GNU tar writes is unpacked as GNU tar unpacks it", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      tree,
      fc.constantFrom(...FORMATS),
      fc.integer({ min: 1, max: 70_000 }),
      async (items, format, piece) => {
        // Everything here blocks: without a moment between two trees the test runner takes the worker for dead.
        await new Promise((resolve) => setImmediate(resolve));
        const root = make(items);
        const args = ["-c", "-C", root, "--numeric-owner", "--sort=name", ...format, "."];
        // What a format cannot hold it leaves out, with a warning.
        const { stdout } = spawnSync("tar", args, { maxBuffer: 1 << 28 });
        const [theirs, ours] = [unpackWithTar(stdout), unpackOurselves(stdout, piece)];
        expect(listing(ours, "nanoseconds")).toEqual(listing(theirs, "nanoseconds"));
        for (const dir of [root, theirs, ours]) rmSync(dir, { recursive: true });
      },
    ),
    { numRuns: 30, interruptAfterTimeLimit: 60_000 },
  );
});

vm("what we write is unpacked by GNU tar, and by ourselves, as it was", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(tree, async (items) => {
      const root = make(items);
      const archive = await pack(root);
      const [theirs, ours] = [unpackWithTar(archive), unpackOurselves(archive, 10_000)];
      const expected = listing(root, "seconds");
      expect(listing(theirs, "seconds")).toEqual(expected);
      expect(listing(ours, "seconds")).toEqual(expected);
      // A copy of the tree has the same archive, byte for byte.
      const copy = directory();
      execFileSync("cp", ["-aT", root, copy]);
      expect((await pack(copy)).equals(archive)).toBe(true);
      for (const dir of [root, theirs, ours, copy]) rmSync(dir, { recursive: true });
    }),
    { numRuns: 20, interruptAfterTimeLimit: 60_000 },
  );
});

/** A header as no tar program of today writes it. */
function raw(type: string, name: string, size: number, link = "", magic = "ustar\x0000"): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, "latin1");
  for (const [offset, text] of [
    [100, "0000755\0"],
    [108, "0000012\0"],
    [116, "0000013\0"],
    [124, `${size.toString(8).padStart(11, "0")}\0`],
    [136, "12345670123\0"],
    [148, "        "],
    [156, type],
    [157, link],
    [257, magic],
  ] as const)
    block.write(text, offset, "latin1");
  const sum = block.reduce((a, b) => a + b, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

const data = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc(-text.length & 511)]);
const END = Buffer.alloc(1024);
const file = (name: string, content: string, type = "0") =>
  Buffer.concat([raw(type, name, content.length), data(content)]);

vm.each<[what: string, archive: Buffer[]]>([
  ["a directory that claims to have content", [raw("5", "d/", 512), file("d/in", "x"), file("after", "y")]],
  ["a hard link that claims to have content", [file("a", "aa"), raw("1", "b", 512, "a"), file("after", "y")]],
  ["a symbolic link that claims to have content", [raw("2", "s", 512, "a"), file("after", "y")]],
  ["a fifo that claims to have content", [raw("6", "p", 512), file("after", "y")]],
  ["a contiguous file", [file("c", "content", "7")]],
  ["a file of the oldest kind, and a directory that is one", [file("old", "content", "\0"), raw("\0", "dir/", 0)]],
  [
    "a long name and a long link",
    [file("L", `${"n".repeat(150)}\0`, "L"), file("K", `${"k".repeat(150)}\0`, "K"), raw("2", "x", 0, "y")],
  ],
  ["the same name twice, as a file and as a directory", [file("t", "first"), raw("5", "u/", 0), file("t", "second")]],
  ["a directory whose mode comes after what is in it", [file("m/x", "1"), raw("5", "m/", 0), file("m/y", "2")]],
  ["no end mark", [file("e", "x")]],
  ["something behind the end mark", [file("f", "x"), END, file("hidden", "x")]],
])("%s is unpacked as GNU tar does", (_, parts) => {
  const archive = Buffer.concat(parts.at(-1)!.length === 1024 || parts.length === 1 ? parts : [...parts, END]);
  const theirs = listing(unpackWithTar(archive), "nanoseconds");
  expect(theirs.length).toBeGreaterThan(0);
  expect(listing(unpackOurselves(archive, 700), "nanoseconds")).toEqual(theirs);
});

vm.each(["V", "M", "D", "N", "A", "Z"])("an entry of type %s is refused, with its number", (type) => {
  const archive = Buffer.concat([file("odd", "content", type), END]);
  expect(() => unpackOurselves(archive, 512)).toThrow(`Unhandled tar header type ${type.charCodeAt(0)}`);
});
