/**
 * Chooses the storage driver: the one that was asked for, or the first that works here.
 *
 * @origin daemon/graphdriver/driver.go
 * @module
 */

import { join } from "node:path/posix";
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
  const options = choice.options ?? [];
  const asked = choice.env["DOCKER_DRIVER"] || choice.name;
  if (asked) {
    const init = Object.hasOwn(drivers, asked) ? drivers[asked] : undefined;
    if (init === undefined) throw new DriverUnavailableError("driver not supported");
    return init(join(root, asked), options, host, log, true);
  }
  for (const name of priority) {
    try {
      return await (drivers[name] as DriverInit)(join(root, name), options, host, log, false);
    } catch (cause) {
      if (!(cause instanceof DriverUnavailableError)) throw cause;
      log.debug("driver.go:93", `${name}: ${cause.message}`);
    }
  }
  throw new SystemError("No supported storage backend found");
}
