/**
 * From a command to the configuration of an OCI bundle.
 *
 * 1.2.0 filled a libcontainer configuration here; `runc` is that library grown up, and its `config.json` the same thing
 * under newer names.
 *
 * @origin daemon/execdriver/native/create.go
 * @module
 */

import { join } from "node:path/posix";
import { SystemError } from "../../../errdefs/errdefs.ts";
import type { Host } from "../../../host/host.ts";
import type { Command } from "../driver.ts";
import { ALL_CAPABILITIES, tweakCapabilities } from "../utils.ts";
import { confine } from "./confinement.ts";
import {
  DEFAULT_CAPABILITIES,
  DEFAULT_DEVICE_RULES,
  defaultMounts,
  FUSE_DEVICE,
  MASKED_PATHS,
  type OciDeviceRule,
  type OciMount,
  READONLY_PATHS,
} from "./default-template.ts";
import type { UserIds } from "./user.ts";

/** A device node in the container. */
export interface OciDevice {
  path: string;
  type: string;
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
}

/** The parts of an OCI runtime configuration that we use. */
export interface OciConfig {
  ociVersion: string;
  process: Record<string, unknown>;
  root: { path: string; readonly: boolean };
  hostname?: string;
  mounts: OciMount[];
  linux: Record<string, unknown>;
}

/** What only the host can answer. */
export interface Surroundings {
  readonly user: UserIds;
  /** Devices asked for by `--device`, or every device of the host for a privileged container. */
  readonly devices: readonly OciDevice[];
  /** Name of the container's cgroup below each hierarchy. */
  readonly cgroup: string;
  /** Whether the machine's control groups are those of version 2. */
  readonly unified: boolean;
  /** Whether the daemon itself holds a capability: what it does not hold it cannot give. */
  readonly hasCapability: Host["kernel"]["hasCapability"];
}

/**
 * The capabilities the process may ever have.
 *
 * @deviation A privileged container gets what the daemon itself holds; 1.2.0 asks for all 37 and cannot start when the
 *   machine withholds one.
 */
function capabilities(command: Command, has: Surroundings["hasCapability"]): string[] {
  const names = command.privileged
    ? ALL_CAPABILITIES.filter((name) => has(`CAP_${name}`))
    : tweakCapabilities(DEFAULT_CAPABILITIES, command.capAdd, command.capDrop);
  const all = command.capAdd.some((name) => name.toLowerCase() === "all");
  return names.filter((name) => !all || has(`CAP_${name}`)).map((name) => `CAP_${name}`);
}

function bindMounts(command: Command): OciMount[] {
  return command.mounts.map((mount) => ({
    destination: mount.destination,
    type: "bind",
    source: mount.source,
    options: ["rbind", mount.writable ? "rw" : "ro", ...(mount.private ? ["rprivate"] : [])],
  }));
}

function namespaces(command: Command): { type: string; path?: string }[] {
  const own: { type: string; path?: string }[] = [{ type: "mount" }, { type: "uts" }, { type: "ipc" }, { type: "pid" }];
  if (command.network.kind === "netns") own.push({ type: "network", path: command.network.path });
  if (command.network.kind === "none") own.push({ type: "network" });
  return own;
}

/** What the kernel makes of less and of more: `runc` refuses both. */
const CPU_SHARES = { least: 2, most: 262_144 };

/** The words of a file of the kernel's that is written a value it does not take. */
function invalidLimit(hierarchy: string, cgroup: string, file: string): SystemError {
  return new SystemError(`write /sys/fs/cgroup/${hierarchy}${cgroup}/${hierarchy}.${file}: invalid argument`);
}

/**
 * The weight as the kernel takes it.
 *
 * @throws {SystemError} for a negative number, with the words of the kernel's file
 * @origin vendor/src/github.com/docker/libcontainer/cgroups/fs/cpu.go (*CpuGroup).Set
 */
function cpuWeight(shares: number, cgroup: string): number {
  if (shares < 0) throw invalidLimit("cpu", cgroup, "shares");
  return Math.min(Math.max(shares, CPU_SHARES.least), CPU_SHARES.most);
}

function limits({ resources }: Command, { cgroup, unified }: Surroundings): Record<string, unknown> {
  const { memory, memorySwap, cpuShares, cpuset } = resources;
  // Twice this is no number of 64 bits any more.
  if (memory >= 2 ** 62 && memorySwap <= 0 && memorySwap !== -1)
    throw invalidLimit("memory", cgroup, "memsw.limit_in_bytes");
  return {
    ...(memory > 0 && {
      memory: {
        limit: memory,
        // The soft limit. Version 2 has none: there the same word keeps memory from everybody else.
        ...(!unified && { reservation: memory }),
        // 1.2.0's fs cgroup ignores a given number and takes twice the memory; −1 leaves swap alone.
        ...(memorySwap !== -1 && { swap: memorySwap > 0 ? memorySwap : memory * 2 }),
      },
    }),
    ...((cpuShares !== 0 || cpuset !== "") && {
      cpu: {
        ...(cpuShares !== 0 && { shares: cpuWeight(cpuShares, cgroup) }),
        ...(cpuset !== "" && { cpus: cpuset }),
      },
    }),
  };
}

/**
 * Which devices may be opened.
 *
 * @throws {SystemError} for permissions that the kernel does not know, in the words of its file
 */
function deviceRules(command: Command, devices: readonly OciDevice[], cgroup: string): OciDeviceRule[] {
  if (command.privileged) return [{ allow: true, access: "rwm" }];
  // A device without permissions is made, and cannot be opened.
  const opened = command.devices.filter(({ cgroupPermissions }) => cgroupPermissions !== "");
  const asked = opened.map((wanted) => {
    if (!/^[rwm]+$/.test(wanted.cgroupPermissions)) throw invalidLimit("devices", cgroup, "allow");
    const node = devices.find((device) => device.path === wanted.pathInContainer);
    return {
      allow: true,
      type: node?.type ?? "c",
      major: node?.major ?? 0,
      minor: node?.minor ?? 0,
      access: wanted.cgroupPermissions,
    };
  });
  return [...DEFAULT_DEVICE_RULES, ...asked];
}

/**
 * What stands between the first and the second `=` of a variable; nothing when it is not set. The kernel's host name is
 * found like this: `-e HOSTNAME=x` has the last word.
 *
 * @origin daemon/execdriver/native/driver.go getEnv
 */
function getEnv(key: string, env: readonly string[]): string {
  const found = env.map((pair) => pair.split("=")).find(([name]) => name === key);
  return found?.[1] ?? "";
}

/**
 * Describes the container to `runc`.
 *
 * @throws {BadRequestError} for an unknown capability; {SystemError} for a weight that no kernel takes
 * @origin daemon/execdriver/native/create.go (*driver).createContainer
 * @deviation Inheritable and ambient capability sets stay empty (CVE-2022-24769).
 */
export function createContainer(command: Command, around: Surroundings): OciConfig {
  const caps = capabilities(command, around.hasCapability);
  const devices = command.privileged ? around.devices : [FUSE_DEVICE, ...around.devices];
  const hostname = getEnv("HOSTNAME", command.env);
  const config: OciConfig = {
    ociVersion: "1.0.2",
    process: {
      terminal: command.tty,
      user: { uid: around.user.uid, gid: around.user.gid, additionalGids: around.user.additionalGids },
      args: [command.entrypoint, ...command.args],
      env: command.env,
      cwd: join("/", command.workingDir),
      capabilities: { bounding: caps, effective: caps, permitted: caps },
      noNewPrivileges: false,
    },
    root: { path: command.rootfs, readonly: false },
    ...(hostname !== "" && { hostname }),
    mounts: [...defaultMounts(!command.privileged), ...bindMounts(command)],
    linux: {
      namespaces: namespaces(command),
      cgroupsPath: around.cgroup,
      devices,
      resources: { devices: deviceRules(command, devices, around.cgroup), ...limits(command, around) },
      ...(!command.privileged && { maskedPaths: MASKED_PATHS, readonlyPaths: READONLY_PATHS }),
    },
  };
  return command.confinement === undefined ? config : confine(config, command.confinement);
}
