/**
 * The storage driver that needs nothing: each layer is a directory with everything in it, copied from the one below.
 *
 * ```text
 * <home>/dir/<id>/   the whole file system at this layer
 * ```
 *
 * Slow and large, but it works on every file system, on every host and without root. A layer exists exactly when its
 * directory does: it is copied under another name and renamed.
 *
 * @origin daemon/graphdriver/vfs/driver.go
 * @module
 */

import { join } from "node:path/posix";
import { tar } from "../../../archive/archive.ts";
import { type Change, changesDirs, changesSize, exportChanges } from "../../../archive/changes.ts";
import { treeSize } from "../../../archive/tree.ts";
import { isErrno, SystemError } from "../../../errdefs/errdefs.ts";
import type { UnpackResult } from "../../../host/pool.ts";
import type { Reader } from "../../../sync/io.ts";
import type { GraphDriver } from "../driver.ts";
import { DriverUnavailableError, NoSuchLayerError } from "../errors.ts";
import type { DriverHost } from "../graphdriver.ts";
import { removeTree } from "../remove-tree.ts";

const TEMP = ".new-";
const REMOVING = ".removing-";

/** @origin daemon/graphdriver/vfs/driver.go Driver */
export class VfsDriver implements GraphDriver {
  readonly name = "vfs";
  readonly independentLayers = false;
  readonly #dir: string;
  readonly #host: DriverHost;
  /** Whether cp(1) is GNU's; asked once. */
  #cp: Promise<boolean> | undefined;

  private constructor(home: string, host: DriverHost) {
    this.#dir = join(home, "dir");
    this.#host = host;
  }

  /**
   * Prepares the driver's directory and removes what a killed daemon left half copied.
   *
   * @param home - `<docker root>/vfs`
   * @throws {DriverUnavailableError} for any option: there are none
   * @origin daemon/graphdriver/vfs/driver.go Init
   */
  static async init(home: string, options: readonly string[], host: DriverHost): Promise<VfsDriver> {
    const [unknown] = options;
    if (unknown !== undefined) throw new DriverUnavailableError(`vfs: Unknown option ${unknown.split("=", 1)[0]}`);
    const driver = new VfsDriver(home, host);
    await host.fs.mkdir(driver.#dir, { recursive: true, mode: 0o700 });
    for (const name of await host.fs.readdir(driver.#dir)) {
      if (name.startsWith(".")) await removeTree(host, join(driver.#dir, name));
    }
    return driver;
  }

  /** @origin daemon/graphdriver/vfs/driver.go (*Driver).Create */
  async create(id: string, parent?: string): Promise<void> {
    const { fs } = this.#host;
    const temp = join(this.#dir, TEMP + id);
    if (parent !== undefined && !(await this.exists(parent))) {
      throw new SystemError(`${parent}: ${new NoSuchLayerError(join(this.#dir, parent)).message}`);
    }
    await removeTree(this.#host, temp);
    await fs.mkdir(temp, { mode: 0o755 });
    try {
      if (parent !== undefined) await this.#copy(join(this.#dir, parent), temp);
      await fs.rename(temp, join(this.#dir, id));
    } catch (cause) {
      await removeTree(this.#host, temp);
      throw cause;
    }
  }

  /** @origin daemon/graphdriver/vfs/driver.go (*Driver).Remove */
  async remove(id: string): Promise<void> {
    const { fs } = this.#host;
    const gone = join(this.#dir, REMOVING + id);
    await removeTree(this.#host, gone); // from a time when that failed
    try {
      await fs.rename(join(this.#dir, id), gone);
    } catch (cause) {
      if (isErrno(cause, "ENOENT")) return;
      throw cause;
    }
    await removeTree(this.#host, gone);
  }

  /** @origin daemon/graphdriver/vfs/driver.go (*Driver).Get */
  async get(id: string): Promise<string> {
    const dir = join(this.#dir, id);
    try {
      const info = await this.#host.fs.stat(dir);
      if (!info.isDirectory()) throw new SystemError(`${dir}: not a directory`);
      return dir;
    } catch (cause) {
      if (isErrno(cause, "ENOENT")) throw new NoSuchLayerError(dir);
      throw cause;
    }
  }

  /** Nothing is mounted, so there is nothing to give back. @origin daemon/graphdriver/vfs/driver.go (*Driver).Put */
  async put(): Promise<void> {}

  /** @origin daemon/graphdriver/vfs/driver.go (*Driver).Exists */
  async exists(id: string): Promise<boolean> {
    return this.#host.fs.stat(join(this.#dir, id)).then(
      () => true,
      () => false,
    );
  }

  /** @see GraphDriver.ids */
  async ids(): Promise<string[]> {
    return (await this.#host.fs.readdir(this.#dir)).filter((name) => !name.startsWith("."));
  }

  /** @origin daemon/graphdriver/vfs/driver.go (*Driver).Status */
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
    const chown = this.#host.machine.uid === 0;
    const job = { root, whiteouts: "apply", chown, compression: "auto", sync: true, record } as const;
    return this.#host.pool.unpack(job, layer, signal);
  }

  /** @see GraphDriver.layerPath */
  layerPath(id: string): string {
    return join(this.#dir, id);
  }

  /** @see GraphDriver.diff */
  diff(id: string, parent: string | undefined): Reader {
    const dir = join(this.#dir, id);
    if (parent === undefined) return tar(this.#host, dir);
    const host = this.#host;
    const below = join(this.#dir, parent);
    return (async function* () {
      yield* exportChanges(host, dir, await changesDirs(host, dir, below));
    })();
  }

  /** @see GraphDriver.changes */
  async changes(id: string, parent: string | undefined): Promise<Change[]> {
    return changesDirs(this.#host, join(this.#dir, id), parent === undefined ? undefined : join(this.#dir, parent));
  }

  /** @see GraphDriver.diffSize */
  async diffSize(id: string, parent: string | undefined): Promise<number> {
    const dir = join(this.#dir, id);
    if (parent === undefined) return treeSize(this.#host, dir);
    return changesSize(this.#host, dir, await this.changes(id, parent));
  }

  /** @origin daemon/graphdriver/vfs/driver.go (*Driver).Cleanup */
  async cleanup(): Promise<void> {}

  /**
   * Copies a tree with everything cp(1) can keep; blocks are shared where the file system can.
   *
   * @origin daemon/graphdriver/vfs/driver.go copyDir
   */
  async #copy(from: string, to: string): Promise<void> {
    this.#cp ??= this.#host.exec.run("cp", ["--version"]).then(({ stdout }) => stdout.includes("GNU coreutils"));
    const gnu = await this.#cp;
    const args = gnu ? ["-aT", "--reflink=auto", from, to] : ["-a", `${from}/.`, `${to}/.`];
    const result = await this.#host.exec.run("cp", args);
    if (result.code === 0) return;
    const said = Buffer.concat([result.stdout, result.stderr]).toString().trim();
    throw new SystemError(`Error VFS copying directory: exit status ${result.code} (${said})`);
  }
}
