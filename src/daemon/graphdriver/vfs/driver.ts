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
import { SystemError } from "../../../errdefs/errdefs.ts";
import type { GraphDriver } from "../driver.ts";
import { DriverUnavailableError, NoSuchLayerError } from "../errors.ts";
import type { DriverHost } from "../graphdriver.ts";
import { removeTree } from "../remove-tree.ts";
import { WholeLayers } from "../whole-layers.ts";

const TEMP = ".new-";

/** @origin daemon/graphdriver/vfs/driver.go Driver */
export class VfsDriver extends WholeLayers implements GraphDriver {
  readonly name = "vfs";
  /** Whether cp(1) is GNU's; asked once. */
  #cp: Promise<boolean> | undefined;

  private constructor(home: string, host: DriverHost) {
    super(join(home, "dir"), host);
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
    await host.fs.mkdir(driver.dir, { recursive: true, mode: 0o700 });
    await driver.removeHalfMade((path) => removeTree(host, path));
    return driver;
  }

  /** @origin daemon/graphdriver/vfs/driver.go (*Driver).Create */
  async create(id: string, parent?: string): Promise<void> {
    const { fs } = this.host;
    const temp = join(this.dir, TEMP + id);
    if (parent !== undefined && !(await this.exists(parent))) {
      throw new SystemError(`${parent}: ${new NoSuchLayerError(join(this.dir, parent)).message}`);
    }
    await removeTree(this.host, temp);
    await fs.mkdir(temp, { mode: 0o755 });
    try {
      if (parent !== undefined) await this.#copy(this.layerPath(parent), temp);
      await fs.rename(temp, this.layerPath(id));
    } catch (cause) {
      await removeTree(this.host, temp);
      throw cause;
    }
  }

  /** @origin daemon/graphdriver/vfs/driver.go (*Driver).Remove */
  async remove(id: string): Promise<void> {
    await this.removeLayer(id, (path) => removeTree(this.host, path));
  }

  /** @origin daemon/graphdriver/vfs/driver.go (*Driver).Cleanup */
  async cleanup(): Promise<void> {}

  /**
   * Copies a tree with everything cp(1) can keep; blocks are shared where the file system can.
   *
   * @origin daemon/graphdriver/vfs/driver.go copyDir
   */
  async #copy(from: string, to: string): Promise<void> {
    this.#cp ??= this.host.exec.run("cp", ["--version"]).then(({ stdout }) => stdout.includes("GNU coreutils"));
    const gnu = await this.#cp;
    const args = gnu ? ["-aT", "--reflink=auto", from, to] : ["-a", `${from}/.`, `${to}/.`];
    const result = await this.host.exec.run("cp", args);
    if (result.code === 0) return;
    const said = Buffer.concat([result.stdout, result.stderr]).toString().trim();
    throw new SystemError(`Error VFS copying directory: exit status ${result.code} (${said})`);
  }
}
