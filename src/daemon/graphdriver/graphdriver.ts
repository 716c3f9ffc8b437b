/**
 * Chooses the storage driver: the one that was asked for, or the first that works here.
 *
 * @origin daemon/graphdriver/driver.go
 * @module
 */

import { join } from "node:path/posix";
import { DEFAULT_MIN_FREE, parseMinFree } from "../../archive/room.ts";
import { SystemError } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";
import type { Logger } from "../../pkg/log/log.ts";
import { AufsDriver } from "./aufs/aufs.ts";
import { BtrfsDriver } from "./btrfs/btrfs.ts";
import type { GraphDriver } from "./driver.ts";
import { DriverUnavailableError } from "./errors.ts";
import { OverlayDriver } from "./overlay/driver.ts";
import { VfsDriver } from "./vfs/driver.ts";

/** What drivers touch. */
export type DriverHost = Pick<Host, "fs" | "exec" | "kernel" | "machine" | "pool" | "random">;

/**
 * Starts a driver in its directory.
 *
 * `asked` says that it was named: then it may do with less than it likes.
 */
export type DriverInit = (
  home: string,
  options: readonly string[],
  host: DriverHost,
  log: Logger,
  asked: boolean,
) => Promise<GraphDriver>;

/** @origin daemon/graphdriver/driver.go drivers */
const drivers: Readonly<Record<string, DriverInit>> = {
  aufs: AufsDriver.init,
  btrfs: BtrfsDriver.init,
  overlay: OverlayDriver.init,
  vfs: VfsDriver.init,
};

/**
 * Which driver is tried first when none is asked for.
 *
 * @origin daemon/graphdriver/driver.go priority
 * @deviation overlay stands first; 1.2.0 was before it and had aufs, btrfs, devicemapper, vfs. aufs comes second, and only
 *   where the kernel has it: fuse-overlayfs, which stands in for it, is for those who ask. devicemapper is not here.
 */
export const priority: readonly string[] = ["overlay", "aufs", "btrfs", "vfs"];

/** How to choose. */
export interface DriverChoice {
  /** `--storage-driver`; "" for none. */
  readonly name?: string;
  /** `DOCKER_DRIVER` wins over the flag. */
  readonly env: Record<string, string | undefined>;
  /** `--storage-opt`. */
  readonly options?: readonly string[];
}

/**
 * Sees to it that a share of the file system stays free: what `<driver>.min_free_space=<n>%` says, as
 * `dm.min_free_space` does for devicemapper.
 *
 * @returns the other options
 * @since Docker 1.11
 */
function takeMinFree(name: string, { options = [] }: DriverChoice, { pool }: DriverHost): string[] {
  pool.minFree = DEFAULT_MIN_FREE;
  const key = `${name}.min_free_space=`;
  for (const option of options) {
    if (!option.startsWith(key)) continue;
    pool.minFree = parseMinFree(option.slice(key.length));
    if (pool.minFree === undefined)
      throw new SystemError(
        `${name}: Invalid value of ${key.slice(0, -1)}: ${option.slice(key.length)} is no share like 5%`,
      );
  }
  return options.filter((option) => !option.startsWith(key));
}

/**
 * Starts a storage driver below `<root>/<name>`.
 *
 * A driver that was asked for must work; otherwise those in {@link priority} are tried until one does.
 *
 * @throws {DriverUnavailableError} `driver not supported` for an unknown name, or the driver's own reason
 * @throws {SystemError} `No supported storage backend found`
 * @origin daemon/graphdriver/driver.go New, GetDriver
 */
export async function newGraphDriver(
  root: string,
  choice: DriverChoice,
  host: DriverHost,
  log: Logger,
): Promise<GraphDriver> {
  const asked = choice.env["DOCKER_DRIVER"] || choice.name;
  if (asked) {
    const init = Object.hasOwn(drivers, asked) ? drivers[asked] : undefined;
    if (init === undefined) throw new DriverUnavailableError("driver not supported");
    return init(join(root, asked), takeMinFree(asked, choice, host), host, log, true);
  }
  for (const name of priority) {
    try {
      return await (drivers[name] as DriverInit)(join(root, name), takeMinFree(name, choice, host), host, log, false);
    } catch (cause) {
      if (!(cause instanceof DriverUnavailableError)) throw cause;
      log.debug("driver.go:93", `${name}: ${cause.message}`);
    }
  }
  throw new SystemError("No supported storage backend found");
}
