import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { tar } from "../../../src/archive/archive.ts";
import { type Change, changes, changesDirs, changesSize, exportChanges } from "../../../src/archive/changes.ts";
import { TarParser } from "../../../src/archive/tar/parser.ts";
import { treeSize } from "../../../src/archive/tree.ts";
import { Unpacker } from "../../../src/archive/unpack.ts";
import { linuxHost } from "../../../src/host/linux/host.ts";
import { syncFs } from "../../../src/host/linux/worker-port.ts";
import { type Reader, readAll } from "../../../src/sync/io.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const host = linuxHost();
let base: string;
let dir: string;
let old: string;

beforeEach(() => {
  base = temporaryDirectory("archive-");
  dir = join(base, "new");
  old = join(base, "old");
  mkdirSync(dir);
  mkdirSync(old);
});

const list = (of: string) =>
  execFileSync("find", [of, "-mindepth", "1", "-printf", "%P %y %m %U:%G %n %l %s %TY%Tj%TH%TM\n"], {
    encoding: "utf8",
  })
    .split("\n")
    .sort();

async function unpack(archive: Reader, into: string, whiteouts: "keep" | "apply" = "keep"): Promise<void> {
  const unpacker = new Unpacker(syncFs, { root: into, whiteouts, chown: process.getuid?.() === 0 });
  const parser = new TarParser(unpacker);
  for await (const chunk of archive) parser.feed(Buffer.from(chunk));
  parser.end();
  unpacker.finish();
}

/** A bit of everything. */
function fill(root: string): void {
  mkdirSync(join(root, "a/b"), { recursive: true });
  writeFileSync(join(root, "a/f"), "text");
  chmodSync(join(root, "a/f"), 0o4711);
  linkSync(join(root, "a/f"), join(root, "a/b/hard"));
  symlinkSync("../f", join(root, "a/b/soft"));
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe])]), "no text");
  writeFileSync(join(root, `${"long".repeat(50)}`), "x".repeat(200_000));
  for (let i = 0; i < 60; i++) writeFileSync(join(root, `a/small${i}`), String(i).repeat(i));
  execFileSync("mkfifo", [join(root, "fifo")]);
}

test("tar() and Unpacker copy a tree", async () => {
  fill(dir);
  await unpack(tar(host, dir), old);
  expect(list(old)).toEqual(list(dir));
  expect(execFileSync("diff", ["-r", "--no-dereference", "-x", "fifo", dir, old], { encoding: "utf8" })).toBe("");
});

test("tar() rounds every time down to a second, and leaves out what it is told to", async () => {
  const times: [seconds: number, nanoseconds: number][] = [
    [1_400_000_000, 0],
    [1_400_000_000, 999_999_999],
    [1_400_000_001, 999_000_000],
    [0, 999_999_999],
    [-1, 999_999_999],
  ];
  for (const [index, [seconds, nanoseconds]] of times.entries()) {
    writeFileSync(join(dir, String(index)), "");
    syncFs.utimensSync(join(dir, String(index)), seconds, nanoseconds);
  }
  mkdirSync(join(dir, "out/in"), { recursive: true });
  const found: number[] = [];
  const asked: string[] = [];
  const skip = (path: string) => asked.push(path) > 0 && (path === "out" || path === ".");
  const parser = new TarParser({
    entry: ({ name, mtime }) => void (name === "./" || found.push(mtime)),
    data: () => undefined,
    endEntry: () => undefined,
  });
  for await (const chunk of tar(host, dir, { skip })) parser.feed(Buffer.from(chunk));
  expect(found).toEqual(times.map(([seconds]) => seconds));
  expect(asked).toEqual([".", "0", "1", "2", "3", "4", "out"]);
});

test("tar() writes what GNU tar reads, `./` first, in lexical order", async () => {
  fill(dir);
  const archive = await readAll(tar(host, dir));
  const names = execFileSync("tar", ["--quoting-style=escape", "-tf", "-"], { input: archive, encoding: "latin1" })
    .trim()
    .split("\n");
  expect(names[0]).toBe("./");
  expect(names.slice(1, 5)).toEqual(["a/", "a/b/", "a/b/hard", "a/b/soft"]);
  expect(names.at(-1)).toBe("\\377\\376");
  execFileSync("tar", ["-C", old, "-xpf", "-"], { input: archive });
  expect(list(old)).toEqual(list(dir));
});

test("tar() keeps a promise about a size that the file does not", async () => {
  writeFileSync(join(dir, "shrinks"), Buffer.alloc(300_000, 1));
  writeFileSync(join(dir, "z"), "behind");
  const parts: Uint8Array[] = [];
  for await (const chunk of tar(host, dir)) {
    if (parts.length === 1) truncateSync(join(dir, "shrinks"), 1000);
    parts.push(chunk);
  }
  await unpack(
    (async function* () {
      yield* parts;
    })(),
    old,
  );
  expect(list(old).map((line) => line.split(" ")[0])).toContain("z");
  expect(execFileSync("cat", [join(old, "z")], { encoding: "utf8" })).toBe("behind");
});

// origin: archive/changes_test.go TestChangesDirsMutated
test("changesDirs() finds what was modified, added and deleted, sorted", async () => {
  for (const root of [old, dir]) {
    mkdirSync(join(root, "kept"));
    mkdirSync(join(root, "gone/below"), { recursive: true });
    for (const name of ["same", "content", "mode", "time", "kept/x", "gone/below/x", "becomes-dir"]) {
      writeFileSync(join(root, name), name);
      utimesSync(join(root, name), 1400000000, 1400000000);
    }
    symlinkSync("a", join(root, "link"));
    lutimesSync(join(root, "link"), 1400000000, 1400000000);
  }
  writeFileSync(join(dir, "content"), "other content");
  chmodSync(join(dir, "mode"), 0o600);
  utimesSync(join(dir, "time"), 1400000000, 1400000001);
  rmSync(join(dir, "gone"), { recursive: true });
  rmSync(join(dir, "becomes-dir"));
  mkdirSync(join(dir, "becomes-dir"));
  writeFileSync(join(dir, "becomes-dir/x"), "");
  writeFileSync(join(dir, "new"), "12345");
  for (const root of [old, dir]) utimesSync(join(root, "kept"), 1400000000, 1400000000);
  const changes = await changesDirs(host, dir, old);
  expect(changes).toEqual([
    { path: "/becomes-dir", kind: 0 },
    { path: "/becomes-dir/x", kind: 1 },
    { path: "/content", kind: 0 },
    { path: "/gone", kind: 2 },
    { path: "/mode", kind: 0 },
    { path: "/new", kind: 1 },
    { path: "/time", kind: 0 },
  ]);
  expect(await changesSize(host, dir, changes)).toBe("other content".length + 5 + "mode".length + "time".length);
  expect((await changesDirs(host, dir, undefined)).every((change) => change.kind === 1)).toBe(true);
});

test("changesDirs() takes a time without a fraction for equal to any within its second", async () => {
  for (const root of [old, dir]) writeFileSync(join(root, "f"), "");
  utimesSync(join(old, "f"), 1400000000, 1400000000);
  utimesSync(join(dir, "f"), 1400000000, 1400000000.25);
  expect(await changesDirs(host, dir, old)).toEqual([]);
  utimesSync(join(old, "f"), 1400000000, 1400000000.5);
  expect(await changesDirs(host, dir, old)).toEqual([{ path: "/f", kind: 0 }]);
});

test("changes() tells what a layer of aufs adds, modifies and deletes, and no directory that only holds something", async () => {
  const older = join(base, "older");
  for (const name of ["kept/sub", "opaque/sub", "touched"]) mkdirSync(join(old, name), { recursive: true });
  for (const name of ["gone", "was-file", "kept/sub/f", "opaque/old", "opaque/again", "opaque/sub/x"])
    writeFileSync(join(old, name), "below");
  mkdirSync(join(older, "opaque"), { recursive: true });
  for (const name of ["deep", "opaque/older", "opaque/.wh.never"]) writeFileSync(join(older, name), "far below");
  for (const name of ["kept/sub", "opaque", "touched", "was-file", ".wh..wh.plnk"])
    mkdirSync(join(dir, name), { recursive: true });
  const own = [".wh.gone", "deep", "new", "kept/sub/f", "was-file/x", "a.b", "opaque/again", "opaque/.wh..wh..opq"];
  for (const name of [...own, ".wh..wh.aufs", ".wh..wh.plnk/12.34"]) writeFileSync(join(dir, name), "");
  mkdirSync(join(dir, "a"));
  writeFileSync(join(dir, "a/x"), "");
  // A link of a layer leads nowhere outside of it.
  symlinkSync("/etc", join(old, "link"));
  mkdirSync(join(dir, "link"));
  writeFileSync(join(dir, "link/passwd"), "");
  for (const root of [old, dir])
    for (const name of ["kept/sub", "kept"]) utimesSync(join(root, name), 1400000000, 1400000000);
  for (const name of ["opaque", "touched"]) utimesSync(join(dir, name), 1400000000, 1400000001);
  expect(await changes(host, [old, older], dir)).toEqual([
    { path: "/a", kind: 1 },
    { path: "/a.b", kind: 1 },
    { path: "/a/x", kind: 1 },
    { path: "/deep", kind: 0 },
    { path: "/gone", kind: 2 },
    { path: "/kept/sub/f", kind: 0 },
    { path: "/link", kind: 0 },
    { path: "/link/passwd", kind: 1 },
    { path: "/new", kind: 1 },
    { path: "/opaque", kind: 0 },
    { path: "/opaque/again", kind: 0 },
    { path: "/opaque/old", kind: 2 },
    { path: "/opaque/older", kind: 2 },
    { path: "/opaque/sub", kind: 2 },
    { path: "/touched", kind: 0 },
    { path: "/was-file", kind: 0 },
    { path: "/was-file/x", kind: 1 },
  ]);
});

test("exportChanges() makes the old tree into the new one, and brings the directories above along", async () => {
  fill(old);
  execFileSync("cp", ["-aT", old, dir]);
  writeFileSync(join(dir, "a/b/deep"), "new");
  rmSync(join(dir, "a/small7"));
  rmSync(join(dir, "fifo"));
  const changes = await changesDirs(host, dir, old);
  const archive = await readAll(exportChanges(host, dir, changes));
  const names = execFileSync("tar", ["-tf", "-"], { input: archive, encoding: "utf8" }).trim().split("\n");
  expect([...names].sort()).toEqual([".wh.fifo", "a/", "a/.wh.small7", "a/b/", "a/b/deep"]);
  await unpack(
    (async function* () {
      yield archive;
    })(),
    old,
    "apply",
  );
  expect(await changesDirs(host, dir, old)).toEqual([] as Change[]);
});

// origin: utils/utils_test.go TestTreeSize
test("treeSize() counts every inode once", async () => {
  writeFileSync(join(dir, "a"), "12345");
  linkSync(join(dir, "a"), join(dir, "b"));
  mkdirSync(join(dir, "d"));
  writeFileSync(join(dir, "d/c"), "123");
  expect(await treeSize(host, dir)).toBe(8);
});
