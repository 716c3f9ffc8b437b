import { expect, test } from "vitest";
import { FuseOverlayfs, missingFuse } from "../../../../../src/daemon/graphdriver/aufs/fuse-overlayfs.ts";
import { type Branches, KernelAufs } from "../../../../../src/daemon/graphdriver/aufs/mount.ts";
import type { Kernel } from "../../../../../src/host/kernel.ts";
import { type MemoryHost, memoryHost } from "../../../../../src/host/memory/memory.ts";
import { Logger } from "../../../../../src/pkg/log/log.ts";

const TARGET = "/d/mnt/c";
const branches: Branches = { ro: ["/d/diff/b", "/d/diff/a"], rw: "/d/diff/c", target: TARGET, label: "" };
const PAGE = 4096;

/** The kernel's part, with what mount(2) was told; its options have to fit in a page, as in a real one. */
function kernelAufs(exec: Parameters<typeof memoryHost>[0] = { exec: { auplink: {} } }, { ro, rw } = branches) {
  const files = Object.fromEntries([TARGET, rw, ...ro].map((path) => [path, null]));
  const host = memoryHost({ ...exec, files });
  const said: string[] = [];
  const mount = host.kernel.mount.bind(host.kernel);
  host.kernel.mount = (source, target, fstype, flags, data = "") => {
    said.push([source, target, fstype, flags.join(), data].join(" "));
    if (data.length >= PAGE) throw Object.assign(new Error("EINVAL: mount"), { code: "EINVAL" });
    mount(source, target, fstype, flags, data);
  };
  return { host, said, union: new KernelAufs(host, new Logger(host)) };
}

const isMounted = (host: MemoryHost) => host.kernel.mounts().some(({ mountpoint }) => mountpoint === TARGET);

/** From now on everything mounted is in use. */
function makeBusy({ kernel }: { kernel: Kernel }): void {
  const unmount = kernel.unmount.bind(kernel);
  kernel.unmount = (target, options) => {
    if (options?.detach !== true) throw Object.assign(new Error("EBUSY"), { code: "EBUSY" });
    unmount(target, options);
  };
}

test("KernelAufs.mount() names the writable branch first, then the others, nearest first", async () => {
  const { said, union } = kernelAufs();
  await union.mount(branches);
  expect(said).toEqual([
    `none ${TARGET} aufs  br:/d/diff/c=rw:/d/diff/b=ro+wh:/d/diff/a=ro+wh:,xino=/dev/shm/aufs.xino`,
  ]);
});

test("KernelAufs.mount() adds a label for SELinux to each call", async () => {
  const { said, union } = kernelAufs();
  await union.mount({ ...branches, label: "system_u:s0:c1,c2" });
  expect(said[0]).toMatch(/,xino=\/dev\/shm\/aufs\.xino,context="system_u:s0:c1,c2"$/);
});

test("KernelAufs.mount() appends the branches one by one when they do not fit in a page", async () => {
  const ro = Array.from({ length: 126 }, (_, i) => `/var/lib/docker/aufs/diff/${String(i).padStart(64, "0")}`);
  const { host, said, union } = kernelAufs(undefined, { ...branches, ro });
  await union.mount({ ...branches, ro });
  expect(said[0]).toBe(`none ${TARGET} aufs  br:/d/diff/c,xino=/dev/shm/aufs.xino`);
  expect(said.slice(1)).toEqual(ro.map((layer) => `none ${TARGET} aufs remount append:${layer}=ro+wh`));
  expect(isMounted(host)).toBe(true);
});

// A page that ends just behind a branch: the kernel would mount what is before, and say nothing.
test("KernelAufs.mount() does not let the kernel cut its options", async () => {
  const ro = Array.from({ length: 60 }, (_, i) => `/d/diff/${String(i).padStart(76, "0")}`);
  const rw = `/d/diff/${"c".padStart(76, "0")}`;
  const whole = `br:${rw}=rw:${ro.map((path) => `${path}=ro+wh:`).join("")}`;
  expect(whole.slice(0, PAGE - 1)).toMatch(/0043=ro\+wh:$/);
  const { host, said, union } = kernelAufs(undefined, { ...branches, ro, rw });
  await union.mount({ ...branches, ro, rw });
  expect(said).toHaveLength(61);
  await host.fs.writeFile(`${ro[59]}/lowest`, "seen");
  expect(await host.fs.readFile(`${TARGET}/lowest`, "utf8")).toBe("seen");
});

test("KernelAufs.mount() leaves no mount of half the branches", async () => {
  const ro = Array.from({ length: 100 }, (_, i) => `/d/diff/${String(i).padStart(64, "0")}`);
  const { host, union } = kernelAufs(undefined, { ...branches, ro });
  const mount = host.kernel.mount;
  let appended = 0;
  host.kernel.mount = (...args) => {
    if (args[3].includes("remount") && ++appended === 50) throw new Error("no more branches");
    mount(...args);
  };
  await expect(union.mount({ ...branches, ro })).rejects.toThrow("no more branches");
  expect(isMounted(host)).toBe(false);
});

test("KernelAufs.unmount() runs auplink first, and goes on without it", async () => {
  const { host, union } = kernelAufs();
  await union.unmount(TARGET);
  expect(host.exec.calls).toEqual([]);
  await union.mount(branches);
  await union.unmount(TARGET);
  expect(host.exec.calls[0]).toMatchObject({ command: "auplink", args: [TARGET, "flush"] });
  expect(isMounted(host)).toBe(false);

  const without = kernelAufs({});
  await without.union.mount(branches);
  await without.union.unmount(TARGET);
  expect(without.host.stderr.text).toContain("[warning]: couldn't run auplink before unmount: ");
  expect(isMounted(without.host)).toBe(false);
});

test("KernelAufs.unmount() takes a busy mount out of sight", async () => {
  const { host, union } = kernelAufs();
  await union.mount(branches);
  makeBusy(host);
  await union.unmount(TARGET);
  expect(isMounted(host)).toBe(false);
});

/** A host whose fuse-overlayfs mounts what it is told to. */
function fuse(answer: { code?: number; stderr?: string } = {}) {
  const host: MemoryHost = memoryHost({
    files: { "/dev/fuse": "", "/d/mnt/c": null },
    exec: {
      "fuse-overlayfs": ({ args }) => {
        if (!answer.code) host.kernel.mount("fuse-overlayfs", args[2] ?? "", "fuse.fuse-overlayfs", []);
        return answer;
      },
    },
  });
  return { host, union: new FuseOverlayfs("/d/work", host, new Logger(host)) };
}

test("FuseOverlayfs.mount() runs one program, with no environment but the wish for `.wh.` files", async () => {
  const { host, union } = fuse();
  await union.mount({ ...branches, label: "s0:c1,c2" });
  expect(host.exec.calls).toMatchObject([
    {
      command: "fuse-overlayfs",
      args: [
        "-o",
        'lowerdir=/d/diff/b:/d/diff/a,upperdir=/d/diff/c,workdir=/d/work/c,writeback=0,dev,context="s0:c1\\,c2"',
        TARGET,
      ],
      options: { env: { FUSE_OVERLAYFS_DISABLE_OVL_WHITEOUT: "1" } },
    },
  ]);
  expect(await host.fs.readdir("/d/work")).toEqual(["c"]);
  await union.unmount(TARGET);
  expect([isMounted(host), await host.fs.readdir("/d/work")]).toEqual([false, []]);
  await union.unmount(TARGET); // nothing there is no error
});

test("FuseOverlayfs.unmount() leaves a busy mount what it works with", async () => {
  const { host, union } = fuse();
  await union.mount(branches);
  makeBusy(host);
  await union.unmount(TARGET);
  expect([isMounted(host), await host.fs.readdir("/d/work")]).toEqual([false, ["c"]]);
});

test("FuseOverlayfs.mount() never lies upon the mount of a process that died", async () => {
  const { host, union } = fuse();
  await union.mount(branches);
  await union.mount(branches);
  expect(host.kernel.mounts().filter(({ mountpoint }) => mountpoint === TARGET)).toHaveLength(1);
});

test("FuseOverlayfs.mount() says what the program said", async () => {
  const stderr =
    "unknown argument ignored: lazytime\nfuse-overlayfs: cannot read upper dir: No such file or directory\n";
  const { host, union } = fuse({ code: 1, stderr });
  await expect(union.mount(branches)).rejects.toThrow(
    `Cannot mount ${TARGET}: fuse-overlayfs: cannot read upper dir: No such file or directory`,
  );
  expect(await host.fs.readdir("/d/work")).toEqual([]);
});

test("missingFuse() names the program or the device, with the cure", async () => {
  expect(await missingFuse(fuse().host)).toBeUndefined();
  expect(await missingFuse(memoryHost())).toBe("fuse-overlayfs is not installed (apt-get install fuse-overlayfs)");
  const noDevice = memoryHost({ exec: { "fuse-overlayfs": {} } });
  expect(await missingFuse(noDevice)).toBe("there is no /dev/fuse (modprobe fuse)");
});
