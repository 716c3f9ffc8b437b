/**
 * Completes what the user asked for with what the image says.
 *
 * @origin runconfig/merge.go
 * @module
 */

import { type PortSet, parsePortSpecs } from "../nat/nat.ts";
import type { Logger } from "../pkg/log/log.ts";
import type { Config } from "./config.ts";

/**
 * Fills `user` from `image`, in place. The user's values win; ports, volumes and environment are united.
 *
 * An entrypoint of the user's makes the image's command meaningless, so that one is then left out.
 *
 * @throws {BadRequestError} for port specifications that cannot be read
 * @origin runconfig/merge.go Merge
 * @deviation `image` is never changed nor shared; 1.2.0 hands its maps and lists on.
 */
export function merge(user: Config, image: Config, log?: Pick<Logger, "debug">): void {
  user.User ||= image.User;
  user.Memory ||= image.Memory;
  user.MemorySwap ||= image.MemorySwap;
  user.CpuShares ||= image.CpuShares;
  user.WorkingDir ||= image.WorkingDir;
  mergePorts(user, image, log);
  user.Env = mergeEnv(user.Env, image.Env);
  if (isEmpty(user.Entrypoint)) {
    if (isEmpty(user.Cmd)) user.Cmd = copy(image.Cmd);
    user.Entrypoint = copy(image.Entrypoint);
  }
  user.Volumes = unite(user.Volumes, image.Volumes);
}

function isEmpty(list: readonly string[] | null): boolean {
  return list === null || list.length === 0;
}

function copy(list: readonly string[] | null): string[] | null {
  return list === null ? null : [...list];
}

function mergePorts(user: Config, image: Config, log?: Pick<Logger, "debug">): void {
  let ports = unite(user.ExposedPorts, image.ExposedPorts);
  if (!isEmpty(user.PortSpecs)) {
    ports = addSpecs(ports, user.PortSpecs ?? []);
    user.PortSpecs = null;
  }
  if (!isEmpty(image.PortSpecs)) {
    const specs = image.PortSpecs ?? [];
    log?.debug("merge.go:51", `Migrating image port specs to containter: ${specs.join(", ")}`);
    ports = addSpecs(ports, specs);
  }
  user.ExposedPorts = ports;
}

function addSpecs(ports: PortSet | null, specs: readonly string[]): PortSet {
  return { ...ports, ...parsePortSpecs(specs).exposedPorts };
}

/** Both sets of keys; nil only when there is nothing to take and the image has nil. */
function unite(user: PortSet | null, image: PortSet | null): PortSet | null {
  if (user === null || Object.keys(user).length === 0) return image === null ? null : { ...image };
  // A spread defines properties instead of assigning them: a key `__proto__` stays a key.
  return { ...user, ...image };
}

/** The user's variables, then those of the image whose names are new. */
function mergeEnv(user: readonly string[] | null, image: readonly string[] | null): string[] | null {
  if (isEmpty(user)) return copy(image);
  const env = [...(user ?? [])];
  const names = new Set(env.map(nameOf));
  for (const entry of image ?? []) {
    if (names.has(nameOf(entry))) continue;
    names.add(nameOf(entry));
    env.push(entry);
  }
  return env;
}

function nameOf(entry: string): string {
  return entry.split("=", 1)[0] ?? "";
}
