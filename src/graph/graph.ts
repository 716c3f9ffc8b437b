/**
 * The store of images.
 *
 * ```text
 * <root>/<id>/json, layersize   an image; its layer is in the driver under the same id
 * <root>/<id>/layer.*           what gives the layer's archive back byte for byte (see layer-archive.ts)
 * <root>/<id>/…                 more that belongs to it (see chains.ts)
 * <root>/_tmp/<random>/         on the way in or out; whatever is found here at the start is left from a crash
 * <root>/_tmp/<random>.commit   ids that are being moved in together (see commit.ts)
 * ```
 *
 * Invariant: a directory named after an id is complete. It appears by a rename, when its layer is complete too, and
 * disappears by one.
 *
 * @origin graph/graph.go
 * @article 004/g
 * @module
 */

import { join } from "node:path/posix";
import type { GraphDriver } from "../daemon/graphdriver/driver.ts";
import { VERSION } from "../dockerversion/dockerversion.ts";
import { ConflictError, isErrno, messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import { Image, type ImageGraph, loadImage } from "../image/image.ts";
import type { Logger } from "../pkg/log/log.ts";
import { TruncIndex } from "../pkg/truncindex/truncindex.ts";
import type { Config } from "../runconfig/config.ts";
import type { Reader } from "../sync/io.ts";
import { KeyedMutex } from "../sync/keyed-mutex.ts";
import { syncDirectory, writeSynced } from "../utils/durable.ts";
import { rfc3339Nano } from "../utils/go-time.ts";
import { generateRandomID, ID_PATTERN, validateID } from "../utils/utils.ts";
import { childrenIn, withAncestors } from "./ancestry.ts";
import { Chains } from "./chains.ts";
import { Children } from "./children.ts";
import { commitStaged, recoverCommits } from "./commit.ts";
import { Holds } from "./holds.ts";
import { openLayer } from "./layer-archive.ts";
import { type ExtraFiles, StagedImage } from "./staged.ts";

/** What the graph touches of the world. */
export type GraphHost = Pick<Host, "fs" | "clock" | "random" | "machine" | "hash" | "pool">;

/** What {@link Graph.create} makes an image of. */
export interface NewImage {
  /** Without it the layer is empty. */
  readonly layer?: Reader | undefined;
  /** Fills the layer of the image with this id in place, and sees to it that everything is on the disk. */
  readonly fill?: ((id: string) => Promise<void>) | undefined;
  /** The container it is made from, the image of that one, and its configuration: all or none. */
  readonly container?: { readonly id: string; readonly image: string; readonly config: Config } | undefined;
  readonly comment: string;
  readonly author: string;
  readonly config?: Config | undefined;
  /** What else is kept with the image. */
  readonly extra?: ExtraFiles | undefined;
}

/** @origin graph/graph.go Graph */
export class Graph implements ImageGraph {
  readonly root: string;
  readonly driver: GraphDriver;
  readonly host: GraphHost;
  readonly log: Logger;
  /** Which image stands for a chain of layers whose content was verified. */
  readonly chains: Chains;
  readonly #children = new Children(this);
  readonly #index = new TruncIndex();
  readonly #ids = new Set<string>();
  readonly #loaded = new Map<string, Promise<Image>>();
  readonly #holds = new Holds();
  readonly #mutex = new KeyedMutex();

  private constructor(root: string, driver: GraphDriver, host: GraphHost, log: Logger) {
    this.root = root;
    this.driver = driver;
    this.host = host;
    this.log = log;
    this.chains = new Chains(this);
  }

  /**
   * Opens the store, making the directory when it is not there, and clears away what a crash left half done.
   *
   * @param root - absolute path
   * @origin graph/graph.go NewGraph
   * @deviation 1.2.0 leaves `_tmp` as it is.
   */
  static async open(root: string, driver: GraphDriver, host: GraphHost, log: Logger): Promise<Graph> {
    await host.fs.mkdir(root, { recursive: true, mode: 0o700 });
    const graph = new Graph(root, driver, host, log);
    await graph.#restore();
    return graph;
  }

  async #restore(): Promise<void> {
    const [names, layers] = await Promise.all([this.fs.readdir(this.root), this.driver.ids()]);
    const held = new Set(layers);
    for (const id of names) {
      // The directory of an image whose layer is not here belongs to another driver: it is left alone.
      if (ID_PATTERN.test(id) && held.has(id)) this.#add(id);
    }
    this.log.debug("graph.go:68", `Restored ${names.length} elements`);
    if (!names.includes("_tmp")) return;
    await recoverCommits(this);
    await this.fs.rm(join(this.root, "_tmp"), { recursive: true, force: true });
  }

  #add(id: string): void {
    if (this.#ids.has(id)) return;
    this.#ids.add(id);
    this.#index.add(id);
  }

  #forget(id: string): void {
    if (!this.#ids.delete(id)) return;
    this.#index.delete(id);
    this.#loaded.delete(id);
    this.#children.delete(id);
    this.chains.forget(id);
  }

  /** The file system the store is on. */
  get fs(): Host["fs"] {
    return this.host.fs;
  }

  /** Directory of an image. @origin graph/graph.go (*Graph).ImageRoot */
  imageRoot(id: string): string {
    return join(this.root, id);
  }

  /** A file that belongs to an image, beside its description; `undefined`: it has none of that name. */
  async readExtra(id: string, name: string): Promise<Buffer | undefined> {
    try {
      return await this.fs.readFile(join(this.imageRoot(id), name));
    } catch (cause) {
      if (isErrno(cause, "ENOENT")) return undefined;
      throw cause;
    }
  }

  /**
   * Writes a file that belongs to an image beside its description, in the place of an older one. Until it is whole it
   * lies where the next start clears up.
   */
  async writeExtra(id: string, name: string, data: string): Promise<void> {
    const directory = await this.mktemp();
    try {
      await writeSynced(this.fs, join(directory, name), data);
      await this.fs.rename(join(directory, name), join(this.imageRoot(id), name));
    } finally {
      await this.fs.rm(directory, { recursive: true, force: true });
    }
    await syncDirectory(this.fs, this.imageRoot(id));
  }

  /** The archive of an image's layer, byte for byte as it came where that was recorded. */
  async *tarLayer(image: Image): Reader & AsyncGenerator<Uint8Array> {
    yield* (await openLayer(this, image)).read();
  }

  /** The ids of all images, readable or not. */
  ids(): string[] {
    return [...this.#ids];
  }

  /** Whether the image with this id is in the graph, readable or not. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Whether the error says that something is not there. @origin graph/graph.go (*Graph).IsNotExist */
  isNotExist(cause: unknown): boolean {
    const text = messageOf(cause);
    return text.includes("does not exist") || text.includes("No such");
  }

  /**
   * The image whose id starts with `name`.
   *
   * @throws {NoSuchError} when there is none, or several
   * @origin graph/graph.go (*Graph).Get
   */
  get(name: string): Promise<Image> {
    let id: string;
    try {
      id = this.#index.get(name);
    } catch (cause) {
      return Promise.reject(cause);
    }
    const known = this.#loaded.get(id);
    if (known !== undefined) return known;
    const image = this.#load(id);
    this.#loaded.set(id, image);
    // A failure is tried again: the disk may heal.
    image.catch(() => this.#loaded.delete(id));
    return image;
  }

  async #load(id: string): Promise<Image> {
    const image = await loadImage(this.imageRoot(id), this.fs);
    if (image.id !== id) throw new SystemError(`Image stored at '${id}' has wrong id '${image.id}'`);
    image.setGraph(this);
    if (image.size < 0) {
      image.size = await this.driver.diffSize(id, image.parent || undefined);
      await this.writeExtra(id, "layersize", String(image.size));
    }
    return image;
  }

  /** Whether the id, or a prefix of only one, leads to a readable image. @origin graph/graph.go (*Graph).Exists */
  async exists(id: string): Promise<boolean> {
    return this.get(id).then(
      () => true,
      () => false,
    );
  }

  /** Makes a new image with a random id. @origin graph/graph.go (*Graph).Create */
  async create(from: NewImage): Promise<Image> {
    const image = new Image({
      id: generateRandomID(this.host.random),
      comment: from.comment,
      created: rfc3339Nano(this.host.clock.nowNs()),
      docker_version: VERSION,
      author: from.author,
      config: from.config ?? null,
      architecture: this.host.machine.arch,
      os: this.host.machine.os,
      ...(from.container === undefined
        ? {}
        : { parent: from.container.image, container: from.container.id, container_config: from.container.config }),
    });
    return this.register(image, { layer: from.layer, fill: from.fill, extra: from.extra });
  }

  /**
   * Adds an image.
   *
   * @param content - `json`: the description's own bytes; without `layer` and `fill` the layer is empty
   * @throws {BadRequestError} when the id is none; {ConflictError} when it is taken. Nothing is left behind
   * @origin graph/graph.go (*Graph).Register
   */
  async register(
    image: Image,
    content: Pick<NewImage, "layer" | "fill" | "extra"> & {
      json?: Uint8Array | undefined;
      signal?: AbortSignal | undefined;
    },
  ): Promise<Image> {
    const staged = await this.prepare(image, content.json);
    try {
      if (content.layer === undefined && content.fill === undefined) {
        image.size = 0;
      } else {
        if (content.layer !== undefined) await staged.apply(content.layer, content.signal);
        await content.fill?.(image.id);
        image.size = await this.driver.diffSize(image.id, image.parent || undefined);
      }
      await this.commit([{ staged, extra: content.extra ?? {} }]);
    } catch (cause) {
      await staged.discard();
      throw cause;
    }
    return image;
  }

  /**
   * Begins to add an image: makes its empty layer. The parent cannot be deleted until it is committed or discarded.
   *
   * @param json - the description's own bytes
   * @throws {BadRequestError} when the id is none; {ConflictError} when it is taken
   * @deviation Nothing is removed before the id is known to be one; 1.2.0 clears up after an empty id, and with it the
   *   directory of all layers.
   */
  async prepare(image: Image, json?: Uint8Array): Promise<StagedImage> {
    validateID(image.id);
    if (image.parent !== "") validateID(image.parent);
    if (await this.exists(image.id)) throw new ConflictError(`Image ${image.id} already exists`);
    const end = this.#holds.arrive(image.id, image.parent);
    const temporary = join(this.root, "_tmp");
    try {
      await this.fs.mkdir(temporary, { recursive: true, mode: 0o700 });
      // What is there under this id belongs to no image: an unreadable one, or one of another driver's time.
      this.#forget(image.id);
      await this.fs.rm(this.imageRoot(image.id), { recursive: true, force: true });
      await this.driver.remove(image.id);
      try {
        await this.driver.create(image.id, image.parent || undefined);
      } catch (cause) {
        throw new SystemError(
          `Driver ${this.driver.name} failed to create image rootfs ${image.id}: ${messageOf(cause)}`,
          { cause },
        );
      }
    } catch (cause) {
      end();
      throw cause;
    }
    const parts = { driver: this.driver, fs: this.fs, record: join(temporary, `${image.id}.split`) };
    return new StagedImage(image, json, parts, end);
  }

  /**
   * Makes prepared images visible, all or none, parents first; those that are visible already are passed over.
   *
   * @throws {SystemError} when they cannot be written; none of them is visible then
   */
  async commit(batch: readonly { staged: StagedImage; extra?: ExtraFiles }[]): Promise<void> {
    await this.#mutex.run("commit", async () => {
      const fresh = batch.filter(({ staged }) => !staged.committed);
      if (fresh.length === 0) return;
      await commitStaged(this, fresh);
      for (const { staged } of fresh) {
        const { image } = staged;
        image.setGraph(this);
        this.#loaded.set(image.id, Promise.resolve(image));
        this.#add(image.id);
        this.#children.add(image.id, image.parent);
        staged.markCommitted();
      }
      await Promise.all(fresh.map(({ staged }) => staged.removeRecord()));
    });
  }

  /** Keeps an image from being deleted until {@link release}. */
  hold(id: string): void {
    this.#holds.hold(id);
  }

  /** Gives back one {@link hold}. */
  release(id: string): void {
    this.#holds.release(id);
  }

  /** Whether somebody builds upon the image just now. */
  isHeld(id: string): boolean {
    return this.#holds.isHeld(id);
  }

  /** Makes an empty directory inside the store. @origin graph/graph.go (*Graph).Mktemp */
  async mktemp(): Promise<string> {
    const directory = join(this.root, "_tmp", generateRandomID(this.host.random));
    await this.fs.mkdir(directory, { recursive: true, mode: 0o700 });
    return directory;
  }

  /**
   * Removes an image and its layer.
   *
   * @param name - id, or a prefix of only one
   * @throws {NoSuchError} when there is none; {ConflictError} while something is being built upon it
   * @origin graph/graph.go (*Graph).Delete
   */
  async delete(name: string): Promise<void> {
    const id = this.#index.get(name);
    if (this.isHeld(id)) throw new ConflictError(`Conflict, image ${id} is in use by a pull or build, retry later`);
    const trash = await this.mktemp();
    this.#forget(id);
    // The rename decides: before it the image is whole, after it only leftovers are there, which the next start removes.
    await this.fs.rename(this.imageRoot(id), trash);
    await syncDirectory(this.fs, this.root);
    await this.driver.remove(id);
    await this.fs.rm(trash, { recursive: true, force: true });
  }

  /**
   * All images that can be used, by id.
   *
   * @origin graph/graph.go (*Graph).Map
   * @deviation An image with a missing ancestor is left out: no container could be made from it.
   */
  async map(): Promise<Map<string, Image>> {
    const images = new Map<string, Image>();
    await Promise.all(
      [...this.#ids].map(async (id) => {
        try {
          images.set(id, await this.get(id));
        } catch (cause) {
          this.log.debug("graph.go:364", `Skipping image ${id}: ${messageOf(cause)}`);
        }
      }),
    );
    return withAncestors(images);
  }

  /** The children of each image that has some. @origin graph/graph.go (*Graph).ByParent */
  async byParent(): Promise<Map<string, Image[]>> {
    return childrenIn(await this.map());
  }

  /** The images directly on top of one; of `""`: on top of nothing. */
  async childrenOf(id: string): Promise<Image[]> {
    const found = await Promise.allSettled((await this.#children.of(id)).map((child) => this.get(child)));
    return found.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  }

  /** The images that no other one is built on. @origin graph/graph.go (*Graph).Heads */
  async heads(): Promise<Map<string, Image>> {
    const images = await this.map();
    const parents = childrenIn(images);
    return new Map([...images].filter(([id]) => !parents.has(id)));
  }

  /**
   * Removes the driver's layers that belong to no image.
   *
   * @param keep - layers of containers (with their `-init` ones) and, where the driver holds them too, of volumes
   * @returns what was removed
   */
  async removeOrphans(keep: ReadonlySet<string>): Promise<string[]> {
    const removed: string[] = [];
    for (const id of await this.driver.ids()) {
      if (this.#ids.has(id) || keep.has(id) || this.#holds.isArriving(id)) continue;
      try {
        await this.driver.remove(id);
        removed.push(id);
      } catch (cause) {
        this.log.error("graph.go:70", `Cannot remove the layer ${id}, which belongs to no image: ${messageOf(cause)}`);
      }
    }
    if (removed.length > 0) this.log.info(`removed ${removed.length} layers that belong to no image or container`);
    return removed;
  }

  /** For {@link recoverCommits}: takes back an image that was made visible alone. */
  async revoke(id: string): Promise<void> {
    this.#forget(id);
    await this.fs.rm(this.imageRoot(id), { recursive: true, force: true });
    await this.driver.remove(id).catch((cause: unknown) => {
      if (!isErrno(cause, "ENOENT")) throw cause;
    });
  }
}
