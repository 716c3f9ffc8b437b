/**
 * Narrows the configuration of a bundle down to what clients of today ask for.
 *
 * @since Docker 1.3 and later
 * @module
 */

import type { Confinement } from "../driver.ts";
import type { OciConfig } from "./create.ts";
import type { OciMount } from "./default-template.ts";

type Json = Record<string, unknown>;

/** The object with what is given, without what is not. */
function given(values: Json): Json {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== false));
}

function resources(before: Json, wishes: Confinement): Json {
  const group = (name: string, more: Json) => {
    const all = { ...(before[name] as Json | undefined), ...given(more) };
    return Object.keys(all).length === 0 ? undefined : all;
  };
  return given({
    ...before,
    memory: group("memory", {
      reservation: wishes.memoryReservation,
      swappiness: wishes.memorySwappiness,
      disableOOMKiller: wishes.oomKillDisable,
    }),
    cpu: group("cpu", { period: wishes.cpuPeriod, quota: wishes.cpuQuota, mems: wishes.cpusetMems }),
    pids: group("pids", { limit: wishes.pidsLimit }),
    blockIO: group("blockIO", { weight: wishes.blkioWeight }),
  });
}

function mounts(before: readonly OciMount[], wishes: Confinement): OciMount[] {
  const resized = before.map((mount) =>
    mount.destination === "/dev/shm" && wishes.shmBytes !== undefined
      ? { ...mount, options: mount.options.map((o) => (o.startsWith("size=") ? `size=${wishes.shmBytes}` : o)) }
      : mount,
  );
  const memory = wishes.tmpfs.map((mount) => ({ ...mount, type: "tmpfs", source: "tmpfs" }));
  // Below the volumes: one of these may be in a directory that is in memory.
  const binds = resized.findIndex(({ type }) => type === "bind");
  return binds < 0 ? [...resized, ...memory] : resized.toSpliced(binds, 0, ...memory);
}

/** The configuration with every wish in it. */
export function confine(config: OciConfig, wishes: Confinement): OciConfig {
  const { linux } = config;
  const namespaces = linux["namespaces"] as Json[];
  return {
    ...config,
    process: {
      ...config.process,
      noNewPrivileges: wishes.noNewPrivileges,
      ...(wishes.rlimits.length > 0 && { rlimits: wishes.rlimits }),
      ...given({ oomScoreAdj: wishes.oomScoreAdj }),
    },
    root: { ...config.root, readonly: wishes.readonlyRootfs },
    mounts: mounts(config.mounts, wishes),
    linux: {
      ...linux,
      namespaces: wishes.ownCgroupView ? [...namespaces, { type: "cgroup" }] : namespaces,
      resources: resources(linux["resources"] as Json, wishes),
      ...(Object.keys(wishes.sysctls).length > 0 && { sysctl: wishes.sysctls }),
    },
  };
}
