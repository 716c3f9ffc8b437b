import { memfs } from "memfs";
import { expect, test } from "vitest";
import type { FileSystem } from "../../../../src/host/host.ts";
import type { Kernel, MountInfo } from "../../../../src/host/kernel.ts";
import { newSysInfo } from "../../../../src/pkg/sysinfo/sysinfo.ts";

function host(files: Record<string, string>, mounts: Partial<MountInfo>[]) {
  const { fs } = memfs(files);
  return { fs: fs.promises as unknown as FileSystem, kernel: { mounts: () => mounts } as unknown as Kernel };
}

test("newSysInfo() reads the limits of cgroup version 1", async () => {
  const warnings: string[] = [];
  const info = await newSysInfo(
    host({ "/cg/memory/memory.limit_in_bytes": "1", "/cg/memory/memory.soft_limit_in_bytes": "1" }, [
      { fstype: "cgroup", mountpoint: "/cg/memory", superOptions: "rw,memory" },
    ]),
    (text) => warnings.push(text),
  );
  expect(info).toEqual({ memoryLimit: true, swapLimit: false, ipv4ForwardingDisabled: false, appArmor: false });
  expect(warnings).toEqual(["WARNING: Your kernel does not support cgroup swap limit."]);
});

test("newSysInfo() knows cgroup version 2", async () => {
  const info = await newSysInfo(
    host(
      {
        "/sys/fs/cgroup/cgroup.controllers": "cpu memory pids\n",
        "/proc/swaps": "",
        "/sys/kernel/security/apparmor/x": "",
      },
      [{ fstype: "cgroup2", mountpoint: "/sys/fs/cgroup", superOptions: "rw" }],
    ),
    () => undefined,
  );
  expect(info).toEqual({ memoryLimit: true, swapLimit: true, ipv4ForwardingDisabled: false, appArmor: true });
});

test("newSysInfo() says once that there is no memory group", async () => {
  const warnings: string[] = [];
  const info = await newSysInfo(host({}, []), (text) => warnings.push(text));
  expect(info.memoryLimit).toBe(false);
  expect(warnings).toEqual(["WARNING: mountpoint for memory not found\n"]);
});
