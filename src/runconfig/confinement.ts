/**
 * What clients of today ask for beyond 1.2.0: kept to where `runc` does it, refused where leaving it out would give a
 * container more than was asked for, and named in a warning where it only would not work.
 *
 * @since Docker 1.3 and later
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";
import { bool, type Decoder, integer, list, record, struct, text } from "./decode.ts";

/** `--ulimit`. */
export interface Ulimit {
  Name: string;
  Soft: number;
  Hard: number;
}

/** Keys of today's HostConfig that narrow a container down; absent: not asked for. */
export interface Confinement {
  ReadonlyRootfs?: boolean;
  SecurityOpt?: string[] | null;
  Ulimits?: Ulimit[] | null;
  PidsLimit?: number;
  Tmpfs?: Record<string, string> | null;
  ShmSize?: number;
  Sysctls?: Record<string, string> | null;
  OomScoreAdj?: number;
  OomKillDisable?: boolean;
  CgroupnsMode?: string;
  MemoryReservation?: number;
  MemorySwappiness?: number;
  CpuPeriod?: number;
  CpuQuota?: number;
  NanoCpus?: number;
  CpusetMems?: string;
  BlkioWeight?: number;
}

/** Whether a value is one that clients send for "not asked for". */
function isUnset(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0 || value === -1) {
    return true;
  }
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** A value, or nothing where the client asks for nothing: what 1.2.0's clients see stays as it was. */
function wish<T>(decode: Decoder<T>): Decoder<T | undefined> {
  return (value, notes) => (isUnset(value) ? undefined : decode(value, notes));
}

const ulimit = struct<Ulimit>({ Name: text, Soft: integer, Hard: integer }, "units.Ulimit");

/** One reader for each key. */
export const confinementFields: { [K in keyof Confinement]-?: Decoder<Confinement[K]> } = {
  ReadonlyRootfs: wish(bool),
  SecurityOpt: wish(list(text, "[]string")),
  Ulimits: wish(list(ulimit, "[]*units.Ulimit")),
  PidsLimit: wish(integer),
  Tmpfs: wish(record(text, "map[string]string")),
  ShmSize: wish(integer),
  Sysctls: wish(record(text, "map[string]string")),
  OomScoreAdj: wish(integer),
  OomKillDisable: wish(bool),
  CgroupnsMode: wish(text),
  MemoryReservation: wish(integer),
  // 0 is a wish here: never swap.
  MemorySwappiness: (value, notes) => (value === 0 ? 0 : wish(integer)(value, notes)),
  CpuPeriod: wish(integer),
  CpuQuota: wish(integer),
  NanoCpus: wish(integer),
  CpusetMems: wish(text),
  BlkioWeight: wish(integer),
};

/** Removes the keys that 1.2.0 does not know. */
export function withoutConfinement<T extends Confinement>(hostConfig: T): Omit<T, keyof Confinement> {
  const known = Object.entries(hostConfig).filter(([key]) => !Object.hasOwn(confinementFields, key));
  return Object.fromEntries(known) as Omit<T, keyof Confinement>;
}

/** Without these a container is freer than its owner wants, or sees other files: the values that change nothing. */
const REFUSED: Readonly<Record<string, readonly unknown[]>> = {
  BlkioDeviceReadBps: [],
  BlkioDeviceReadIOps: [],
  BlkioDeviceWriteBps: [],
  BlkioDeviceWriteIOps: [],
  BlkioWeightDevice: [],
  CgroupParent: [],
  CpuRealtimePeriod: [],
  CpuRealtimeRuntime: [],
  DeviceCgroupRules: [],
  DeviceRequests: [],
  IpcMode: ["private", "shareable"],
  Isolation: ["default"],
  KernelMemory: [],
  KernelMemoryTCP: [],
  MaskedPaths: [],
  Mounts: [],
  PidMode: ["private"],
  ReadonlyPaths: [],
  Runtime: ["runc", "io.containerd.runc.v2"],
  UTSMode: ["private"],
  UsernsMode: ["host"],
};

/** Without these something does not work, and nothing is in danger. */
const WITHOUT_EFFECT: readonly string[] = [
  "Annotations",
  "DnsOptions",
  "ExtraHosts",
  "GroupAdd",
  "Init",
  "StorageOpt",
  "VolumeDriver",
];

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? "";
  return json.length > 80 ? `${json.slice(0, 80)}…` : json;
}

/**
 * Looks for what cannot be kept to.
 *
 * @param hostConfig - as the client sent it
 * @returns what the user should be told
 * @throws {BadRequestError} when leaving it out would be dangerous
 * @deviation 1.2.0 ignores every key it does not know, whatever it is for.
 */
export function checkWishes(hostConfig: Readonly<Record<string, unknown>>): string[] {
  for (const [key, harmless] of Object.entries(REFUSED)) {
    const value = Object.hasOwn(hostConfig, key) ? hostConfig[key] : undefined;
    if (isUnset(value) || harmless.includes(value)) continue;
    throw new BadRequestError(`HostConfig.${key} is not supported (${shown(value)}): leave it out`);
  }
  const logging = hostConfig["LogConfig"] as { Type?: unknown; Config?: unknown } | null | undefined;
  const wantsLogging = !isUnset(logging?.Config) || !(isUnset(logging?.Type) || logging?.Type === "json-file");
  const ignored = WITHOUT_EFFECT.filter((key) => Object.hasOwn(hostConfig, key) && !isUnset(hostConfig[key]));
  return [...ignored, ...(wantsLogging ? ["LogConfig"] : [])].map(
    (key) => `HostConfig.${key} is not supported and has no effect.`,
  );
}
