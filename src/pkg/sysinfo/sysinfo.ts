/**
 * What the kernel can limit.
 *
 * @origin pkg/sysinfo/sysinfo.go
 * @module
 */

import { isErrno } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";

/** @origin pkg/sysinfo/sysinfo.go SysInfo */
export interface SysInfo {
  readonly memoryLimit: boolean;
  readonly swapLimit: boolean;
  /** Never set by 1.2.0 either: clients of that time know the field. */
  readonly ipv4ForwardingDisabled: boolean;
  readonly appArmor: boolean;
}

/**
 * Looks at the machine's cgroups, version 1 or 2.
 *
 * @param warn - told what is missing, in 1.2.0's words
 * @origin pkg/sysinfo/sysinfo.go New
 * @deviation Knows cgroup version 2, where 1.2.0 says that memory has no mount point.
 */
export async function newSysInfo(host: Pick<Host, "fs" | "kernel">, warn: (text: string) => void): Promise<SysInfo> {
  const readable = async (path: string): Promise<boolean> => {
    try {
      await host.fs.readFile(path);
      return true;
    } catch {
      return false;
    }
  };
  let memoryLimit = false;
  let swapLimit = false;
  const mounts = host.kernel.mounts();
  const v1 = mounts.find((m) => m.fstype === "cgroup" && m.superOptions.split(",").includes("memory"))?.mountpoint;
  const v2 = mounts.find((m) => m.fstype === "cgroup2")?.mountpoint;
  if (v1 !== undefined) {
    const limits = await Promise.all(
      ["memory.limit_in_bytes", "memory.soft_limit_in_bytes", "memory.memsw.limit_in_bytes"].map((file) =>
        readable(`${v1}/${file}`),
      ),
    );
    memoryLimit = limits[0] === true && limits[1] === true;
    swapLimit = limits[2] === true;
  } else if (v2 !== undefined && (await controllers(host, v2)).includes("memory")) {
    memoryLimit = true;
    // The root group has no such file; the kernel knows swap accounting when swap is configured at all.
    swapLimit = await readable("/proc/swaps");
  } else {
    warn("WARNING: mountpoint for memory not found\n");
  }
  if (v1 !== undefined || v2 !== undefined) {
    if (!memoryLimit) warn("WARNING: Your kernel does not support cgroup memory limit.");
    if (!swapLimit) warn("WARNING: Your kernel does not support cgroup swap limit.");
  }
  return { memoryLimit, swapLimit, ipv4ForwardingDisabled: false, appArmor: await hasAppArmor(host) };
}

async function controllers(host: Pick<Host, "fs">, root: string): Promise<string[]> {
  try {
    return (await host.fs.readFile(`${root}/cgroup.controllers`, "utf8")).trim().split(/\s+/);
  } catch {
    return [];
  }
}

async function hasAppArmor(host: Pick<Host, "fs">): Promise<boolean> {
  try {
    await host.fs.stat("/sys/kernel/security/apparmor");
    return true;
  } catch (cause) {
    return !isErrno(cause, "ENOENT"); // any other failure counts as present, as in 1.2.0
  }
}
