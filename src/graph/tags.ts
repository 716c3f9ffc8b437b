/**
 * Names for images.
 *
 * ```text
 * <root>/repositories-<driver>  {"Repositories":{"busybox":{"latest":"<id>"}}}
 * <root>/digests-<driver>       {"Digests":{"busybox":{"sha256:<hex of the manifest>":"<id>"}}}; ours
 * ```
 *
 * A change is written to disk first and takes effect then: after a failed write both are as before.
 *
 * @origin graph/tags.go
 * @article 004/f
 * @module
 */

import type { Engine } from "../engine/engine.ts";
import { BadRequestError, isErrno, messageOf, NoSuchError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { Image } from "../image/image.ts";
import type { Logger } from "../pkg/log/log.ts";
import { parseRepositoryTag } from "../pkg/parsers/parsers.ts";
import { familiarName } from "../registry/names.ts";
import { KeyedMutex } from "../sync/keyed-mutex.ts";
import { removeUnfinished, replaceFile } from "../utils/durable.ts";
import { compareBytes, goJson } from "../utils/go-json.ts";
import { truncateID } from "../utils/utils.ts";
import type { Graph } from "./graph.ts";
import { DEFAULT_TAG, PoolBusyError } from "./pool-busy-error.ts";
import { install } from "./service.ts";
import { SharedWork } from "./shared-work.ts";
import { LayerTransfers } from "./transfers.ts";

/** What naming and pulling images touches of the world. */
export type TagStoreHost = Pick<Host, "fs" | "clock" | "random" | "net" | "machine" | "hash" | "env" | "exec" | "pool">;

/** Which registries are asked, and which of them without proof of who they are. */
export interface TagStoreOptions {
  /** Asked before the official index; URLs. @since Docker 1.3 */
  readonly mirrors?: readonly string[];
  /** `host[:port]` or an IPv4 network in CIDR notation. @since Docker 1.3 */
  readonly insecureRegistries?: readonly string[];
  /** Where certificates of registries are; default `/etc/docker/certs.d`. */
  readonly certsDir?: string;
}

export { DEFAULT_TAG, PoolBusyError };

type Names = Map<string, Map<string, string>>;

/** @origin graph/tags.go TagStore */
export class TagStore {
  readonly graph: Graph;
  readonly host: TagStoreHost;
  readonly log: Logger;
  readonly options: Required<TagStoreOptions>;
  /** Work in progress by key; a pull and a push of one name exclude each other. */
  readonly pullingPool = new Map<string, SharedWork<unknown>>();
  readonly pushingPool = new Map<string, SharedWork<unknown>>();
  /** Layers on their way in, shared by all pulls. */
  readonly layers: LayerTransfers;
  readonly #path: string;
  readonly #digestPath: string;
  readonly #mutex = new KeyedMutex();
  #names: Names = new Map();
  #digests: Names = new Map();

  private constructor(path: string, graph: Graph, host: TagStoreHost, log: Logger, options: TagStoreOptions) {
    this.#path = path;
    this.#digestPath = path.replace(/repositories-([^/]*)$/, "digests-$1");
    if (this.#digestPath === path) this.#digestPath = `${path}-digests`;
    this.graph = graph;
    this.host = host;
    this.log = log;
    this.options = { mirrors: [], insecureRegistries: [], certsDir: "/etc/docker/certs.d", ...options };
    this.layers = new LayerTransfers(graph);
  }

  /**
   * Reads the names; writes an empty file when there is none.
   *
   * @param path - `<root>/repositories-<driver>`
   * @origin graph/tags.go NewTagStore
   * @deviation A file that cannot be understood is kept aside as `<path>.corrupt` and the daemon starts without names;
   *   1.2.0 does not start. The file is read once: nobody else writes it.
   */
  static async open(
    path: string,
    graph: Graph,
    host: TagStoreHost,
    log: Logger,
    options: TagStoreOptions = {},
  ): Promise<TagStore> {
    const store = new TagStore(path, graph, host, log, options);
    for (const file of [path, store.#digestPath]) await removeUnfinished(host.fs, file);
    store.#names = await store.#read(path, "Repositories");
    store.#digests = await store.#read(store.#digestPath, "Digests");
    return store;
  }

  async #read(path: string, key: string): Promise<Names> {
    const { fs } = this.host;
    let text: string;
    try {
      text = await fs.readFile(path, "utf8");
    } catch (cause) {
      if (!isErrno(cause, "ENOENT")) throw cause;
      if (path === this.#path) await replaceFile(fs, path, encode(key, new Map()));
      return new Map();
    }
    try {
      return decode(text, key);
    } catch (cause) {
      const aside = `${path}.corrupt`;
      this.log.error("tags.go:47", `Cannot read ${path}: ${messageOf(cause)}; it is kept as ${aside}`);
      await fs.rename(path, aside);
      await replaceFile(fs, path, encode(key, new Map()));
      return new Map();
    }
  }

  /** Adds the jobs about images to an engine. @origin graph/service.go (*TagStore).Install */
  install(engine: Engine): void {
    install(this, engine);
  }

  /** All names: repository → tag → id. */
  get repositories(): ReadonlyMap<string, ReadonlyMap<string, string>> {
    return this.#names;
  }

  /**
   * Finds an image by `repository[:tag]`, `repository@digest`, `sha256:<id>`, id, or the beginning of an id.
   *
   * @throws {NoSuchError}
   * @origin graph/tags.go (*TagStore).LookupImage
   */
  async lookupImage(text: string): Promise<Image> {
    const name = familiarName(text);
    const at = name.indexOf("@");
    if (at > 0) {
      const id = this.#digests.get(withoutTag(name.slice(0, at)))?.get(name.slice(at + 1));
      if (id === undefined) throw new NoSuchError("id", text);
      return this.graph.get(id);
    }
    const [repository, tag] = parseRepositoryTag(name);
    const image = await this.getImage(repository, tag === "" ? DEFAULT_TAG : tag);
    if (image !== undefined) return image;
    return this.graph.get(name.startsWith("sha256:") ? name.slice("sha256:".length) : text);
  }

  /** The names of each image, sorted. @origin graph/tags.go (*TagStore).ByID */
  byId(): Map<string, string[]> {
    const byId = new Map<string, string[]>();
    for (const [repository, tags] of this.#names) {
      for (const [tag, id] of tags) {
        const names = byId.get(id);
        if (names === undefined) byId.set(id, [`${repository}:${tag}`]);
        else names.push(`${repository}:${tag}`);
      }
    }
    for (const names of byId.values()) names.sort(compareBytes);
    return byId;
  }

  /** How lists show an image: its first name, or 12 digits. @origin graph/tags.go (*TagStore).ImageName */
  imageName(id: string): string {
    return this.byId().get(id)?.[0] ?? truncateID(id);
  }

  /** The tags of a repository. @origin graph/tags.go (*TagStore).Get */
  get(repository: string): ReadonlyMap<string, string> | undefined {
    return this.#names.get(familiarName(repository));
  }

  /**
   * The image under a tag, or whose id starts with it and is in that repository.
   *
   * @throws {NoSuchError} when the name leads to an image that is gone
   * @origin graph/tags.go (*TagStore).GetImage
   */
  async getImage(repository: string, tagOrId: string): Promise<Image | undefined> {
    const tags = this.get(repository);
    const id = tags?.get(tagOrId) ?? [...(tags?.values() ?? [])].find((revision) => revision.startsWith(tagOrId));
    return id === undefined ? undefined : this.graph.get(id);
  }

  /**
   * Gives an image a name, which its owner so far loses.
   *
   * @param tag - `""` is `latest`
   * @param image - whatever {@link lookupImage} finds
   * @throws {NoSuchError} when there is no such image; {BadRequestError} when the name is none
   * @origin graph/tags.go (*TagStore).Set
   */
  async set(repository: string, tag: string, image: string): Promise<void> {
    const { id } = await this.lookupImage(image);
    const name = familiarName(repository);
    const label = tag === "" ? DEFAULT_TAG : tag;
    if (name === "") throw new BadRequestError("Repository name can't be empty");
    if (label.includes("/") || label.includes(":")) throw new BadRequestError(`Illegal tag name: ${label}`);
    await this.#changeNames((names) => put(names, name, label, id));
  }

  /**
   * Removes a name, or with `""` as tag a whole repository.
   *
   * @throws {NoSuchError}
   * @origin graph/tags.go (*TagStore).Delete
   */
  async delete(repository: string, tag: string): Promise<void> {
    const name = familiarName(repository);
    await this.#changeNames((names) => {
      const tags = names.get(name);
      if (tags === undefined) throw new NoSuchError("repository", repository);
      if (tag === "") tags.clear();
      else if (!tags.delete(tag)) throw new NoSuchError("tag", `${repository}:${tag}`);
      if (tags.size === 0) names.delete(name);
    });
  }

  /**
   * Removes every name of an image.
   *
   * @origin graph/tags.go (*TagStore).DeleteAll
   * @deviation 1.2.0 cuts names at the first colon and fails on a registry with a port.
   */
  async deleteAll(id: string): Promise<void> {
    if (this.byId().has(id)) await this.#changeNames((names) => removeId(names, id));
    if (this.repoDigests(id).length > 0) await this.#changeDigests((digests) => removeId(digests, id));
  }

  /** The names of each image by the first 12 digits of its id. @origin graph/tags.go (*TagStore).GetRepoRefs */
  getRepoRefs(): Map<string, string[]> {
    const refs = new Map<string, string[]>();
    for (const [id, names] of this.byId()) {
      const short = truncateID(id);
      refs.set(short, [...(refs.get(short) ?? []), ...names].sort(compareBytes));
    }
    return refs;
  }

  /** `repository@digest` for each manifest the image was pulled by, sorted. @since Docker 1.6 */
  repoDigests(id: string): string[] {
    const found: string[] = [];
    for (const [repository, digests] of this.#digests) {
      for (const [digest, owner] of digests) if (owner === id) found.push(`${repository}@${digest}`);
    }
    return found.sort(compareBytes);
  }

  /** Remembers by which manifest an image came. */
  async setDigest(repository: string, digest: string, id: string): Promise<void> {
    if (this.#digests.get(repository)?.get(digest) === id) return;
    await this.#changeDigests((digests) => put(digests, repository, digest, id));
  }

  /** Forgets a `repository@digest`. @throws {NoSuchError} */
  async deleteDigest(repository: string, digest: string): Promise<void> {
    await this.#changeDigests((digests) => {
      const known = digests.get(repository);
      if (!known?.delete(digest)) throw new NoSuchError("repository", `${repository}@${digest}`);
      if (known.size === 0) digests.delete(repository);
    });
  }

  #changeNames(change: (names: Names) => void): Promise<void> {
    return this.#mutex.run("names", async () => {
      const next = copy(this.#names);
      change(next);
      await replaceFile(this.host.fs, this.#path, encode("Repositories", next));
      this.#names = next;
    });
  }

  #changeDigests(change: (digests: Names) => void): Promise<void> {
    return this.#mutex.run("digests", async () => {
      const next = copy(this.#digests);
      change(next);
      await replaceFile(this.host.fs, this.#digestPath, encode("Digests", next));
      this.#digests = next;
    });
  }

  /**
   * Starts work that only one client may do at a time; it leaves the pool when it ends.
   *
   * @throws {PoolBusyError} when it is being done already
   * @origin graph/tags.go (*TagStore).poolAdd
   */
  poolAdd<T>(kind: "pull" | "push", key: string, work: (signal: AbortSignal) => Promise<T>): SharedWork<T> {
    const pulling = this.pullingPool.get(key);
    if (pulling !== undefined && !pulling.stopped) throw new PoolBusyError("pull", key, pulling);
    const pushing = this.pushingPool.get(key);
    if (pushing !== undefined && !pushing.stopped) throw new PoolBusyError("push", key, pushing);
    const pool = kind === "pull" ? this.pullingPool : this.pushingPool;
    // What has been told to stop may still be clearing up: the newcomer begins when it is done.
    const before = pool.get(key)?.ended();
    const shared = new SharedWork<T>(async (signal) => {
      await before;
      return work(signal);
    });
    pool.set(key, shared);
    void shared.ended().then(() => this.poolRemove(kind, key, shared));
    return shared;
  }

  /** @origin graph/tags.go (*TagStore).poolRemove */
  poolRemove(kind: "pull" | "push", key: string, shared: SharedWork<unknown>): void {
    const pool = kind === "pull" ? this.pullingPool : this.pushingPool;
    if (pool.get(key) === shared) pool.delete(key);
  }
}

function withoutTag(name: string): string {
  return parseRepositoryTag(name)[0];
}

function put(names: Names, repository: string, key: string, id: string): void {
  const known = names.get(repository);
  if (known === undefined) names.set(repository, new Map([[key, id]]));
  else known.set(key, id);
}

function removeId(names: Names, id: string): void {
  for (const [repository, keys] of names) {
    for (const [key, owner] of keys) if (owner === id) keys.delete(key);
    if (keys.size === 0) names.delete(repository);
  }
}

function copy(names: Names): Names {
  return new Map([...names].map(([repository, keys]) => [repository, new Map(keys)]));
}

function encode(key: string, names: Names): string {
  return goJson(new Map([[key, names]]));
}

function decode(text: string, key: string): Names {
  const document = record(JSON.parse(text));
  const names: Names = new Map();
  for (const [repository, keys] of Object.entries(record(document[key] ?? {}))) {
    const entries = Object.entries(record(keys)).map(([name, id]): [string, string] => {
      if (typeof id !== "string") throw new TypeError(`${repository}:${name} is no id`);
      return [name, id];
    });
    names.set(repository, new Map(entries));
  }
  return names;
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("it holds no names");
  return value as Record<string, unknown>;
}
