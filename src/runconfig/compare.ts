/**
 * Whether two containers would do the same: how the build cache finds its images.
 *
 * @origin runconfig/compare.go
 * @module
 */

import type { Config } from "./config.ts";

const scalars = ["AttachStdout", "AttachStderr", "User", "Memory", "MemorySwap", "CpuShares", "Tty"] as const;
const lists = ["Cmd", "Env", "PortSpecs", "Entrypoint"] as const;
const sets = ["ExposedPorts", "Volumes"] as const;

/**
 * Compares what a step of a build depends on; image, host name and working directory do not count. A container that
 * reads from its standard input is equal to nothing.
 *
 * @origin runconfig/compare.go Compare
 */
export function compare(a: Config | undefined, b: Config | undefined): boolean {
  if (a === undefined || b === undefined || a.OpenStdin || b.OpenStdin) return false;
  return (
    scalars.every((key) => a[key] === b[key]) &&
    lists.every((key) => equalLists(a[key] ?? [], b[key] ?? [])) &&
    sets.every((key) => equalKeys(a[key] ?? {}, b[key] ?? {}))
  );
}

function equalLists(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function equalKeys(a: object, b: object): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key));
}
