/**
 * Layers that are each a whole file system: what one changes is found by comparing it with the one below.
 *
 * @module
 */

import { join } from "node:path/posix";
import { tar } from "../../archive/archive.ts";
import { type Change, changesDirs, changesSize, exportChanges } from "../../archive/changes.ts";
import { treeSize } from "../../archive/tree.ts";
import { isErrno, SystemError } from "../../errdefs/errdefs.ts";
import type { UnpackResult } from "../../host/pool.ts";
import type { Reader } from "../../sync/io.ts";
import type { GraphDriver } from "./driver.ts";
import { NoSuchLayerError } from "./errors.ts";
import type { DriverHost } from "./graphdriver.ts";
import { exists } from "./mounts.ts";

/**
 * What drivers with such layers have in common: all but how a layer is made and removed.
 *
 * A layer is a directory of the driver's; names with a dot in front are being made or removed.
 */
export abstract class WholeLayers implements Omit<GraphDriver, "name" | "create" | "remove" | "cleanup"> {
  readonly independentLayers = false;
  protected readonly dir: string;
  protected readonly host: DriverHost;

  /** @param dir - where the layers are */
  protected constructor(dir: string, host: DriverHost) {
    this.dir = dir;
    this.host = host;
  }

  /** @origin daemon/graphdriver/vfs/driver.go (*Driver).Get; daemon/graphdriver/btrfs/btrfs.go (*Driver).Get */
  async get(id: string): Promise<string> {
    const dir = this.layerPath(id);
    try {
      const info = await this.host.fs.stat(dir);
      if (!info.isDirectory()) throw new SystemError(`${dir}: not a directory`);
      return dir;
    } catch (cause) {
      if (isErrno(cause, "ENOENT")) throw new NoSuchLayerError(dir);
      throw cause;
    }
  }

  /**
   * Nothing is mounted, so there is nothing to give back.
   *
   * @origin daemon/graphdriver/vfs/driver.go (*Driver).Put; daemon/graphdriver/btrfs/btrfs.go (*Driver).Put
   */
  async put(): Promise<void> {}

  /** @origin daemon/graphdriver/vfs/driver.go (*Driver).Exists; daemon/graphdriver/btrfs/btrfs.go (*Driver).Exists */
  async exists(id: string): Promise<boolean> {
    return exists(this.host, this.layerPath(id));
  }

  /** @see GraphDriver.ids */
  async ids(): Promise<string[]> {
    return (await this.host.fs.readdir(this.dir)).filter((name) => !name.startsWith("."));
  }

  /** @origin daemon/graphdriver/vfs/driver.go (*Driver).Status; daemon/graphdriver/btrfs/btrfs.go (*Driver).Status */
  async status(): Promise<undefined> {
    return undefined;
  }

  /** @see GraphDriver.applyDiff */
  async applyDiff(
    id: string,
    _parent: string | undefined,
    layer: Reader,
    signal?: AbortSignal,
    record?: string,
  ): Promise<UnpackResult> {
    const root = this.layerPath(id);
    const chown = this.host.machine.uid === 0;
    const job = { root, whiteouts: "apply", chown, compression: "auto", sync: true, record } as const;
    return this.host.pool.unpack(job, layer, signal);
  }

  /** @throws {SystemError} when the id would name something else than a layer */
  layerPath(id: string): string {
    if (id === "" || id.startsWith(".") || id.includes("/")) throw new SystemError(`${id}: not the id of a layer`);
    return join(this.dir, id);
  }

  /** @see GraphDriver.diff */
  diff(id: string, parent: string | undefined): Reader {
    const dir = this.layerPath(id);
    if (parent === undefined) return tar(this.host, dir);
    const host = this.host;
    const below = this.layerPath(parent);
    return (async function* () {
      yield* exportChanges(host, dir, await changesDirs(host, dir, below));
    })();
  }

  /** @see GraphDriver.changes */
  async changes(id: string, parent: string | undefined): Promise<Change[]> {
    return changesDirs(this.host, this.layerPath(id), parent === undefined ? undefined : this.layerPath(parent));
  }

  /** @see GraphDriver.diffSize */
  async diffSize(id: string, parent: string | undefined): Promise<number> {
    const dir = this.layerPath(id);
    if (parent === undefined) return treeSize(this.host, dir);
    return changesSize(this.host, dir, await this.changes(id, parent));
  }

  /**
   * Moves a layer aside, so that nobody finds half of it, and deletes it; one that is not there is no error.
   *
   * @param erase - deletes what has this path
   */
  protected async removeLayer(id: string, erase: (path: string) => Promise<void>): Promise<void> {
    const dir = this.layerPath(id);
    const gone = join(this.dir, `.removing-${id}`);
    await erase(gone); // from a time when that failed
    try {
      await this.host.fs.rename(dir, gone);
    } catch (cause) {
      if (isErrno(cause, "ENOENT")) return;
      throw cause;
    }
    await erase(gone);
  }

  /** Deletes what a killed daemon was making or removing. */
  protected async removeHalfMade(erase: (path: string) => Promise<void>): Promise<void> {
    for (const name of await this.host.fs.readdir(this.dir)) {
      if (name.startsWith(".")) await erase(join(this.dir, name));
    }
  }
}
