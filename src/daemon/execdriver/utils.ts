/**
 * Capability lists: the names that `--cap-add` and `--cap-drop` take, and how they change a base list.
 *
 * @origin daemon/execdriver/utils.go
 * @module
 */

import { BadRequestError } from "../../errdefs/errdefs.ts";

/**
 * Every capability 1.2.0 knows, without `CAP_`, in its order.
 *
 * @origin vendor/src/github.com/docker/libcontainer/security/capabilities/types.go
 */
export const ALL_CAPABILITIES: readonly string[] = [
  "SETPCAP",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "NET_ADMIN",
  "SYSLOG",
  "CHOWN",
  "NET_RAW",
  "DAC_OVERRIDE",
  "FOWNER",
  "DAC_READ_SEARCH",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_BOOT",
  "LEASE",
  "SETFCAP",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
];

/**
 * Names as clients write them: any case; clients of today put `CAP_` in front.
 *
 * @deviation The prefix `CAP_` is accepted; 1.2.0 knows the names without it only.
 */
function plainName(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, "");
}

/**
 * Applies additions and removals to a base list. `all` stands for every capability; an explicit addition wins over a
 * removal.
 *
 * @returns the names in upper case, without `CAP_`
 * @throws {BadRequestError} for a name that is not a capability
 * @origin daemon/execdriver/utils.go TweakCapabilities
 */
export function tweakCapabilities(
  basics: readonly string[],
  adds: readonly string[],
  drops: readonly string[],
): string[] {
  const dropped = new Set(drops.map(plainName));
  const added = adds.map(plainName);
  for (const [i, name] of [...dropped].entries()) {
    if (name !== "ALL" && !ALL_CAPABILITIES.includes(name)) {
      throw new BadRequestError(`Unknown capability drop: ${JSON.stringify(drops[i] ?? name)}`);
    }
  }
  const base = added.includes("ALL") ? ALL_CAPABILITIES : basics;
  const kept = dropped.has("ALL") ? [] : base.filter((name) => !dropped.has(name));
  const result = new Set(kept);
  for (const [i, name] of added.entries()) {
    if (name === "ALL") continue;
    if (!ALL_CAPABILITIES.includes(name)) {
      throw new BadRequestError(`Unknown capability to add: ${JSON.stringify(adds[i] ?? name)}`);
    }
    result.add(name);
  }
  return [...result];
}
