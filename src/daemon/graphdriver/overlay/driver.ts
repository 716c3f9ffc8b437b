/**
 * The overlay storage driver: each layer holds what it adds, the kernel lays them over each other.
 *
 * ```text
 * <home>/<id>/diff/     what the layer adds or hides (0:0 devices hide; trusted.overlay.opaque hides what is below)
 * <home>/<id>/work/     the kernel's own
 * <home>/<id>/merged/   where the layer and everything below it is mounted
 * <home>/<id>/link      the layer's short name
 * <home>/<id>/lower     short names of the layers below, nearest first: l/AB:l/CD; no file for a base layer
 * <home>/l/<short>      link to ../<id>/diff
 * ```
 *
 * The options of mount(2) have to fit in one page: short names, taken relative to `<home>`, leave room for some 300
 * layers. A layer exists exactly when `<home>/<id>` does: it is made under another name and renamed.
 *
 * @since Docker 1.4 (daemon/graphdriver/overlay), in the form of overlay2 of Docker 1.12
 * @module
 */

import { join } from "node:path/posix";
import { tar } from "../../../archive/archive.ts";
import type { Change } from "../../../archive/changes.ts";
import { treeSize } from "../../../archive/tree.ts";
import { isErrno } from "../../../errdefs/errdefs.ts";
import type { UnpackResult } from "../../../host/pool.ts";
import type { Logger } from "../../../pkg/log/log.ts";
import type { Reader } from "../../../sync/io.ts";
import { KeyedMutex } from "../../../sync/keyed-mutex.ts";
import { writeSynced } from "../../../utils/durable.ts";
import type { GraphDriver } from "../driver.ts";
import { DriverUnavailableError, NoSuchLayerError } from "../errors.ts";
import type { DriverHost } from "../graphdriver.ts";
import { exists, unmountBelow, unmountLayer } from "../mounts.ts";
import { removeTree } from "../remove-tree.ts";
import { overlayChanges } from "./diff.ts";

/** Digits of a short name. */
const SHORT_DIGITS = 12;
const TEMP = ".new-";
const REMOVING = ".removing-";
/** Kernel settings that would leave marks in a layer which only this kernel understands. */
const KERNEL_OPTIONS = ["redirect_dir", "index", "metacopy"];

/** @see GraphDriver */
export class OverlayDriver implements GraphDriver {
  readonly name = "overlay";
  readonly independentLayers = true;
  readonly #home: string;
  readonly #host: DriverHost;
  readonly #log: Logger;
  readonly #options: string;
  readonly #users = new Map<string, number>();
  readonly #locks = new KeyedMutex();

  private constructor(home: string, host: DriverHost, log: Logger, options: string) {
    this.#home = home;
    this.#host = host;
    this.#log = log;
    this.#options = options;
  }

  /**
   * Prepares the driver's directory: unmounts and removes what a killed daemon left half done.
   *
   * @param home - `<docker root>/overlay`
   * @throws {DriverUnavailableError} when the kernel does not mount overlay on this file system, or we may not mount
   */
  static async init(home: string, options: readonly string[], host: DriverHost, log: Logger): Promise<OverlayDriver> {
    const [unknown] = options;
    if (unknown !== undefined) throw new DriverUnavailableError(`overlay: Unknown option ${unknown.split("=", 1)[0]}`);
    if (host.machine.os !== "linux" || host.machine.uid !== 0) throw new DriverUnavailableError("driver not supported");
    const { fs } = host;
    await fs.mkdir(join(home, "l"), { recursive: true, mode: 0o700 });
    unmountBelow(host, home);
    await probe(home, host);
    const off: string[] = [];
    for (const name of KERNEL_OPTIONS) {
      if (await exists(host, `/sys/module/overlay/parameters/${name}`)) off.push(`,${name}=off`);
    }
    const driver = new OverlayDriver(home, host, log, off.join(""));
    await driver.#removeHalfMade();
    return driver;
  }

  /** @see GraphDriver.create */
  async create(id: string, parent?: string): Promise<void> {
    const { fs, random } = this.#host;
    const below = parent === undefined ? undefined : await this.#chain(parent);
    const temp = join(this.#home, `${TEMP}${id}`);
    const short = random.bytes(SHORT_DIGITS / 2).toString("hex");
    await removeTree(this.#host, temp);
    try {
      await fs.mkdir(temp, { mode: 0o700 });
      const steps = await Promise.allSettled([
        fs.mkdir(join(temp, "diff"), { mode: 0o755 }),
        fs.mkdir(join(temp, "work"), { mode: 0o700 }),
        fs.mkdir(join(temp, "merged"), { mode: 0o700 }),
        // Synced: after a power failure an empty one would make the layer useless.
        writeSynced(fs, join(temp, "link"), short),
        below === undefined ? undefined : writeSynced(fs, join(temp, "lower"), below),
        fs.symlink(`../${id}/diff`, join(this.#home, "l", short)),
      ]);
      for (const step of steps) if (step.status === "rejected") throw step.reason;
      if (parent !== undefined) await this.#inheritRoot(parent, join(temp, "diff"));
      await fs.rename(temp, join(this.#home, id));
    } catch (cause) {
      await removeTree(this.#host, temp);
      await fs.rm(join(this.#home, "l", short), { force: true });
      throw cause;
    }
  }

  /** @see GraphDriver.remove */
  async remove(id: string): Promise<void> {
    await this.#locks.run(id, async () => {
      const { fs } = this.#host;
      unmountLayer(this.#host, join(this.#home, id, "merged"), this.#log);
      this.#users.delete(id);
      const gone = join(this.#home, `${REMOVING}${id}`);
      await removeTree(this.#host, gone); // from a time when that failed
      try {
        await fs.rename(join(this.#home, id), gone);
      } catch (cause) {
        if (isErrno(cause, "ENOENT")) return;
        throw cause;
      }
      await this.#erase(gone);
    });
  }

  /** @see GraphDriver.get */
  async get(id: string): Promise<string> {
    return this.#locks.run(id, async () => {
      const { fs } = this.#host;
      const dir = join(this.#home, id);
      const lower = await this.#lower(id);
      this.#users.set(id, (this.#users.get(id) ?? 0) + 1);
      // Nothing below: nothing to lay over.
      if (lower === undefined) return join(dir, "diff");
      if (this.#users.get(id) === 1) {
        try {
          await fs.mkdir(join(dir, "merged"), { recursive: true, mode: 0o700 });
          const data = `lowerdir=${lower},upperdir=${id}/diff,workdir=${id}/work${this.#options}`;
          this.#host.kernel.mount("overlay", join(dir, "merged"), "overlay", [], data, this.#home);
        } catch (cause) {
          this.#users.delete(id);
          throw cause;
        }
      }
      return join(dir, "merged");
    });
  }

  /** @see GraphDriver.put */
  async put(id: string): Promise<void> {
    await this.#locks.run(id, async () => {
      const users = this.#users.get(id) ?? 0;
      if (users > 1) {
        this.#users.set(id, users - 1);
        return;
      }
      this.#users.delete(id);
      unmountLayer(this.#host, join(this.#home, id, "merged"), this.#log);
    });
  }

  /** @see GraphDriver.exists */
  async exists(id: string): Promise<boolean> {
    return exists(this.#host, join(this.#home, id, "diff"));
  }

  /** @see GraphDriver.ids */
  async ids(): Promise<string[]> {
    const names = await this.#host.fs.readdir(this.#home);
    return names.filter((name) => name !== "l" && !name.startsWith("."));
  }

  /** @see GraphDriver.status */
  async status(): Promise<[string, string][]> {
    const { type } = await this.#host.fs.statfs(this.#home);
    return [["Backing Filesystem", FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`]];
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
    const job = { root, whiteouts: "overlay", chown: true, compression: "auto", sync: true, record } as const;
    return this.#host.pool.unpack(job, layer, signal);
  }

  /** @see GraphDriver.layerPath */
  layerPath(id: string): string {
    return join(this.#home, id, "diff");
  }

  /** @see GraphDriver.diff */
  diff(id: string): Reader {
    return tar(this.#host, join(this.#home, id, "diff"), { whiteouts: "overlay" });
  }

  /** @see GraphDriver.changes */
  async changes(id: string): Promise<Change[]> {
    const lower = (await this.#lower(id))?.split(":").map((name) => join(this.#home, name)) ?? [];
    return overlayChanges(this.#host, join(this.#home, id, "diff"), lower);
  }

  /** @see GraphDriver.diffSize */
  async diffSize(id: string): Promise<number> {
    return treeSize(this.#host, join(this.#home, id, "diff"));
  }

  /** @see GraphDriver.cleanup */
  async cleanup(): Promise<void> {
    this.#users.clear();
    unmountBelow(this.#host, this.#home);
  }

  /** Short names of a layer and everything below it: what a layer on top of it has as `lower`. */
  async #chain(id: string): Promise<string> {
    const { fs } = this.#host;
    let short: string;
    try {
      short = await fs.readFile(join(this.#home, id, "link"), "utf8");
    } catch (cause) {
      if (isErrno(cause, "ENOENT")) throw new NoSuchLayerError(join(this.#home, id));
      throw cause;
    }
    const lower = await this.#lower(id);
    return lower === undefined ? `l/${short}` : `l/${short}:${lower}`;
  }

  async #lower(id: string): Promise<string | undefined> {
    const { fs } = this.#host;
    try {
      return await fs.readFile(join(this.#home, id, "lower"), "utf8");
    } catch (cause) {
      if (!isErrno(cause, "ENOENT")) throw cause;
      if (!(await this.exists(id))) throw new NoSuchLayerError(join(this.#home, id));
      return undefined;
    }
  }

  /** The root of the merged tree looks as the upper layer's: mode and owner of the image's root go along. */
  async #inheritRoot(parent: string, diff: string): Promise<void> {
    const { fs } = this.#host;
    const info = await fs.stat(join(this.#home, parent, "diff"));
    await fs.chmod(diff, info.mode & 0o7777);
    if (info.uid !== 0 || info.gid !== 0) await fs.chown(diff, info.uid, info.gid);
  }

  /** Deletes a directory that is no layer any more, and its short name. */
  async #erase(dir: string): Promise<void> {
    const { fs } = this.#host;
    const short = await fs.readFile(join(dir, "link"), "utf8").catch(() => undefined);
    if (short !== undefined && /^[0-9a-f]+$/.test(short)) await fs.rm(join(this.#home, "l", short), { force: true });
    await removeTree(this.#host, dir);
  }

  async #removeHalfMade(): Promise<void> {
    const { fs } = this.#host;
    for (const name of await fs.readdir(this.#home)) {
      if (name.startsWith(TEMP) || name.startsWith(REMOVING)) await this.#erase(join(this.#home, name));
    }
    for (const short of await fs.readdir(join(this.#home, "l"))) {
      const path = join(this.#home, "l", short);
      if (!(await fs.stat(path).catch(() => undefined))) await fs.rm(path, { force: true });
    }
  }
}

/** Names of file systems by their magic number, as `docker info` prints them. */
const FILE_SYSTEMS: Record<number, string> = {
  61267: "extfs",
  1481003842: "xfs",
  2435016766: "btrfs",
  16914836: "tmpfs",
  801189825: "zfs",
};

/** Tries a real mount: the only way to know that kernel, file system and privileges go together. */
async function probe(home: string, { fs, kernel }: DriverHost): Promise<void> {
  const dir = join(home, `${TEMP}probe`);
  await fs.rm(dir, { recursive: true, force: true });
  for (const name of ["lower", "upper", "work", "merged"]) await fs.mkdir(join(dir, name), { recursive: true });
  const data = `lowerdir=${dir}/lower,upperdir=${dir}/upper,workdir=${dir}/work`;
  try {
    kernel.mount("overlay", join(dir, "merged"), "overlay", [], data);
    kernel.unmount(join(dir, "merged"));
  } catch (cause) {
    if (isErrno(cause, "ENODEV", "EPERM", "EACCES"))
      throw new DriverUnavailableError("driver not supported", { cause });
    if (isErrno(cause, "EINVAL")) {
      throw new DriverUnavailableError("backing file system is unsupported for this graph driver", { cause });
    }
    throw cause;
  } finally {
    await fs.rm(dir, { recursive: true, force: true });
  }
}
