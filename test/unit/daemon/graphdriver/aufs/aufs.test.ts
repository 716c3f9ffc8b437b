import { expect, test } from "vitest";
import { AufsDriver } from "../../../../../src/daemon/graphdriver/aufs/aufs.ts";
import { type DriverHost, newGraphDriver } from "../../../../../src/daemon/graphdriver/graphdriver.ts";
import { type MemoryHost, type MemoryHostOptions, memoryHost } from "../../../../../src/host/memory/memory.ts";
import { Logger } from "../../../../../src/pkg/log/log.ts";
import { readAll } from "../../../../../src/sync/io.ts";

const ROOT = "/var/lib/docker/aufs";
const KERNEL = { "/proc/filesystems": "nodev\tproc\n\text4\nnodev\taufs\n" };

/** A machine whose kernel has aufs; `type` is the file system below the root. */
function machine(options: MemoryHostOptions = {}, type = 61267): MemoryHost {
  const host = memoryHost({ files: KERNEL, exec: { auplink: {} }, ...options });
  host.fs.statfs = (async () => ({ type })) as unknown as typeof host.fs.statfs;
  return host;
}

async function start(host: MemoryHost = machine()) {
  const driver = await AufsDriver.init(ROOT, [], host, new Logger(host), true);
  return { driver, host };
}

/** What is mounted where, but for the driver's own directory. */
const mounted = (host: MemoryHost) =>
  host.kernel
    .mounts()
    .filter(({ fstype }) => fstype.includes("aufs") || fstype.includes("fuse"))
    .map(({ mountpoint }) => mountpoint);

const names = (host: MemoryHost, dir: string) => host.fs.readdir(`${ROOT}/${dir}`);
const hex = (n: number) => n.toString(16).padStart(64, "0");

// origin: daemon/graphdriver/aufs/aufs_test.go TestNewDriver, TestAufsString, TestCreateDirStructure
test("AufsDriver.init() makes three directories and keeps its mounts to itself", async () => {
  const { driver, host } = await start();
  expect(driver.name).toBe("aufs");
  expect((await host.fs.readdir(ROOT)).sort()).toEqual(["diff", "layers", "mnt"]);
  expect(host.exec.calls.map(({ command, args }) => [command, ...args])).toEqual([["modprobe", "aufs"]]);
  expect(host.kernel.mounts().at(-1)).toMatchObject({ source: ROOT, mountpoint: ROOT, root: ROOT });
});

// origin: daemon/graphdriver/aufs/aufs_test.go TestNewDriverFromExistingDir
test("AufsDriver.init() goes on with the directory of the daemon before, and unmounts what that left", async () => {
  const { driver, host } = await start();
  await driver.create("1");
  await driver.create("2", "1");
  await driver.get("2");
  const { driver: next } = await start(host);
  expect(await next.ids()).toEqual(["1", "2"]);
  expect(host.kernel.mounts().map(({ mountpoint }) => mountpoint)).toEqual(["/", ROOT]);
});

test("AufsDriver.init() removes what was half made, and nothing it does not know", async () => {
  const { driver, host } = await start();
  await driver.create(hex(1));
  for (const dir of [
    `.new-${hex(2)}`,
    `diff/${hex(3)}/x`,
    `mnt/${hex(3)}`,
    `diff/${hex(4)}-removing`,
    `work/${hex(5)}`,
  ])
    await host.fs.mkdir(`${ROOT}/${dir}`, { recursive: true });
  await host.fs.mkdir(`${ROOT}/diff/lost+found`);
  await start(host);
  expect((await host.fs.readdir(ROOT)).sort()).toEqual(["diff", "layers", "mnt"]);
  expect((await names(host, "diff")).sort()).toEqual([hex(1), "lost+found"]);
  expect(await names(host, "mnt")).toEqual([hex(1)]);
});

test.each([
  ["a kernel and a machine without any union mount", machine({ files: {} }), "driver not supported"],
  ["btrfs", machine({}, 0x9123683e), "backing file system is unsupported for this graph driver"],
  ["aufs upon aufs", machine({}, 0x61756673), "backing file system is unsupported for this graph driver"],
  ["whoever is not root", machine({ machine: { uid: 1000 } }), "driver not supported"],
])("AufsDriver.init() refuses %s", async (_what, host, message) => {
  await expect(start(host)).rejects.toMatchObject({ name: "DriverUnavailableError", message });
  expect(host.kernel.mounts()).toHaveLength(1);
});

test("AufsDriver.init() names the cure when nothing can mount", async () => {
  const host = machine({ files: {} });
  await expect(start(host)).rejects.toThrow("driver not supported");
  expect(host.stderr.text).toMatch(/aufs is not in \/proc\/filesystems.*apt-get install fuse-overlayfs/);
});

test("AufsDriver.init() refuses a root whose name would end a branch, and options: there are none", async () => {
  const host = machine();
  const log = new Logger(host);
  await expect(AufsDriver.init("/a:b/aufs", [], host, log, true)).rejects.toThrow("/a:b/aufs has one of");
  await expect(AufsDriver.init(ROOT, ["x=y"], host, log, true)).rejects.toThrow("aufs: Unknown option x");
});

test("newGraphDriver() takes aufs unasked only when the kernel has it", async () => {
  const choose = async (host: MemoryHost, name = "") => {
    // A kernel without overlay.
    const mount = host.kernel.mount.bind(host.kernel);
    host.kernel.mount = (...args) => {
      if (args[2] === "overlay") throw Object.assign(new Error("ENODEV"), { code: "ENODEV" });
      mount(...args);
    };
    return (await newGraphDriver("/var/lib/docker", { name, env: {} }, host as DriverHost, new Logger(host))).name;
  };
  const fuse = { files: { "/dev/fuse": "" }, exec: { "fuse-overlayfs": {} } };
  expect(await choose(machine())).toBe("aufs");
  expect(await choose(machine(fuse))).toBe("vfs");
  expect(await choose(machine(fuse), "aufs")).toBe("aufs");
});

// origin: daemon/graphdriver/aufs/aufs_test.go TestCreateNewDir, TestCreateNewDirStructure
test("AufsDriver.create() makes one entry in each directory", async () => {
  const { driver, host } = await start();
  await driver.create("1");
  for (const dir of ["mnt", "diff", "layers"]) expect(await names(host, dir)).toEqual(["1"]);
  expect(await host.fs.readFile(`${ROOT}/layers/1`, "utf8")).toBe("");
  expect((await host.fs.stat(`${ROOT}/layers/1`)).mode & 0o777).toBe(0o644);
  for (const dir of ["mnt/1", "diff/1", "layers"])
    expect((await host.fs.stat(`${ROOT}/${dir}`)).mode & 0o777).toBe(0o755);
});

test("AufsDriver.create() writes the layers below, nearest first, one per line", async () => {
  const { driver, host } = await start();
  await driver.create("1");
  await driver.create("2", "1");
  await driver.create("3", "2");
  expect(await host.fs.readFile(`${ROOT}/layers/2`, "utf8")).toBe("1\n");
  expect(await host.fs.readFile(`${ROOT}/layers/3`, "utf8")).toBe("2\n1\n");
});

// origin: daemon/graphdriver/aufs/aufs_test.go TestCreateWithInvalidParent
test("AufsDriver.create() leaves nothing behind when the parent is unknown, or the disk is full", async () => {
  const { driver, host } = await start();
  const before = host.volume.toJSON();
  await expect(driver.create("1", "docker")).rejects.toThrow(`open ${ROOT}/layers/docker: no such file or directory`);
  expect(host.volume.toJSON()).toEqual(before);
  host.fs.rename = async () => Promise.reject(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }));
  await expect(driver.create("1")).rejects.toThrow("ENOSPC");
  expect((await host.fs.readdir(ROOT)).sort()).toEqual(["diff", "layers", "mnt"]);
});

// origin: daemon/graphdriver/aufs/aufs_test.go TestRemoveImage
test("AufsDriver.remove() takes all three away; once more is no error", async () => {
  const { driver, host } = await start();
  await driver.create("1");
  await host.fs.writeFile(`${ROOT}/diff/1/f`, "x");
  await driver.remove("1");
  await driver.remove("1");
  for (const dir of ["mnt", "diff", "layers"]) expect(await names(host, dir)).toEqual([]);
});

// origin: daemon/graphdriver/aufs/aufs_test.go TestRemoveMountedDir
test("AufsDriver.remove() unmounts a layer in use, and warns", async () => {
  const { driver, host } = await start();
  await driver.create("1");
  await driver.create("2", "1");
  await driver.get("2");
  expect(mounted(host)).toEqual([`${ROOT}/mnt/2`]);
  await driver.remove("2");
  expect(mounted(host)).toEqual([]);
  expect(host.stderr.text).toContain("Warning: removing active id 2");
});

// origin: daemon/graphdriver/aufs/aufs_test.go TestGetWithoutParent, TestMountedFalseResponse
test("AufsDriver.get() gives a base layer's own directory and mounts nothing", async () => {
  const { driver, host } = await start();
  await driver.create("1");
  expect(await driver.get("1")).toBe(`${ROOT}/diff/1`);
  expect(mounted(host)).toEqual([]);
  await driver.put("1");
  expect(host.stderr.text).toBe("");
});

// origin: daemon/graphdriver/aufs/aufs_test.go TestMountedTrueReponse, TestMountWithParent
test("AufsDriver.get() mounts once, and the last put() unmounts", async () => {
  const { driver, host } = await start();
  await driver.create("1");
  await driver.create("2", "1");
  expect(await Promise.all([driver.get("2"), driver.get("2")])).toEqual([`${ROOT}/mnt/2`, `${ROOT}/mnt/2`]);
  expect(mounted(host)).toEqual([`${ROOT}/mnt/2`]);
  await driver.put("2");
  expect(mounted(host)).toEqual([`${ROOT}/mnt/2`]);
  await driver.put("2");
  expect(mounted(host)).toEqual([]);
  await driver.put("2"); // one too many
});

test("AufsDriver.get() counts no user when it cannot mount", async () => {
  const { driver, host } = await start();
  await driver.create("1");
  await driver.create("2", "1");
  const mount = host.kernel.mount.bind(host.kernel);
  host.kernel.mount = () => {
    throw new Error("EINVAL");
  };
  await expect(driver.get("2")).rejects.toThrow("EINVAL");
  host.kernel.mount = mount;
  await driver.get("2");
  await driver.put("2");
  expect(mounted(host)).toEqual([]);
});

// origin: daemon/graphdriver/aufs/aufs_test.go TestCleanupWithNoDirs, TestCleanupWithDir
test("AufsDriver.cleanup() unmounts everything, its own directory last", async () => {
  const { driver, host } = await start();
  await driver.cleanup();
  const { driver: next } = await start(host);
  await next.create("1");
  await next.create("2", "1");
  await next.get("2");
  await next.cleanup();
  expect(host.kernel.mounts()).toHaveLength(1);
});

// origin: daemon/graphdriver/aufs/aufs_test.go TestChanges
test("AufsDriver.changes() compares a layer with those below it, and a base layer with none", async () => {
  const { driver, host } = await start();
  await driver.create("1");
  await driver.create("2", "1");
  await driver.create("3", "2");
  await host.fs.writeFile(`${ROOT}/diff/2/test.txt`, "testline");
  await host.fs.writeFile(`${ROOT}/diff/3/test2.txt`, "testline");
  await host.fs.writeFile(`${ROOT}/diff/3/.wh.test.txt`, "");
  expect(await driver.changes("2")).toEqual([{ path: "/test.txt", kind: 1 }]);
  expect(await driver.changes("3")).toEqual([
    { path: "/test.txt", kind: 2 },
    { path: "/test2.txt", kind: 1 },
  ]);
  await expect(driver.changes("1")).rejects.toThrow("Dir 1 does not have any parent layers");
});

// origin: daemon/graphdriver/aufs/aufs_test.go TestDiffSize, TestChildDiffSize, TestGetDiff
test("AufsDriver.diffSize() and diff() tell of the layer alone", async () => {
  const { driver, host } = await start();
  await driver.create("1");
  await driver.create("2", "1");
  await host.fs.writeFile(`${ROOT}/diff/1/test_file`, Buffer.alloc(1024));
  await host.fs.writeFile(`${ROOT}/diff/2/.wh.test_file`, "");
  expect([await driver.diffSize("1"), await driver.diffSize("2")]).toEqual([1024, 0]);
  const archive = await readAll(driver.diff("2"));
  expect(archive.subarray(0, 2).toString()).toBe("./");
  expect(archive.subarray(512, 512 + 13).toString()).toBe(".wh.test_file");
});

// origin: daemon/graphdriver/aufs/aufs_test.go TestExists, TestStatus
test("AufsDriver.exists() and status() go by the files in layers", async () => {
  const { driver } = await start();
  await driver.create("1");
  expect([await driver.exists("none"), await driver.exists("1")]).toEqual([false, true]);
  expect(await driver.status()).toEqual([
    ["Root Dir", ROOT],
    ["Dirs", "1"],
  ]);
});

// origin: daemon/graphdriver/aufs/aufs_test.go TestApplyDiff
test("AufsDriver.applyDiff() unpacks into the layer's directory and keeps whiteouts", async () => {
  const jobs: unknown[] = [];
  const result = { digest: "", diffId: "", size: 0, received: 0, entries: 0 };
  const host = machine({
    pool: {
      unpack: async (job) => {
        jobs.push(job);
        return result;
      },
    },
  });
  const { driver } = await start(host);
  expect(await driver.applyDiff("3", "2", (async function* () {})())).toBe(result);
  expect(jobs).toEqual([{ root: `${ROOT}/diff/3`, whiteouts: "aufs", chown: true, compression: "auto", sync: true }]);
});
