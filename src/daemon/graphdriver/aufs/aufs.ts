/**
 * The aufs storage driver: three entries describe every layer.
 *
 * ```text
 * <root>/layers/<id>  ids of the layers below, nearest first, one per line; empty for a base layer
 * <root>/diff/<id>/   what this layer adds, or hides by `.wh.<name>` files
 * <root>/mnt/<id>/    where the layer and everything below it is mounted
 * ```
 *
 * Invariant: the driver knows `<id>` exactly when `layers/<id>` exists.
 *
 * @origin daemon/graphdriver/aufs/aufs.go
 * @article part 11
 * @article 004/g
 * @deviation Where the kernel has no aufs, fuse-overlayfs mounts the same layers, and keeps `<root>/work/<id>` meanwhile.
 *   Roots of Docker before 0.7 are not moved here from `graph/<id>/layer` (migrate.go): nobody has them any more.
 * @module
 */

import { dirname, join } from "node:path/posix";
import { tar } from "../../../archive/archive.ts";
import { type Change, changes } from "../../../archive/changes.ts";
import { treeSize } from "../../../archive/tree.ts";
import { isErrno, messageOf, SystemError } from "../../../errdefs/errdefs.ts";
import type { UnpackResult } from "../../../host/pool.ts";
import type { Logger } from "../../../pkg/log/log.ts";
import type { Reader } from "../../../sync/io.ts";
import { KeyedMutex } from "../../../sync/keyed-mutex.ts";
import { writeSynced } from "../../../utils/durable.ts";
import { truncateID } from "../../../utils/utils.ts";
import type { GraphDriver } from "../driver.ts";
import { DriverUnavailableError } from "../errors.ts";
import type { DriverHost } from "../graphdriver.ts";
import { exists, makePrivate, unmountBelow } from "../mounts.ts";
import { removeTree } from "../remove-tree.ts";
import { getParentIds, loadIds } from "./dirs.ts";
import { FuseOverlayfs, missingFuse } from "./fuse-overlayfs.ts";
import { KernelAufs, type UnionMount } from "./mount.ts";

const TEMP = ".new-";
const REMOVING = "-removing";
/** What a layer's directory is called; anything else in `diff` is not ours to remove. */
const LAYER = /^[0-9a-f]{64}(-init)?$/;

/** File systems that aufs cannot lie upon, by their magic number. @origin daemon/graphdriver/aufs/aufs.go incompatibleFsMagic */
const INCOMPATIBLE = [0x9123683e /* btrfs */, 0x61756673 /* aufs */];

/** @origin daemon/graphdriver/aufs/aufs.go Driver */
export class AufsDriver implements GraphDriver {
  readonly name = "aufs";
  readonly independentLayers = true;
  readonly #root: string;
  readonly #host: DriverHost;
  readonly #log: Logger;
  readonly #union: UnionMount;
  readonly #active = new Map<string, number>();
  readonly #locks = new KeyedMutex();

  private constructor(root: string, host: DriverHost, log: Logger, union: UnionMount) {
    this.#root = root;
    this.#host = host;
    this.#log = log;
    this.#union = union;
  }

  /**
   * Prepares the driver's directory: unmounts and removes what a killed daemon left half done.
   *
   * @param root - `<docker root>/aufs`
   * @param asked - whether this driver was asked for by name: only then may fuse-overlayfs stand in for the kernel
   * @throws {DriverUnavailableError} when nothing here can mount layers over each other
   * @origin daemon/graphdriver/aufs/aufs.go Init
   * @deviation What no file system under the kernel's aufs can do does not matter to fuse-overlayfs.
   */
  static async init(
    root: string,
    options: readonly string[],
    host: DriverHost,
    log: Logger,
    asked: boolean,
  ): Promise<AufsDriver> {
    const [unknown] = options;
    if (unknown !== undefined) throw new DriverUnavailableError(`aufs: Unknown option ${unknown.split("=", 1)[0]}`);
    if (host.machine.os !== "linux" || host.machine.uid !== 0) throw new DriverUnavailableError("driver not supported");
    // Both take the paths in a list, and cannot be told that one of these is part of a name.
    if (/[:,\\=]/.test(root)) throw new DriverUnavailableError(`aufs: ${root} has one of : , = \\ in its name`);
    const { fs } = host;
    const union = await chooseUnion(root, host, log, asked);
    await fs.mkdir(root, { recursive: true, mode: 0o755 });
    if (union.fstype === "aufs") await checkFileSystem(dirname(root), host);
    unmountBelow(host, root);
    try {
      makePrivate(host, root);
    } catch (cause) {
      if (!isErrno(cause, "EPERM", "EACCES")) throw cause;
      throw new DriverUnavailableError("driver not supported", { cause });
    }
    for (const name of ["mnt", "diff", "layers"]) await fs.mkdir(join(root, name), { recursive: true, mode: 0o755 });
    const driver = new AufsDriver(root, host, log, union);
    await driver.#removeHalfMade();
    return driver;
  }

  /** @origin daemon/graphdriver/aufs/aufs.go (*Driver).Status */
  async status(): Promise<[string, string][]> {
    const ids = await this.ids();
    return [
      ["Root Dir", this.#root],
      ["Dirs", String(ids.length)],
    ];
  }

  /** @origin daemon/graphdriver/aufs/aufs.go (*Driver).Exists */
  async exists(id: string): Promise<boolean> {
    return exists(this.#host, join(this.#root, "layers", id));
  }

  /** @see GraphDriver.ids */
  async ids(): Promise<string[]> {
    return loadIds(this.#host, join(this.#root, "layers"));
  }

  /**
   * Registers an empty layer on top of `parent`.
   *
   * @throws {NoSuchLayerError} when `parent` is given but unknown
   * @origin daemon/graphdriver/aufs/aufs.go (*Driver).Create
   * @deviation The layers below are read first, so a failed call leaves nothing behind; 1.2.0 leaves two directories and
   *   an empty `layers/<id>`. That file is written under another name, synced and renamed.
   */
  async create(id: string, parent?: string): Promise<void> {
    await this.#locks.run(id, async () => {
      const { fs } = this.#host;
      const below = parent === undefined ? [] : [parent, ...(await getParentIds(this.#host, this.#root, parent))];
      const fresh = !(await this.exists(id));
      const temp = join(this.#root, TEMP + id);
      try {
        if (fresh) await this.#removeDirs(id); // of a removal that failed
        await fs.rm(temp, { force: true });
        for (const name of ["mnt", "diff"])
          await fs.mkdir(join(this.#root, name, id), { recursive: true, mode: 0o755 });
        await writeSynced(fs, temp, below.map((one) => `${one}\n`).join(""), 0o644);
        // Last: this file is what makes the layer exist (see the invariant).
        await fs.rename(temp, join(this.#root, "layers", id));
      } catch (cause) {
        await fs.rm(temp, { force: true });
        if (fresh) await this.#removeDirs(id);
        throw cause;
      }
    });
  }

  /**
   * Unmounts and removes a layer.
   *
   * @origin daemon/graphdriver/aufs/aufs.go (*Driver).Remove
   * @deviation `layers/<id>` goes first, not last, so that no layer is ever without its directory.
   */
  async remove(id: string): Promise<void> {
    await this.#locks.run(id, async () => {
      if (this.#active.has(id)) this.#log.error("aufs.go:213", `Warning: removing active id ${id}`);
      await this.#union.unmount(join(this.#root, "mnt", id));
      this.#active.delete(id);
      await this.#host.fs.rm(join(this.#root, "layers", id), { force: true });
      await this.#removeDirs(id);
    });
  }

  /**
   * Makes the layer visible: its own directory when nothing lies below it, else a mount.
   *
   * @origin daemon/graphdriver/aufs/aufs.go (*Driver).Get
   * @deviation An unknown layer is an error; 1.2.0 returned the path of a directory that is not there.
   */
  async get(id: string, mountLabel = ""): Promise<string> {
    return this.#locks.run(id, async () => {
      const ids = await getParentIds(this.#host, this.#root, id);
      const count = this.#active.get(id) ?? 0;
      const rw = join(this.#root, "diff", id);
      const target = join(this.#root, "mnt", id);
      if (ids.length > 0 && count === 0) {
        await this.#union.mount({ ro: this.#layerPaths(ids), rw, target, label: mountLabel });
      }
      this.#active.set(id, count + 1);
      return ids.length > 0 ? target : rw;
    });
  }

  /** @origin daemon/graphdriver/aufs/aufs.go (*Driver).Put */
  async put(id: string): Promise<void> {
    await this.#locks.run(id, async () => {
      const count = this.#active.get(id) ?? 0;
      if (count > 1) {
        this.#active.set(id, count - 1);
        return;
      }
      this.#active.delete(id);
      await this.#union.unmount(join(this.#root, "mnt", id));
    });
  }

  /** @origin daemon/graphdriver/aufs/aufs.go (*Driver).Diff */
  diff(id: string): Reader {
    return tar(this.#host, join(this.#root, "diff", id));
  }

  /**
   * Unpacks an archive into the layer's own directory; its `.wh.` files stay for the mount to find.
   *
   * @origin daemon/graphdriver/aufs/aufs.go (*Driver).ApplyDiff
   * @deviation A directory that an archive deletes and brings is opaque; 1.2.0 kept both and the mount hid it.
   */
  async applyDiff(
    id: string,
    _parent: string | undefined,
    layer: Reader,
    signal?: AbortSignal,
    record?: string,
  ): Promise<UnpackResult> {
    const root = this.layerPath(id);
    const job = { root, whiteouts: "aufs", chown: true, compression: "auto", sync: true, record } as const;
    return this.#host.pool.unpack(job, layer, signal);
  }

  /** @see GraphDriver.layerPath */
  layerPath(id: string): string {
    return join(this.#root, "diff", id);
  }

  /** @origin daemon/graphdriver/aufs/aufs.go (*Driver).DiffSize */
  async diffSize(id: string): Promise<number> {
    return treeSize(this.#host, join(this.#root, "diff", id));
  }

  /** @origin daemon/graphdriver/aufs/aufs.go (*Driver).Changes */
  async changes(id: string): Promise<Change[]> {
    const ids = await getParentIds(this.#host, this.#root, id);
    if (ids.length === 0) throw new SystemError(`Dir ${id} does not have any parent layers`);
    return changes(this.#host, this.#layerPaths(ids), join(this.#root, "diff", id));
  }

  /** @origin daemon/graphdriver/aufs/aufs.go (*Driver).Cleanup */
  async cleanup(): Promise<void> {
    this.#active.clear();
    for (const id of await this.ids()) {
      try {
        await this.#union.unmount(join(this.#root, "mnt", id));
      } catch (cause) {
        this.#log.error("aufs.go:381", `Unmounting ${truncateID(id)}: ${messageOf(cause)}`);
      }
    }
    unmountBelow(this.#host, this.#root);
  }

  /** @origin daemon/graphdriver/aufs/aufs.go (*Driver).getParentLayerPaths */
  #layerPaths(ids: readonly string[]): string[] {
    return ids.map((id) => join(this.#root, "diff", id));
  }

  /** Removes a layer's directories, each first moved out of the way so that nobody finds half of it. */
  async #removeDirs(id: string): Promise<void> {
    const { fs } = this.#host;
    for (const name of ["mnt", "diff"]) {
      const gone = join(this.#root, name, id + REMOVING);
      await removeTree(this.#host, gone); // from a time when that failed
      try {
        await fs.rename(join(this.#root, name, id), gone);
      } catch (cause) {
        if (isErrno(cause, "ENOENT")) continue;
        throw cause;
      }
      await removeTree(this.#host, gone);
    }
  }

  /** Removes what a killed daemon was creating, removing or mounting. */
  async #removeHalfMade(): Promise<void> {
    const { fs } = this.#host;
    const known = new Set(await this.ids());
    for (const name of await fs.readdir(this.#root)) {
      if (name.startsWith(TEMP) || name === "work") await removeTree(this.#host, join(this.#root, name));
    }
    for (const dir of ["mnt", "diff"]) {
      for (const name of await fs.readdir(join(this.#root, dir))) {
        const id = name.endsWith(REMOVING) ? name.slice(0, -REMOVING.length) : name;
        const whole = id === name && known.has(id);
        if (LAYER.test(id) && !whole) await removeTree(this.#host, join(this.#root, dir, name));
      }
    }
  }
}

/** Finds what can mount here. */
async function chooseUnion(root: string, host: DriverHost, log: Logger, asked: boolean): Promise<UnionMount> {
  if (await supportsAufs(host)) return new KernelAufs(host, log);
  const missing = asked ? await missingFuse(host) : "it was not asked for";
  if (missing === undefined) {
    log.info("aufs: this kernel has none: fuse-overlayfs mounts the layers");
    return new FuseOverlayfs(join(root, "work"), host, log);
  }
  if (asked) log.error("aufs.go:71", `aufs is not in /proc/filesystems, and instead of it ${missing}`);
  throw new DriverUnavailableError("driver not supported");
}

/**
 * Whether the kernel has aufs. It is asked to load it first, as a container's modprobe(8) cannot.
 *
 * @origin daemon/graphdriver/aufs/aufs.go supportsAufs
 */
async function supportsAufs({ fs, exec }: DriverHost): Promise<boolean> {
  await exec.run("modprobe", ["aufs"]).catch(() => undefined);
  const known = await fs.readFile("/proc/filesystems", "utf8").catch(() => "");
  return known.split("\n").some((line) => line.includes("aufs"));
}

async function checkFileSystem(dir: string, { fs }: DriverHost): Promise<void> {
  let type: number;
  try {
    ({ type } = await fs.statfs(dir));
  } catch (cause) {
    throw new SystemError(`Couldn't stat the root directory: ${messageOf(cause)}`, { cause });
  }
  if (INCOMPATIBLE.includes(type))
    throw new DriverUnavailableError("backing file system is unsupported for this graph driver");
}
