/**
 * What every storage driver promises: one suite, run for each of them.
 */

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { missingFuse } from "../../src/daemon/graphdriver/aufs/fuse-overlayfs.ts";
import type { GraphDriver } from "../../src/daemon/graphdriver/driver.ts";
import { newGraphDriver } from "../../src/daemon/graphdriver/graphdriver.ts";
import { linuxHost } from "../../src/host/linux/host.ts";
import { memoryHost } from "../../src/host/memory/memory.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { readAll } from "../../src/sync/io.ts";
import { makeBtrfs } from "../support/btrfs.ts";
import { changeExtremeTree, exactLines, makeExtremeTree, type Times } from "../support/extreme-tree.ts";
import { type LayerEntry, layer, streamOf } from "../support/layers.ts";
import { oddArchive } from "../support/odd-archive.ts";
import { treeLines } from "../support/trees.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: overlay and aufs need root (mount)");

const host = linuxHost();
const noAufs = await missingFuse(host);
if (isRoot && noAufs !== undefined) console.log(`skipped: aufs: ${noAufs}`);
const btrfs = makeBtrfs();
if (typeof btrfs === "string") console.log(`skipped: btrfs: ${btrfs}`);
/** What drivers write to their log does not belong into a report. */
const log = new Logger({ ...host, stdout: memoryHost().stdout, stderr: memoryHost().stderr });
const drivers = [
  "vfs",
  ...(isRoot ? ["overlay"] : []),
  ...(isRoot && noAufs === undefined ? ["aufs"] : []),
  ...(typeof btrfs === "string" ? [] : ["btrfs"]),
];
const base = fs.mkdtempSync(join(tmpdir(), "graph-driver-"));
const id = (n: number) => n.toString(16).padStart(64, "0");
let serial = 0;

afterAll(async () => {
  await host.pool.close();
  const mounts = fs
    .readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(base) || line.includes("/btrfs/subvolumes"));
  fs.rmSync(base, { recursive: true, force: true });
  if (typeof btrfs !== "string") btrfs.remove();
  expect(mounts).toEqual([]);
});

/** Everything below a directory: path → kind and content. */
function tree(dir: string, at = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of fs.readdirSync(join(dir, at)).sort()) {
    const path = at === "" ? name : `${at}/${name}`;
    const info = fs.lstatSync(join(dir, path));
    if (info.isDirectory()) Object.assign(found, { [`${path}/`]: "" }, tree(dir, path));
    else if (info.isSymbolicLink()) found[path] = `→ ${fs.readlinkSync(join(dir, path))}`;
    else if (info.isFile()) found[path] = fs.readFileSync(join(dir, path), "utf8");
    else found[path] = `device ${info.rdev}`;
  }
  return found;
}

describe.each(drivers)("%s", (name) => {
  let root: string;
  let driver: GraphDriver;

  const open = () => newGraphDriver(root, { name, env: {} }, host, log);
  beforeEach(async () => {
    root = join(name === "btrfs" && typeof btrfs !== "string" ? btrfs.dir : base, `${name}-${serial++}`);
    fs.mkdirSync(root);
    driver = await open();
    return () => driver.cleanup();
  });

  async function make(n: number, parent: number | undefined, ...entries: LayerEntry[]) {
    const below = parent === undefined ? undefined : id(parent);
    await driver.create(id(n), below);
    return driver.applyDiff(id(n), below, streamOf(layer(...entries)));
  }
  async function look(n: number): Promise<Record<string, string>> {
    const dir = await driver.get(id(n));
    try {
      return tree(dir);
    } finally {
      await driver.put(id(n));
    }
  }

  test("a layer shows what is below it, and what it adds", async () => {
    await make(1, undefined, { name: "a", content: "one" }, { name: "d/" }, { name: "d/x", content: "x" });
    await make(2, 1, { name: "d/y", content: "y" }, { name: "a", content: "two" });
    expect(await look(1)).toEqual({ a: "one", "d/": "", "d/x": "x" });
    expect(await look(2)).toEqual({ a: "two", "d/": "", "d/x": "x", "d/y": "y" });
  });

  test("a whiteout hides a file and a directory; an opaque directory hides all that was in it", async () => {
    await make(
      1,
      undefined,
      { name: "f", content: "f" },
      { name: "d/" },
      { name: "d/x", content: "x" },
      { name: "o/" },
      { name: "o/old", content: "old" },
    );
    await make(
      2,
      1,
      { name: ".wh.f" },
      { name: ".wh.d" },
      { name: "o/" },
      { name: "o/.wh..wh..opq" },
      { name: "o/new", content: "new" },
    );
    expect(await look(2)).toEqual({ "o/": "", "o/new": "new" });
    await make(3, 2, { name: "d/" }, { name: "d/again", content: "again" }, { name: "f", content: "back" });
    expect(await look(3)).toEqual({ "d/": "", "d/again": "again", f: "back", "o/": "", "o/new": "new" });
  });

  test("a directory that is hidden and made anew in one layer starts empty", async () => {
    await make(1, undefined, { name: "d/" }, { name: "d/old", content: "old" });
    await make(2, 1, { name: ".wh.d" }, { name: "d/" }, { name: "d/new", content: "new" });
    expect(await look(2)).toEqual({ "d/": "", "d/new": "new" });
  });

  test("kinds of files, hard links, modes and times come out as they went in", async () => {
    await make(
      1,
      undefined,
      { name: "f", content: "text", mode: 0o4755 },
      { name: "hard", type: "1", link: "f" },
      { name: "soft", type: "2", link: "../elsewhere" },
      { name: "pipe", type: "6", mode: 0o600 },
    );
    const dir = await driver.get(id(1));
    expect(fs.lstatSync(join(dir, "f")).mode & 0o7777).toBe(0o4755);
    expect(fs.lstatSync(join(dir, "f")).mtimeMs).toBe(1400000000000);
    expect(fs.lstatSync(join(dir, "hard")).ino).toBe(fs.lstatSync(join(dir, "f")).ino);
    expect(fs.readlinkSync(join(dir, "soft"))).toBe("../elsewhere");
    expect(fs.lstatSync(join(dir, "pipe")).isFIFO()).toBe(true);
    await driver.put(id(1));
  });

  test.runIf(isRoot)("owners, devices and capabilities come out as they went in", async () => {
    const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
    await make(
      1,
      undefined,
      { name: "f", uid: 1234, gid: 5678, xattrs: { "security.capability": capability } },
      { name: "n", type: "3", device: [1, 3] },
    );
    const dir = await driver.get(id(1));
    expect(fs.lstatSync(join(dir, "f"))).toMatchObject({ uid: 1234, gid: 5678 });
    expect(host.kernel.lgetxattr(join(dir, "f"), "security.capability")).toEqual(capability);
    expect(fs.lstatSync(join(dir, "n")).rdev).toBe(0x103);
    await driver.put(id(1));
  });

  // origin: daemon/graphdriver/graphtest/graphtest.go DriverTestCreateEmpty
  test("an empty layer is empty, and open to all", async () => {
    await driver.create(id(1));
    expect(await driver.exists(id(1))).toBe(true);
    const dir = await driver.get(id(1));
    expect(fs.readdirSync(dir)).toEqual([]);
    expect(fs.statSync(dir).mode & 0o7777).toBe(0o755);
    expect(fs.statSync(dir).uid).toBe(process.getuid?.());
    await driver.put(id(1));
    await driver.remove(id(1));
    expect(await driver.exists(id(1))).toBe(false);
  });

  // origin: daemon/graphdriver/graphtest/graphtest.go DriverTestCreateBase, DriverTestCreateSnap
  test.runIf(isRoot)("modes and owners that are set in a layer are seen in it and in those above", async () => {
    await driver.create(id(1));
    const base = await driver.get(id(1));
    fs.mkdirSync(join(base, "a subdir"));
    fs.chownSync(join(base, "a subdir"), 1, 2);
    fs.chmodSync(join(base, "a subdir"), 0o1705);
    fs.writeFileSync(join(base, "a file"), "Some data");
    fs.chmodSync(join(base, "a file"), 0o4222);
    await driver.put(id(1));
    await driver.create(id(2), id(1));
    for (const n of [1, 2]) {
      const dir = await driver.get(id(n));
      expect(treeLines(dir).slice(1)).toEqual([
        expect.stringMatching(/^a file 0o104222 0 0 9 /),
        expect.stringMatching(/^a subdir 0o41705 1 2 /),
      ]);
      await driver.put(id(n));
    }
    await driver.remove(id(2));
    await driver.remove(id(1));
    expect(await driver.ids()).toEqual([]);
  });

  test.runIf(isRoot)(
    "one of everything goes through a layer, a container, diff() and applyDiff() unchanged",
    async () => {
      const source = join(root, "source");
      fs.mkdirSync(source);
      const archive = oddArchive(source);
      await driver.create(id(1));
      await driver.applyDiff(id(1), undefined, streamOf(archive));
      const lines = treeLines(source).slice(1); // the root is the layer's own
      const base = await driver.get(id(1));
      expect(treeLines(base).slice(1)).toEqual(lines);
      for (const name of ["d/file", "d/link", "d", "bin/busybox"]) {
        const [was, is] = [source, base].map((dir) => fs.lstatSync(join(dir, name), { bigint: true }).mtimeNs);
        expect([name, is]).toEqual([name, was]);
      }
      await driver.put(id(1));

      await driver.create(id(2), id(1));
      const dir = await driver.get(id(2));
      expect(treeLines(dir).slice(1)).toEqual(lines);
      fs.mkdirSync(join(dir, "again"));
      execFileSync("tar", ["-x", "-p", "--same-owner", "--xattrs", "--xattrs-include=*", "-C", join(dir, "again")], {
        input: archive,
      });
      const script = `
      chmod 6711 bin/busybox; chown 1:2 etc/passwd; rm d/gone d/fifo d/hard; mkdir d/gone; ln -s ../etc d/fifo
      rm -r opaque; mkdir -m 1750 opaque; touch opaque/new; mv d/sub moved; chown -h 9:9 "d/dangling link"; rm d/null
      mknod d/null c 1 5; truncate -s 5M d/sparse; ln d/sparse second; touch -d '2001-02-03 04:05:06' etc`;
      execFileSync("sh", ["-ec", script], { cwd: dir });
      const after = treeLines(dir);
      const diff = await readAll(driver.diff(id(2), id(1)));
      await driver.put(id(2));
      await driver.create(id(3), id(1));
      await driver.applyDiff(id(3), id(1), streamOf(diff));
      const repeated = await driver.get(id(3));
      expect(treeLines(repeated)).toEqual(after);
      await driver.put(id(3));
      expect(await driver.changes(id(3), id(1))).toEqual(await driver.changes(id(2), id(1)));
    },
  );

  test.runIf(isRoot)(
    "a tree at the edges of what a file system holds is seen, changed, told and repeated",
    async () => {
      const see = async (n: number, times: Times, work: (dir: string) => void = () => {}): Promise<string[]> => {
        const dir = join(await driver.get(id(n)), "tree");
        work(dir);
        const lines = exactLines(dir, times);
        await driver.put(id(n));
        // fuse-overlayfs forgets in the next mount that several names of a layer below are one file.
        if (name === "aufs")
          return lines
            .filter((line) => !line.startsWith("hard/"))
            .map((line) => line.replace(/ = .* (?=-?\d+(?: \(|$))/, " "));
        // A new name of an old file is a new file to those who compare trees: the old one has not changed.
        return lines.map((line) => line.replace(/^(hard\/one more .*) = \S+/, "$1"));
      };
      await driver.create(id(1));
      const made = await see(1, "nanoseconds", makeExtremeTree);
      await driver.create(id(2), id(1));
      expect(await see(2, "nanoseconds")).toEqual(made);
      // Where a name is too long for a whiteout beside it, fuse-overlayfs dies.
      const change = (dir: string) => changeExtremeTree(dir, name === "aufs" ? 251 : 255);
      const changed = await see(2, "nanoseconds", change);
      expect(await see(2, "nanoseconds")).toEqual(changed);
      for (const [n, source, parent] of [
        [3, 1, undefined],
        [4, 2, 1],
      ] as const) {
        const [below, onto] = parent === undefined ? [] : [id(parent), id(3)];
        await driver.create(id(n), onto);
        await driver.applyDiff(id(n), onto, driver.diff(id(source), below));
        // What an archive of ours keeps: whole seconds.
        expect(await see(n, "seconds")).toEqual(await see(source, "seconds"));
      }
      expect(await driver.changes(id(4), id(3))).toEqual(await driver.changes(id(2), id(1)));
    },
  );

  test("get() counts its users; what one writes, the other sees", async () => {
    await make(1, undefined, { name: "a", content: "one" });
    await driver.create(id(2), id(1));
    const first = await driver.get(id(2));
    const second = await driver.get(id(2));
    expect(second).toBe(first);
    fs.writeFileSync(join(first, "new"), "n");
    await driver.put(id(2));
    expect(tree(second)).toEqual({ a: "one", new: "n" });
    await driver.put(id(2));
    expect(await look(2)).toEqual({ a: "one", new: "n" });
    expect(await look(1)).toEqual({ a: "one" });
  });

  test("changes() and diff() tell what a container did, and applyDiff() repeats it", async () => {
    await make(
      1,
      undefined,
      { name: "keep", content: "k" },
      { name: "change", content: "old" },
      { name: "gone", content: "g" },
      { name: "d/" },
      { name: "d/x", content: "x" },
    );
    await driver.create(id(2), id(1));
    const dir = await driver.get(id(2));
    fs.writeFileSync(join(dir, "change"), "new");
    fs.rmSync(join(dir, "gone"));
    fs.rmSync(join(dir, "d"), { recursive: true });
    fs.mkdirSync(join(dir, "e"));
    fs.writeFileSync(join(dir, "e/y"), "y");
    const after = tree(dir);
    await driver.put(id(2));
    expect(await driver.changes(id(2), id(1))).toEqual([
      { path: "/change", kind: 0 },
      { path: "/d", kind: 2 },
      { path: "/e", kind: 1 },
      { path: "/e/y", kind: 1 },
      { path: "/gone", kind: 2 },
    ]);
    expect(await driver.diffSize(id(2), id(1))).toBe(4);
    const archive = await readAll(driver.diff(id(2), id(1)));
    await driver.create(id(3), id(1));
    await driver.applyDiff(id(3), id(1), streamOf(archive));
    expect(await look(3)).toEqual(after);
    expect(after).toEqual({ change: "new", "e/": "", "e/y": "y", keep: "k" });
  });

  test("digests and sizes of a layer are told", async () => {
    const result = await make(1, undefined, { name: "a", content: "12345" });
    expect(result.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(result.diffId).toBe(result.digest); // nothing was compressed
    expect(result).toMatchObject({ size: 5, entries: 1 });
  });

  test("120 layers lie over each other", async () => {
    for (let n = 1; n <= 120; n++) {
      await driver.create(id(n), n === 1 ? undefined : id(n - 1));
      // vfs copies everything each time: it is given something only now and then.
      if (n % 40 === 0 || n === 1)
        await driver.applyDiff(id(n), undefined, streamOf(layer({ name: `f${n}`, content: String(n) })));
    }
    expect(await look(120)).toEqual({ f1: "1", f40: "40", f80: "80", f120: "120" });
  });

  const deep = async () => {
    for (let n = 1; n <= 126; n++) {
      await driver.create(id(n), n === 1 ? undefined : id(n - 1));
      const dir = await driver.get(id(n));
      fs.writeFileSync(join(dir, `f${n}`), "");
      if (n % 10 === 0) fs.rmSync(join(dir, `f${n - 1}`));
      await driver.put(id(n));
    }
    expect(Object.keys(await look(126))).toHaveLength(126 - 12);
  };
  // vfs would copy them all each time.
  // origin: daemon/graphdriver/aufs/aufs_test.go TestMountMoreThan42Layers
  if (name !== "vfs") test("126 layers, each written to through its mount, every tenth deleting", deep, 60_000);

  test("an unknown parent and an unknown layer are named; nothing is left", async () => {
    const before = await driver.ids();
    await expect(driver.create(id(9), id(8))).rejects.toThrow(id(8));
    await expect(driver.get(id(9))).rejects.toThrow(id(9));
    expect(await driver.ids()).toEqual(before);
    expect(await driver.exists(id(9))).toBe(false);
    await driver.remove(id(9));
  });

  test("create() on a full disk says so and leaves nothing", async () => {
    await driver.create(id(1));
    const before = tree(root);
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      syscall: "write",
    });
    const noRoom = {
      ...host.fs,
      // The first file that is written, or where there is none the last directory.
      open: () => Promise.reject(full),
      mkdir: (...args: Parameters<typeof host.fs.mkdir>) =>
        name === "vfs" && String(args[0]).includes(id(2)) ? Promise.reject(full) : host.fs.mkdir(...args),
    } as typeof host.fs;
    const { subvolumes } = host.kernel;
    const kernel = {
      ...host.kernel,
      ...(subvolumes && {
        subvolumes: {
          ...subvolumes,
          snapshot: async () => {
            throw full;
          },
        },
      }),
    };
    const other = await newGraphDriver(root, { name, env: {} }, { ...host, fs: noRoom, kernel }, log);
    await expect(other.create(id(2), id(1))).rejects.toThrow("no space left on device");
    expect(tree(root)).toEqual(before);
  });

  test("remove() takes a layer away while it is in use", async () => {
    await make(1, undefined, { name: "a" });
    await driver.create(id(2), id(1));
    await driver.get(id(2));
    await driver.remove(id(2));
    expect(await driver.exists(id(2))).toBe(false);
    expect(await driver.ids()).toEqual([id(1)]);
  });

  test("a file that is open in a layer keeps nobody from giving it back, using it again and removing it", async () => {
    await make(1, undefined, { name: "a", content: "one" });
    await driver.create(id(2), id(1));
    const open = fs.openSync(join(await driver.get(id(2)), "a"), "r");
    await driver.put(id(2));
    expect(await look(2)).toEqual({ a: "one" });
    await driver.get(id(2));
    await driver.remove(id(2));
    expect(fs.readFileSync(open, "utf8")).toBe("one");
    fs.closeSync(open);
    await driver.create(id(2), id(1));
    expect(await look(2)).toEqual({ a: "one" });
  });

  test("many use it at once", async () => {
    await make(1, undefined, { name: "a", content: "one" });
    const all = Array.from({ length: 24 }, (_, n) => n + 2);
    await Promise.all(
      all.map(async (n) => {
        await make(n, 1, { name: `own${n}`, content: String(n) });
        // Several of one layer, and all of the one below.
        const dirs = await Promise.all([driver.get(id(n)), driver.get(id(n)), driver.get(id(1))]);
        fs.writeFileSync(join(dirs[0], "written"), "w");
        expect(tree(dirs[1])).toEqual({ a: "one", [`own${n}`]: String(n), written: "w" });
        await Promise.all([driver.put(id(n)), driver.put(id(1)), driver.put(id(n))]);
        expect((await driver.changes(id(n), id(1))).map(({ path }) => path)).toEqual([`/own${n}`, "/written"]);
        if (n % 2 === 0) await driver.remove(id(n));
      }),
    );
    expect((await driver.ids()).sort()).toEqual([id(1), ...all.filter((n) => n % 2 === 1).map(id)]);
    expect(await look(1)).toEqual({ a: "one" });
    const mounts = () => host.kernel.mounts().filter(({ mountpoint }) => mountpoint.startsWith(`${root}/`)).length;
    await expect.poll(mounts).toBe(["aufs", "btrfs"].includes(name) ? 1 : 0);
  });

  test("the next daemon finds whole layers only, and no mounts", async () => {
    await make(1, undefined, { name: "a", content: "one" });
    await driver.create(id(2), id(1));
    await driver.get(id(2));
    const home = join(root, name, { vfs: "dir", btrfs: "subvolumes" }[name] ?? "");
    fs.mkdirSync(join(home, `.new-${id(3)}`, "diff"), { recursive: true });
    const next = await open();
    expect((await next.ids()).sort()).toEqual([id(1), id(2)]);
    // aufs and btrfs mount their directory upon itself, to keep to themselves what is mounted below.
    const mounts = host.kernel.mounts().filter(({ mountpoint }) => mountpoint.startsWith(root));
    expect(mounts.map(({ mountpoint }) => mountpoint)).toEqual(
      ["aufs", "btrfs"].includes(name) ? [join(root, name)] : [],
    );
    expect(fs.existsSync(join(home, `.new-${id(3)}`))).toBe(false);
  });

  const secret = join(base, "secret");
  test.each([
    ["a name that climbs", [{ name: "../../../../../../secret", content: "evil" }]],
    [
      "a link and a file through it",
      [
        { name: "l", type: "2", link: base },
        { name: "l/secret", content: "evil" },
      ],
    ],
    [
      "a relative link and a file through it",
      [
        { name: "d/" },
        { name: "d/l", type: "2", link: "../../../../../../../../../../../../" },
        { name: `d/l${secret}`, content: "evil" },
      ],
    ],
    [
      "a hard link out, then written",
      [
        { name: "h", type: "1", link: `../../../../../../../../../..${secret}` },
        { name: "h", content: "evil" },
      ],
    ],
    [
      "a file instead of the root",
      [
        { name: ".", type: "2", link: base },
        { name: "secret", content: "evil" },
      ],
    ],
    ["a whiteout of the root's parent", [{ name: ".wh..." }]],
    ["a whiteout of the root", [{ name: ".wh.." }]],
    ["a whiteout of nothing", [{ name: ".wh." }]],
    [
      "a directory that becomes a link before its times are set",
      [{ name: "d/" }, { name: "d", type: "2", link: base }],
    ],
  ] as [string, LayerEntry[]][])("a hostile layer touches nothing outside: %s", async (_what, entries) => {
    fs.writeFileSync(secret, "untouched");
    const time = new Date(1234567890000);
    fs.utimesSync(base, time, time);
    await make(1, undefined, ...entries).catch(() => {});
    expect(fs.readFileSync(secret, "utf8")).toBe("untouched");
    expect(fs.statSync(base).mtimeMs).toBe(1234567890000);
    expect(fs.existsSync(join(root, "secret"))).toBe(false);
    await driver.remove(id(1));
  });

  test.each([
    ["a forged mark of the driver", { name: "d/", xattrs: { "trusted.overlay.opaque": Buffer.from("y") } }],
    ["a file that lies about its size", { name: "x", content: "x" }],
  ] as [string, LayerEntry][])("%s is left out or refused", async (what, entry) => {
    await make(1, undefined, { name: "d/" }, { name: "d/below", content: "b" });
    await driver.create(id(2), id(1));
    const archive = layer(entry);
    const broken = what.includes("size") ? archive.subarray(0, 520) : archive;
    await driver
      .applyDiff(id(2), id(1), streamOf(broken))
      .catch((cause: Error) => expect(cause.message).toMatch(/EOF|unexpected|truncated|tar/));
    expect(await look(2)).toMatchObject({ "d/below": "b" });
  });

  test("gzip, bzip2, xz and zstd are told by their first bytes", async () => {
    const plain = layer({ name: "a", content: "packed" });
    for (const [n, program] of ["gzip", "bzip2", "xz", "zstd"].entries()) {
      await driver.create(id(n + 1));
      const packed = execFileSync(program, ["-c"], { input: plain });
      const result = await driver.applyDiff(id(n + 1), undefined, streamOf(packed));
      expect(result.diffId).not.toBe(result.digest);
      expect(await look(n + 1)).toEqual({ a: "packed" });
    }
  });

  test.each(["gzip", "xz", "zstd"])("a broken %s stream is an error", async (program) => {
    const packed = execFileSync(program, ["-c"], { input: layer({ name: "a", content: "packed".repeat(1000) }) });
    await driver.create(id(1));
    await expect(
      driver.applyDiff(id(1), undefined, streamOf(packed.subarray(0, packed.length - 12))),
    ).rejects.toThrow();
  });
});

describe.runIf(typeof btrfs !== "string")("btrfs", () => {
  const start = (root: string) => newGraphDriver(root, { name: "btrfs", env: {} }, host, log);
  const onBtrfs = (name: string) => {
    const root = join(typeof btrfs === "string" ? base : btrfs.dir, name);
    fs.mkdirSync(root);
    return root;
  };
  const btrfsTool = (...args: string[]) => execFileSync("btrfs", args, { encoding: "utf8" });

  test("layers are subvolumes; those that a container made inside go with its layer, read-only ones too", async () => {
    const root = onBtrfs("nested");
    const driver = await start(root);
    await driver.create(id(1));
    await driver.create(id(2), id(1));
    const dir = await driver.get(id(2));
    expect(fs.statSync(dir)).toMatchObject({ ino: 256, uid: 0, gid: 0 });
    expect(fs.statSync(dir).mode & 0o7777).toBe(0o755);
    // Side by side more than one answer of the kernel holds, inside each other, and below a path longer than any call takes.
    for (let n = 0; n < 100; n++) btrfsTool("subvolume", "create", join(dir, `many${n}`));
    for (let n = 1; n <= 5; n++) btrfsTool("subvolume", "create", join(dir, `many7${"/in".repeat(n)}`));
    btrfsTool("subvolume", "snapshot", "-r", join(dir, "many8"), join(dir, "read-only"));
    fs.writeFileSync(join(dir, "many7/in/file"), "x");
    expect(await driver.changes(id(2), id(1))).toContainEqual({ path: "/many7/in/file", kind: 1 });
    const name = "d".repeat(200);
    const descend = `for (let n = 0; n < 30; n++) { fs.mkdirSync("${name}"); process.chdir("${name}"); }`;
    const deepest = 'child_process.execFileSync("btrfs", ["subvolume", "create", "s"])';
    execFileSync(process.execPath, ["-e", `${descend} ${deepest}`], { cwd: dir });
    await driver.remove(id(2));
    expect(await driver.ids()).toEqual([id(1)]);
    await driver.remove(id(1));
    expect(btrfsTool("subvolume", "list", root)).not.toContain("path nested/");
    await driver.cleanup();
  });

  test("a removal that a killed daemon left is finished, and ordinary directories go where they are", async () => {
    const root = onBtrfs("killed");
    const driver = await start(root);
    const layers = join(root, "btrfs/subvolumes");
    await driver.create(id(1));
    await driver.create(id(2), id(1));
    fs.renameSync(join(layers, id(2)), join(layers, `.removing-${id(2)}`));
    fs.mkdirSync(join(layers, id(3), "restored"), { recursive: true });
    const next = await start(root);
    expect(fs.readdirSync(layers).sort()).toEqual([id(1), id(3)]);
    await next.remove(id(3));
    expect(fs.readdirSync(layers)).toEqual([id(1)]);
    await next.cleanup();
    expect(host.kernel.mounts().filter(({ mountpoint }) => mountpoint.startsWith(root))).toEqual([]);
  });

  test("names that mean another directory, and one that is taken, are refused", async () => {
    const root = onBtrfs("names");
    const driver = await start(root);
    await driver.create(id(1));
    await expect(driver.create(id(1))).rejects.toThrow("Failed to create btrfs subvolume: file exists");
    await expect(driver.create(id(1), id(1))).rejects.toThrow("Failed to create btrfs snapshot: file exists");
    for (const name of ["..", ".", "", "../x", "a/b"]) {
      for (const work of [
        driver.create(name),
        driver.create(name, id(1)),
        driver.create(id(2), name),
        driver.get(name),
      ])
        await expect(work).rejects.toThrow("not the id of a layer");
      await expect(driver.remove(name)).rejects.toThrow("not the id of a layer");
      for (const call of ["create", "destroy"] as const)
        await expect(host.kernel.subvolumes?.[call](root, name)).rejects.toThrow("as the name of a subvolume");
    }
    expect(fs.readdirSync(root)).toEqual(["btrfs"]);
    await driver.cleanup();
  });

  test("what a container made inside a layer of vfs goes with it too", async () => {
    const root = onBtrfs("vfs-there");
    const driver = await newGraphDriver(root, { name: "vfs", env: {} }, host, log);
    await driver.create(id(1));
    const dir = await driver.get(id(1));
    await host.kernel.subvolumes?.create(dir, "made");
    await host.kernel.subvolumes?.create(join(dir, "made"), "inside");
    fs.writeFileSync(join(dir, "made/inside/file"), "x");
    await driver.remove(id(1));
    expect(fs.readdirSync(join(root, "vfs/dir"))).toEqual([]);
  });

  test("an ordinary directory is not taken for a subvolume", async () => {
    const root = onBtrfs("ordinary");
    await host.kernel.subvolumes?.create(root, "kept");
    fs.mkdirSync(join(root, "plain/inside"), { recursive: true });
    await expect(host.kernel.subvolumes?.destroy(root, "plain")).rejects.toMatchObject({ code: "EINVAL" });
    expect(tree(root)).toEqual({ "kept/": "", "plain/": "", "plain/inside/": "" });
    await host.kernel.subvolumes?.destroy(root, "kept");
  });
});

test.runIf(isRoot)("btrfs on another file system says what is missing", async () => {
  const root = join(base, "other");
  fs.mkdirSync(root);
  await expect(newGraphDriver(root, { name: "btrfs", env: {} }, host, log)).rejects.toThrow(
    "prerequisites for driver not satisfied (wrong filesystem?)",
  );
  expect(fs.readdirSync(root)).toEqual([]);
});

test("newGraphDriver() refuses an unknown name, and takes DOCKER_DRIVER before the flag", async () => {
  await expect(newGraphDriver(base, { name: "nope", env: {} }, host, log)).rejects.toThrow("driver not supported");
  const driver = await newGraphDriver(join(base, "env"), { name: "nope", env: { DOCKER_DRIVER: "vfs" } }, host, log);
  expect(driver.name).toBe("vfs");
});

test("newGraphDriver() chooses overlay where it mounts, else vfs", async () => {
  const driver = await newGraphDriver(join(base, "auto"), { env: {} }, host, log);
  expect(driver.name).toBe(isRoot ? "overlay" : "vfs");
  await driver.cleanup();
});

test.runIf(noAufs === undefined && isRoot)(
  "aufs keeps whiteouts as files, and its mounts each have a process while they last",
  async () => {
    const root = join(base, "marks");
    const driver = await newGraphDriver(root, { name: "aufs", env: {} }, host, log);
    await driver.create(id(1));
    await driver.applyDiff(
      id(1),
      undefined,
      streamOf(layer({ name: "gone" }, { name: "d/" }, { name: "d/old" }, { name: "d/keeps", content: "x" })),
    );
    await driver.create(id(2), id(1));
    const servers = () =>
      fs.readdirSync("/proc").filter((pid) => {
        if (!/^\d+$/.test(pid)) return false;
        try {
          return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(root);
        } catch {
          return false;
        }
      });
    const dir = await driver.get(id(2));
    expect(servers()).toHaveLength(1);
    expect(host.kernel.mounts().find(({ mountpoint }) => mountpoint === dir)?.fstype).toBe("fuse.fuse-overlayfs");
    fs.rmSync(join(dir, "gone"));
    fs.appendFileSync(join(dir, "d/keeps"), "y");
    fs.rmSync(join(dir, "d/old"));
    // What is written is in the layer at once: commit reads it there while the container is only paused.
    const diff = join(root, "aufs/diff", id(2));
    expect(tree(diff)).toEqual({ ".wh.gone": "", "d/": "", "d/.wh.old": "", "d/keeps": "xy" });
    fs.rmSync(join(dir, "d"), { recursive: true });
    fs.mkdirSync(join(dir, "d"));
    expect(tree(diff)).toEqual({ ".wh.gone": "", "d/": "", "d/.wh..wh..opq": "" });
    expect(await driver.changes(id(2), id(1))).toEqual([
      { path: "/d", kind: 0 },
      { path: "/d/keeps", kind: 2 },
      { path: "/d/old", kind: 2 },
      { path: "/gone", kind: 2 },
    ]);
    // A process that dies takes its mount along; the next user gets a new one.
    for (const pid of servers()) process.kill(Number(pid), "SIGKILL");
    await expect.poll(servers).toEqual([]);
    await driver.put(id(2));
    expect(tree(await driver.get(id(2)))).toEqual({ "d/": "" });
    await driver.put(id(2));
    await expect.poll(servers).toEqual([]);
    expect(fs.readdirSync(join(root, "aufs/work"))).toEqual([]);
    await driver.cleanup();
  },
);
