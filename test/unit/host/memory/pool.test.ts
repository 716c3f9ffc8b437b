import { createHash } from "node:crypto";
import nodeFs from "node:fs";
import { gzipSync } from "node:zlib";
import { createFsFromVolume } from "memfs";
import { expect, test } from "vitest";
import { encodeHeader, paddingOf, TRAILER, type WriteHeader } from "../../../../src/archive/tar/writer.ts";
import { unpackLayer } from "../../../../src/archive/unpack-layer.ts";
import { VfsDriver } from "../../../../src/daemon/graphdriver/vfs/driver.ts";
import { linuxExec } from "../../../../src/host/linux/exec.ts";
import { sha256, syncFs } from "../../../../src/host/linux/worker-port.ts";
import { memoryHost } from "../../../../src/host/memory/memory.ts";
import type { UnpackJob, UnpackResult } from "../../../../src/host/pool.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

/** An entry in short; `data` makes it a file. */
type Entry = Partial<WriteHeader> & { name: string; data?: string };

function archive(entries: Entry[]): Buffer {
  const parts = entries.flatMap(({ data = "", ...header }) => {
    const bytes = Buffer.from(data);
    const whole = { type: "0", mode: 0o644, uid: 0, gid: 0, mtime: 1400000000, size: bytes.length, ...header } as const;
    return [encodeHeader(whole, 1), bytes, Buffer.alloc(paddingOf(bytes.length))];
  });
  return Buffer.concat([...parts, TRAILER]);
}

async function* pieces(bytes: Buffer, size = 700): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What a tree looks like, without what depends on the machine. */
function look(fs: typeof nodeFs, root: string, path = ""): unknown[] {
  return fs.readdirSync(root + path).flatMap((name) => {
    const at = `${path}/${name}`;
    const info = fs.lstatSync(root + at);
    const link = info.isSymbolicLink();
    const mode = link ? "link" : info.mode.toString(8);
    const content = info.isFile() ? fs.readFileSync(root + at, "utf8") : link ? fs.readlinkSync(root + at) : "";
    const seconds = Math.floor(info.mtimeMs / 1000);
    // What no archive has set is the moment of unpacking, and may be a second later in one of the two.
    const time = seconds > 1_500_000_000 ? "now" : seconds;
    const row = [at, mode, content, info.isDirectory() ? 0 : info.nlink, time];
    return [row, ...(info.isDirectory() ? look(fs, root, at) : [])];
  });
}

/** The same job on the disk of this machine, by the calls that a thread makes. */
async function onDisk(job: Omit<UnpackJob, "root">, layers: readonly Buffer[]) {
  const root = temporaryDirectory("drydock-memory-");
  const results: UnpackResult[] = [];
  for (const layer of layers) {
    const input = pieces(layer);
    const next = async () => ((step) => (step.done === true ? undefined : step.value))(await input.next());
    const enter = () => ({ root, leave: () => undefined });
    results.push(await unpackLayer({ ...job, root }, { fs: syncFs, exec: linuxExec({}), sha256, next, enter }));
  }
  return { results, tree: look(nodeFs, root) };
}

async function inMemory(job: Omit<UnpackJob, "root">, layers: readonly Buffer[]) {
  const host = memoryHost({ files: { "/layers/x": null } });
  const results: UnpackResult[] = [];
  for (const layer of layers) results.push(await host.pool.unpack({ ...job, root: "/layers/x" }, pieces(layer)));
  return { results, tree: look(createFsFromVolume(host.volume) as unknown as typeof nodeFs, "/layers/x") };
}

const LAYERS = [
  archive([
    { name: "bin/", type: "5", mode: 0o755, mtime: 1300000000 },
    { name: "bin/sh", mode: 0o4755, data: "#!".repeat(2000) },
    { name: "bin/ash", type: "2", linkname: "sh" },
    { name: "bin/bash", type: "1", linkname: "bin/sh" },
    { name: "etc/", type: "5", mode: 0o700 },
    { name: "etc/na\u00c3\u00afve", data: "é" },
    { name: "etc/old", data: "old" },
    { name: "srv/dir/", type: "5", mode: 0o755 },
    { name: "srv/dir/file", data: "1" },
    { name: "tmp", type: "2", linkname: "/etc" },
  ]),
  archive([
    { name: "etc/.wh.old" },
    { name: "bin/ash", data: "a file in the place of a link" },
    { name: "srv/dir/", type: "5", mode: 0o711 },
    { name: "srv/dir/.wh..wh..opq" },
    { name: "srv/dir/other", data: "2" },
    { name: "tmp/through-a-link", data: "3" },
  ]),
];

test.each(["apply", "aufs", "keep"] as const)(
  "MemoryPool unpacks as a thread does on a disk (%s)",
  async (whiteouts) => {
    const job = { whiteouts, chown: false, compression: "auto", sync: true } as const;
    const layers = [LAYERS[0]!, gzipSync(LAYERS[1]!)];
    const [disk, memory] = await Promise.all([onDisk(job, layers), inMemory(job, layers)]);
    expect(memory).toEqual(disk);
    const hex = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    expect(memory.results[1]).toMatchObject({
      digest: hex(layers[1]!),
      diffId: hex(LAYERS[1]!),
      received: layers[1]!.length,
      entries: 6,
    });
  },
);

test("MemoryPool keeps owners and makes devices, as root does", async () => {
  const host = memoryHost({ files: { "/x": null } });
  const layer = archive([
    { name: "null", type: "3", mode: 0o666, devMajor: 1, devMinor: 3 },
    { name: "pipe", type: "6", mode: 0o600 },
    { name: "home", data: "mine", uid: 1000, gid: 50 },
  ]);
  await host.pool.unpack({ root: "/x", whiteouts: "apply", chown: true, compression: "auto" }, pieces(layer));
  const [device, pipe, home] = await Promise.all(["null", "pipe", "home"].map((name) => host.fs.lstat(`/x/${name}`)));
  expect([device?.isCharacterDevice(), device?.rdev, pipe?.isFIFO()]).toEqual([true, 0x103, true]);
  expect([home?.uid, home?.gid, home?.mtimeMs]).toEqual([1000, 50, 1400000000000]);
});

test.each([
  ["a name that climbs out", archive([{ name: "../victim", data: "bad" }]), "lies outside the archive"],
  ["a broken header", Buffer.alloc(512, 1), "archive/tar: "],
  ["a cut file", LAYERS[0]!.subarray(0, 1500), "unexpected EOF"],
  ["a cut stream", gzipSync(LAYERS[0]!).subarray(0, 100), "unexpected EOF"],
  ["nothing", Buffer.alloc(3), "EOF"],
])("MemoryPool refuses %s", async (_name, layer, text) => {
  const host = memoryHost({ files: { "/layers/x": null, "/victim": "untouched" } });
  const job = { root: "/layers/x", whiteouts: "apply", chown: true, compression: "auto" } as const;
  await expect(host.pool.unpack(job, pieces(layer))).rejects.toThrow(text);
  expect(host.volume.toJSON()["/victim"]).toBe("untouched");
});

test("MemoryPool stays inside where links lead out", async () => {
  const host = memoryHost({ files: { "/layers/x": null, "/victim": "untouched" } });
  const layer = archive([
    { name: "l", type: "2", linkname: "/" },
    { name: "m", type: "2", linkname: "../.." },
    { name: "l/victim", data: "inside" },
    { name: "m/other", data: "inside" },
  ]);
  await host.pool.unpack({ root: "/layers/x", whiteouts: "apply", chown: true, compression: "auto" }, pieces(layer));
  const files = host.volume.toJSON();
  expect([files["/victim"], files["/layers/x/victim"], files["/layers/x/other"]]).toEqual([
    "untouched",
    "inside",
    "inside",
  ]);
});

test("MemoryPool ends a job whose caller goes away, and leaves its source", async () => {
  const host = memoryHost({ files: { "/x": null } });
  const stop = new AbortController();
  let left = false;
  async function* source(): AsyncGenerator<Buffer> {
    try {
      yield LAYERS[0]!.subarray(0, 1024);
      stop.abort(new Error("enough"));
      yield LAYERS[0]!.subarray(1024);
    } finally {
      left = true;
    }
  }
  const job = { root: "/x", whiteouts: "apply", chown: true, compression: "auto" } as const;
  await expect(host.pool.unpack(job, source(), stop.signal)).rejects.toThrow("enough");
  await host.clock.advance(0);
  expect(left).toBe(true);
  await expect(host.pool.unpack(job, source(), stop.signal)).rejects.toThrow("enough");
});

test("files of a memory host belong to its root, whoever runs the test", async () => {
  const host = memoryHost({ files: { "/d/file": "x" } });
  await host.fs.chown("/d", 1000, 1000);
  await host.fs.chmod("/d", 0o500);
  await host.fs.writeFile("/d/other", "y", { mode: 0o000 });
  await host.fs.symlink("/d/file", "/d/link");
  expect([await host.fs.readFile("/d/other", "utf8"), (await host.fs.lstat("/d/other")).uid]).toEqual(["y", 0]);
  expect((await host.fs.lstat("/d/link")).size).toBe("/d/file".length);
  await host.fs.rm("/d/link");
  expect(await host.fs.readdir("/d")).toEqual(["file", "other"]);
});

test("the vfs driver works on a memory host: each layer is a copy of the one below, and more", async () => {
  const host = memoryHost({ files: { "/docker": null } });
  const driver = await VfsDriver.init("/docker/vfs", [], host);
  const [base, top] = ["a".repeat(64), "b".repeat(64)] as const;
  await driver.create(base);
  await driver.applyDiff(base, undefined, pieces(LAYERS[0]!));
  await driver.create(top, base);
  await driver.applyDiff(top, base, pieces(LAYERS[1]!));
  const fs = createFsFromVolume(host.volume) as unknown as typeof nodeFs;
  const paths = look(fs, `/docker/vfs/dir/${top}`).map((row) => (row as [string])[0]);
  expect(paths).toEqual([
    "/bin",
    "/bin/ash",
    "/bin/bash",
    "/bin/sh",
    "/etc",
    "/etc/naïve",
    "/etc/through-a-link",
    "/srv",
    "/srv/dir",
    "/srv/dir/other",
    "/tmp",
  ]);
  expect((await driver.changes(top, base)).map(({ kind, path }) => `${kind} ${path}`)).toContain("2 /etc/old");
  await expect(driver.create("c".repeat(64), "d".repeat(64))).rejects.toThrow();
  await driver.remove(top);
  expect(await driver.ids()).toEqual([base]);
});
