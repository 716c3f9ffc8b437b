import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import {
  absolutePath,
  archivePath,
  findDestination,
  goFileMode,
  readPath,
  statPath,
} from "../../../src/archive/copy.ts";
import { Outgoing } from "../../../src/archive/outgoing.ts";
import { unpackLayer } from "../../../src/archive/unpack-layer.ts";
import { linuxHost } from "../../../src/host/linux/host.ts";
import { sha256, syncFs, syncHost, workerExec } from "../../../src/host/linux/worker-port.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import type { Destination, PathStat } from "../../../src/host/pool.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

let base: string;
/** What stands for a container's root; beside it lies what is none of its business. */
let root: string;

beforeEach(() => {
  base = temporaryDirectory("copy-");
  root = join(base, "root");
  mkdirSync(join(root, "dir/sub"), { recursive: true });
  writeFileSync(join(root, "dir/file"), "inside\n", { mode: 0o640 });
  writeFileSync(join(base, "victim"), "outside\n");
  symlinkSync("/dir", join(root, "to-dir"));
  symlinkSync("../../victim", join(root, "out"));
  symlinkSync("missing", join(root, "broken"));
});

const host = linuxHost();

async function archiveOf(path: string): Promise<{ stat: PathStat | undefined; tar: Buffer }> {
  const chunks: Buffer[] = [];
  let stat: PathStat | undefined;
  await archivePath(host, root, path, {
    begin: (found) => {
      stat = found;
    },
    write: (chunk) => void chunks.push(Buffer.from(chunk)),
  });
  return { stat, tar: Buffer.concat(chunks) };
}

/** What GNU tar sees in an archive. */
function names(tar: Buffer): string[] {
  return execFileSync("tar", ["-Ptf", "-"], { input: tar, encoding: "utf8" }).trim().split("\n");
}

async function unpackInto(tar: Buffer, into: Destination): Promise<void> {
  const chunks = [tar];
  const job = { root, into, whiteouts: "keep", chown: false, compression: "auto" } as const;
  const enter = () => ({ root, leave: () => undefined });
  await unpackLayer(job, { fs: syncFs, exec: workerExec, sha256, enter, next: async () => chunks.shift() });
}

test.each([
  ["", "/"],
  ["/", "/"],
  [".", "/."],
  ["dir", "/dir"],
  ["/dir/", "/dir/"],
  ["/dir/.", "/dir/."],
  ["//dir//sub/..", "/dir"],
  ["../../etc", "/etc"],
])("absolutePath(%j) is %j", (path, absolute) => {
  expect(absolutePath(path)).toBe(absolute);
});

test.each([
  [0o100644, 0o644],
  [0o040755, 2 ** 31 + 0o755],
  [0o041777, 2 ** 31 + 2 ** 20 + 0o777],
  [0o120777, 2 ** 27 + 0o777],
  [0o104755, 2 ** 23 + 0o755],
  [0o102755, 2 ** 22 + 0o755],
  [0o060600, 2 ** 26 + 0o600],
  [0o020600, 2 ** 26 + 2 ** 21 + 0o600],
  [0o010600, 2 ** 25 + 0o600],
  [0o140600, 2 ** 24 + 0o600],
])("goFileMode(%i) has Go's bits", (mode, bits) => {
  expect(goFileMode(mode)).toBe(bits);
});

test("statPath() follows links on the way, and at the end only before a slash", async () => {
  expect(await statPath(host, root, "/to-dir/file")).toMatchObject({
    name: "file",
    size: 7,
    mode: 0o640,
    linkTarget: "",
  });
  expect(await statPath(host, root, "/to-dir")).toMatchObject({
    name: "to-dir",
    mode: 2 ** 27 + 0o777,
    linkTarget: "/dir",
  });
  expect((await statPath(host, root, "/to-dir/")).mode & (2 ** 30)).toBe(0);
  expect((await statPath(host, root, "/to-dir/")).mode).toBeGreaterThanOrEqual(2 ** 31);
  expect(await statPath(host, root, "/dir/.")).toMatchObject({ name: "." });
  expect(await statPath(host, root, "/")).toMatchObject({ name: "/" });
  await expect(statPath(host, root, "/nope")).rejects.toMatchObject({ code: "ENOENT" });
  await expect(statPath(host, root, "/dir/file/")).rejects.toMatchObject({ code: "ENOTDIR" });
});

test("statPath() tells where a link leads, and never out of the root", async () => {
  expect((await statPath(host, root, "/out")).linkTarget).toBe("/victim");
  expect((await statPath(host, root, "/broken")).linkTarget).toBe("/missing");
  await expect(statPath(host, root, "/out/.")).rejects.toMatchObject({ code: "ENOENT" });
});

test("archivePath() names everything after the last part of the path", async () => {
  expect(names((await archiveOf("/to-dir/file")).tar)).toEqual(["file"]);
  expect(names((await archiveOf("/to-dir")).tar)).toEqual(["to-dir"]);
  expect(names((await archiveOf("/to-dir/")).tar)).toEqual(["to-dir/", "to-dir/file", "to-dir/sub/"]);
  expect(names((await archiveOf("/dir/.")).tar)).toEqual(["./", "./file", "./sub/"]);
  expect(names((await archiveOf("/")).tar)).toEqual([
    "/",
    "/broken",
    "/dir/",
    "/dir/file",
    "/dir/sub/",
    "/out",
    "/to-dir",
  ]);
  expect((await archiveOf("/dir")).stat?.name).toBe("dir");
});

test("syncHost reads as the machine's own calls do", async () => {
  writeFileSync(join(root, "dir/large"), Buffer.alloc(700_000, "x"));
  const { tar } = await archiveOf("/dir");
  const chunks: Uint8Array[] = [];
  await archivePath(syncHost, root, "/dir", { begin: () => undefined, write: (chunk) => void chunks.push(chunk) });
  expect(Buffer.concat(chunks).equals(tar)).toBe(true);
});

test("readPath() reads plain files only, and so much of them", async () => {
  const text = async (path: string, max = 100) => Buffer.from(await readPath(host, root, path, max)).toString();
  expect(await text("/to-dir/file")).toBe("inside\n");
  expect(await text("/dir/file", 3)).toBe("ins");
  expect(await text("/dir")).toBe("");
  expect(await text("/nope")).toBe("");
  expect(await text("/out")).toBe("");
});

test("findDestination() wants a directory that is there and may be written to", async () => {
  const find = (path: string) =>
    findDestination(syncFs, root, { path, keepKinds: true }, [
      { source: "/x", destination: "/dir", writable: false },
      { source: "/y", destination: "/dir/sub", writable: true },
    ]);
  expect(await find("/")).toBe("");
  expect(await find("/to-dir/sub/")).toBe("dir/sub");
  await expect(find("/to-dir")).rejects.toMatchObject({
    code: "EDESTINATION",
    message: "mounted volume is marked read-only",
  });
  await expect(find("/dir/file")).rejects.toMatchObject({ message: "extraction point is not a directory" });
  await expect(find("/nope")).rejects.toMatchObject({ code: "ENOENT" });
});

test("an archive goes into its directory; links in it lead where the container's processes would go", async () => {
  mkdirSync(join(base, "from/sub"), { recursive: true });
  writeFileSync(join(base, "from/sub/new"), "new\n");
  const tar = execFileSync("tar", ["-C", join(base, "from"), "-cf", "-", "sub"]);
  rmSync(join(root, "dir/sub"), { recursive: true });
  symlinkSync("/elsewhere", join(root, "dir/sub"));
  mkdirSync(join(root, "elsewhere"));
  // Not a directory that is there but a link to one: with `keepKinds` it stays, and the copy is refused.
  await expect(unpackInto(tar, { path: "/to-dir", keepKinds: true })).rejects.toThrow(
    'cannot overwrite non-directory "/dir/sub" with directory "/dir"',
  );
  const inside = execFileSync("tar", ["-C", join(base, "from"), "-cf", "-", "sub/new"]);
  await unpackInto(inside, { path: "/to-dir", keepKinds: true });
  expect(readFileSync(join(root, "elsewhere/new"), "utf8")).toBe("new\n");
  await unpackInto(tar, { path: "/to-dir", keepKinds: false });
  expect(lstatSync(join(root, "dir/sub")).isDirectory()).toBe(true);
});

test("with keepKinds no directory is replaced by a file; without, it is", async () => {
  writeFileSync(join(base, "sub"), "file\n");
  const tar = execFileSync("tar", ["-C", base, "-cf", "-", "sub"]);
  await expect(unpackInto(tar, { path: "/dir", keepKinds: true })).rejects.toMatchObject({
    code: "EKIND",
    message: 'cannot overwrite directory "/dir/sub" with non-directory "/dir"',
  });
  await unpackInto(tar, { path: "/dir", keepKinds: false });
  expect(readFileSync(join(root, "dir/sub"), "utf8")).toBe("file\n");
});

test("hard links are made between files of the archive, and names that climb out are refused", async () => {
  writeFileSync(join(base, "a"), "a\n");
  execFileSync("ln", [join(base, "a"), join(base, "b")]);
  await unpackInto(execFileSync("tar", ["-C", base, "-cf", "-", "a", "b"]), { path: "/dir", keepKinds: true });
  expect(lstatSync(join(root, "dir/b")).ino).toBe(lstatSync(join(root, "dir/a")).ino);
  const climbing = execFileSync("tar", ["-P", "-C", root, "-cf", "-", "../victim"]);
  await expect(unpackInto(climbing, { path: "/dir", keepKinds: true })).rejects.toThrow("lies outside the archive");
});

test("a copy of nothing does nothing", async () => {
  await unpackInto(Buffer.alloc(0), { path: "/dir", keepKinds: true });
  await expect(unpackInto(Buffer.alloc(0), { path: "/nope", keepKinds: true })).rejects.toMatchObject({
    code: "ENOENT",
  });
});

test("a memory host shows volumes where they are mounted, and only meanwhile", async () => {
  const { pool, volume, kernel } = memoryHost();
  volume.fromJSON({ "/c/etc/passwd": "root", "/c/data/.keep": "", "/volumes/1/inside": "12345" });
  const view = { root: "/c", mounts: [{ source: "/volumes/1", destination: "/data", writable: true }], confine: true };
  expect((await pool.stat(view, "/data/inside")).size).toBe(5);
  expect(Buffer.from(await pool.read(view, "/etc/passwd", 10)).toString()).toBe("root");
  await expect(pool.stat(view, "/data/nope")).rejects.toMatchObject({ code: "ENOENT" });
  expect(kernel.mounts()).toHaveLength(1);
});

test("Outgoing sends full chunks, and no more than the other side can take", async () => {
  const sent: number[] = [];
  const out = new Outgoing((chunk) => sent.push(chunk.length));
  await out.write(Buffer.alloc(8 * (256 << 10)));
  expect(sent).toEqual(Array(8).fill(256 << 10));
  let written = false;
  const more = out.write(Buffer.alloc(300 << 10)).then(() => {
    written = true;
  });
  await Promise.resolve();
  expect([sent.length, written]).toEqual([8, false]);
  out.more();
  await more;
  out.flush();
  expect(sent.slice(8)).toEqual([256 << 10, 44 << 10]);
});
