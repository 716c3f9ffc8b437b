/**
 * From today's HostConfig to what the execution driver is told.
 *
 * @since Docker 1.3 and later
 * @module
 */

import posix from "node:path/posix";
import { BadRequestError } from "../errdefs/errdefs.ts";
import type { Confinement as Wishes } from "../runconfig/confinement.ts";
import type { Confinement } from "./execdriver/driver.ts";

const ULIMITS =
  "as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(" ");

/** Says "no" to what this engine never switches on. */
const ALREADY_SO = /^(?:(?:seccomp|apparmor|systempaths)[=:]unconfined|label[=:]disable|no-new-privileges[=:]false)$/;

/** Whether `no-new-privileges` is asked for. @throws {BadRequestError} for an option that cannot be kept to */
function noNewPrivileges(options: readonly string[]): boolean {
  let wanted = false;
  for (const option of options) {
    if (/^no-new-privileges(?:[=:]true)?$/.test(option)) wanted = true;
    else if (!ALREADY_SO.test(option)) {
      throw new BadRequestError(`HostConfig.SecurityOpt is not supported (${option.slice(0, 80)}): leave it out`);
    }
  }
  return wanted;
}

function rlimits(wishes: Wishes): Confinement["rlimits"] {
  return (wishes.Ulimits ?? []).map(({ Name, Soft, Hard }) => {
    if (!ULIMITS.includes(Name)) throw new BadRequestError(`invalid ulimit type: ${Name}`);
    // −1 is "unlimited", a number of 64 bits without a sign to the kernel: the largest that JSON carries exactly.
    const number = (value: number) => (value < 0 ? Number.MAX_SAFE_INTEGER : value);
    if (number(Soft) > number(Hard)) {
      throw new BadRequestError(`ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`);
    }
    return { type: `RLIMIT_${Name.toUpperCase()}`, soft: number(Soft), hard: number(Hard) };
  });
}

/** What `--tmpfs` may say; the rest belongs to other kinds of mounts. */
const TMPFS_OPTION =
  /^(?:size=\d+[kmgKMG%]?|mode=[0-7]+|uid=\d+|gid=\d+|nr_(?:inodes|blocks)=\d+[kmgKMG]?|r[wo]|(?:no)?(?:exec|suid|dev|atime|diratime)|(?:rel|strict)atime|sync|async)$/;

function tmpfs(wishes: Wishes): Confinement["tmpfs"] {
  return Object.entries(wishes.Tmpfs ?? {}).map(([destination, text]) => {
    const options = text === "" ? [] : text.split(",");
    const wrong = options.find((option) => !TMPFS_OPTION.test(option));
    if (wrong !== undefined) throw new BadRequestError(`Invalid tmpfs option ${JSON.stringify(wrong)}`);
    if (!destination.startsWith("/") || /^\/+$/.test(posix.normalize(destination))) {
      throw new BadRequestError(
        `Invalid tmpfs destination ${JSON.stringify(destination)}: must be absolute, and not /`,
      );
    }
    return { destination, options: ["noexec", "nosuid", "nodev", ...options] };
  });
}

/** `--cpus 1.5` is so many of each 100 ms. */
function cpuTime(wishes: Wishes): Pick<Confinement, "cpuPeriod" | "cpuQuota"> {
  if (wishes.NanoCpus === undefined) return { cpuPeriod: wishes.CpuPeriod, cpuQuota: wishes.CpuQuota };
  if (wishes.CpuPeriod !== undefined || wishes.CpuQuota !== undefined) {
    throw new BadRequestError("Conflicting options: Nano CPUs and CPU Period or Quota cannot both be set.");
  }
  return { cpuPeriod: 100_000, cpuQuota: Math.trunc(wishes.NanoCpus / 10_000) };
}

/**
 * What narrows a container down, ready for the driver.
 *
 * @throws {BadRequestError} for a wish that makes no sense or that cannot be kept to
 */
export function confinementOf(wishes: Wishes): Confinement {
  if ((wishes.ShmSize ?? 0) < 0) throw new BadRequestError("SHM size can not be less than 0");
  return {
    readonlyRootfs: wishes.ReadonlyRootfs === true,
    noNewPrivileges: noNewPrivileges(wishes.SecurityOpt ?? []),
    rlimits: rlimits(wishes),
    tmpfs: tmpfs(wishes),
    sysctls: wishes.Sysctls ?? {},
    ownCgroupView: wishes.CgroupnsMode === "private",
    oomKillDisable: wishes.OomKillDisable === true,
    shmBytes: wishes.ShmSize,
    pidsLimit: wishes.PidsLimit,
    oomScoreAdj: wishes.OomScoreAdj,
    memoryReservation: wishes.MemoryReservation,
    memorySwappiness: wishes.MemorySwappiness,
    cpusetMems: wishes.CpusetMems,
    blkioWeight: wishes.BlkioWeight,
    ...cpuTime(wishes),
  };
}
