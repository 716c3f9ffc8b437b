/**
 * The btrfs storage driver: each layer is a subvolume, made as a snapshot of the one below.
 *
 * ```text
 * <home>/subvolumes/<id>/   the whole file system at this layer; blocks are shared with the layers around it
 * ```
 *
 * A layer exists exactly when its subvolume does: the kernel makes it in one step.
 *
 * @origin daemon/graphdriver/btrfs/btrfs.go
 * @module
 */

import { basename, dirname, join } from "node:path/posix";
import { isErrno, SystemError } from "../../../errdefs/errdefs.ts";
import { errnoText, isSystemError } from "../../../errdefs/errno-text.ts";
import type { Subvolumes } from "../../../host/kernel.ts";
import type { Logger } from "../../../pkg/log/log.ts";
import type { GraphDriver } from "../driver.ts";
import { DriverUnavailableError } from "../errors.ts";
import type { DriverHost } from "../graphdriver.ts";
import { makePrivate, unmountBelow } from "../mounts.ts";
import { removeTree } from "../remove-tree.ts";
import { WholeLayers } from "../whole-layers.ts";

/** @origin daemon/graphdriver/driver.go FsMagicBtrfs */
const FS_MAGIC_BTRFS = 0x9123683e;

/** @origin daemon/graphdriver/btrfs/btrfs.go Driver */
export class BtrfsDriver extends WholeLayers implements GraphDriver {
  readonly name = "btrfs";
  readonly #home: string;
  readonly #subvolumes: Subvolumes;

  private constructor(home: string, host: DriverHost, subvolumes: Subvolumes) {
    super(join(home, "subvolumes"), host);
    this.#home = home;
    this.#subvolumes = subvolumes;
  }

  /**
   * Prepares the driver's directory: unmounts and removes what a killed daemon left half done.
   *
   * @param home - `<docker root>/btrfs`
   * @throws {DriverUnavailableError} `prerequisites for driver not satisfied (wrong filesystem?)` when the root is not on
   *   btrfs
   * @origin daemon/graphdriver/btrfs/btrfs.go Init
   */
  static async init(
    home: string,
    options: readonly string[],
    host: DriverHost,
    log: Logger,
    asked: boolean,
  ): Promise<BtrfsDriver> {
    const [unknown] = options;
    if (unknown !== undefined) throw new DriverUnavailableError(`btrfs: Unknown option ${unknown.split("=", 1)[0]}`);
    const { subvolumes } = host.kernel;
    if (subvolumes === undefined || host.machine.uid !== 0) throw new DriverUnavailableError("driver not supported");
    const root = dirname(home);
    if ((await host.fs.statfs(root)).type !== FS_MAGIC_BTRFS) {
      if (asked) log.error("btrfs.go:39", `${root} is not on btrfs: mount one there, or choose a root on one with -g`);
      throw new DriverUnavailableError("prerequisites for driver not satisfied (wrong filesystem?)");
    }
    const driver = new BtrfsDriver(home, host, subvolumes);
    await host.fs.mkdir(driver.dir, { recursive: true, mode: 0o700 });
    unmountBelow(host, driver.dir);
    makeOwn(host, home);
    await driver.removeHalfMade((path) => driver.#erase(path));
    return driver;
  }

  /**
   * Makes an empty subvolume, or a snapshot of the parent's.
   *
   * @origin daemon/graphdriver/btrfs/btrfs.go (*Driver).Create, subvolCreate, subvolSnapshot
   * @deviation The root of an empty layer has mode 755 whatever the daemon's umask.
   */
  async create(id: string, parent?: string): Promise<void> {
    const dir = this.layerPath(id);
    if (parent === undefined) {
      await told("Failed to create btrfs subvolume", this.#subvolumes.create(this.dir, id));
      await this.host.fs.chmod(dir, 0o755);
    } else {
      const below = await this.get(parent);
      await told("Failed to create btrfs snapshot", this.#subvolumes.snapshot(below, this.dir, id));
    }
  }

  /**
   * Deletes a layer with all that is inside.
   *
   * @origin daemon/graphdriver/btrfs/btrfs.go (*Driver).Remove, subvolDelete
   * @deviation Subvolumes that a container made in its own go along; 1.2.0 could not remove it then. A layer that is not
   *   there is no error.
   */
  async remove(id: string): Promise<void> {
    unmountBelow(this.host, this.layerPath(id));
    await this.removeLayer(id, (path) => this.#erase(path));
  }

  /** @origin daemon/graphdriver/btrfs/btrfs.go (*Driver).Cleanup */
  async cleanup(): Promise<void> {
    unmountBelow(this.host, this.#home);
  }

  /** Deletes a subvolume, or what else has this path; nothing there is no error. */
  async #erase(path: string): Promise<void> {
    unmountBelow(this.host, path);
    try {
      await told("Failed to destroy btrfs snapshot", this.#subvolumes.destroy(dirname(path), basename(path)));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.cause : undefined;
      // An ordinary directory, or a file: nobody but us writes here, but a restored backup has no subvolumes.
      if (isErrno(reason, "EINVAL", "ENOTDIR")) return removeTree(this.host, path);
      // The kernel looks for a path to each subvolume inside; rm(1) goes down step by step.
      if (isErrno(reason, "ENAMETOOLONG")) return this.#eraseByStep(path);
      if (!isErrno(reason, "ENOENT")) throw cause;
    }
  }

  async #eraseByStep(path: string): Promise<void> {
    const { code, stderr } = await this.host.exec.run("rm", ["-rf", "--", path]);
    if (code !== 0) throw new SystemError(`Failed to destroy btrfs snapshot: ${stderr.toString().trim()}`);
  }
}

/** Keeps what is mounted below the home to this mount namespace. */
function makeOwn(host: DriverHost, home: string): void {
  try {
    makePrivate(host, home);
  } catch (cause) {
    if (!isErrno(cause, "EPERM", "EACCES")) throw cause;
    throw new DriverUnavailableError("driver not supported", { cause });
  }
}

/** Says what failed as 1.2.0 does. */
async function told(what: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    throw new SystemError(`${what}: ${errnoText(cause)}`, { cause });
  }
}
