/**
 * What /proc tells.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { isErrno } from "../../errdefs/errdefs.ts";
import type { MountInfo } from "../kernel.ts";

/** Numbers of the capabilities, in the kernel's order. */
const CAPABILITIES = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
];

/** Parses /proc/self/mountinfo. A line that is not one is left out. */
export function parseMountInfo(text: string): MountInfo[] {
  const mounts: MountInfo[] = [];
  for (const line of text.split("\n")) {
    // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
    const separator = line.indexOf(" - ");
    if (separator < 0) continue;
    const [id, parent, , root, mountpoint, options] = line.slice(0, separator).split(" ");
    const [fstype, source, superOptions] = line.slice(separator + 3).split(" ");
    if (options === undefined || fstype === undefined) continue;
    mounts.push({
      id: Number(id),
      parent: Number(parent),
      root: decodeOctal(root!),
      mountpoint: decodeOctal(mountpoint!),
      fstype,
      source: decodeOctal(source ?? ""),
      options,
      superOptions: superOptions ?? "",
    });
  }
  return mounts;
}

/** Undoes the kernel's `\040` for blanks, line ends and backslashes. */
function decodeOctal(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Field 22 of /proc/&lt;pid&gt;/stat: the name in field 2 may contain blanks and parentheses. */
export function startTimeOf(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/** Reads a process's start time; `undefined` when there is no such process. */
export function processStartTime(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  try {
    return startTimeOf(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch (cause) {
    if (isErrno(cause, "ENOENT", "ESRCH")) return undefined;
    throw cause;
  }
}

/** Whether a line `CapBnd:` of /proc/self/status has the capability (`CAP_SYS_ADMIN`, with or without the prefix). */
export function hasCapability(status: string, name: string): boolean {
  const bit = CAPABILITIES.indexOf(name.replace(/^CAP_/, ""));
  const set = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return bit >= 0 && set !== undefined && ((BigInt(`0x${set}`) >> BigInt(bit)) & 1n) === 1n;
}
