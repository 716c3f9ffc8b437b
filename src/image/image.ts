/**
 * An image: a description, and a layer on top of another image's.
 *
 * ```text
 * <graph>/<id>/json       the description, byte for byte as it came
 * <graph>/<id>/layersize  bytes of the layer, decimal; missing: not known yet
 * ```
 *
 * @origin image/image.go
 * @module
 */

import { join } from "node:path/posix";
import type { GraphDriver } from "../daemon/graphdriver/driver.ts";
import { BadRequestError, ConflictError, isErrno, messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { Config } from "../runconfig/config.ts";
import type { Reader } from "../sync/io.ts";
import { goJson } from "../utils/go-json.ts";
import { parseRfc3339, ZERO_TIME } from "../utils/go-time.ts";
import { validateID } from "../utils/utils.ts";
import { decodeConfig, documentFields, text } from "./decode.ts";

/** The most layers a container may stand on, its own two included. @origin image/image.go MaxImageDepth */
export const MAX_IMAGE_DEPTH = 127;

/** Disk and wire shape. @origin image/image.go Image */
export interface ImageJson {
  id: string;
  parent?: string;
  comment?: string;
  /** RFC 3339 with nanoseconds. */
  created: string;
  container?: string;
  /** Configuration of the container the image was made from. */
  container_config?: Config;
  docker_version?: string;
  author?: string;
  /** Configuration of the containers that will be made from it. */
  config?: Config | null;
  architecture?: string;
  os?: string;
}

/** What an image needs of the store that holds it. @origin image/graph.go Graph */
export interface ImageGraph {
  get(id: string): Promise<Image>;
  imageRoot(id: string): string;
  /** The archive of an image's layer. */
  tarLayer(image: Image): Reader;
  readonly driver: GraphDriver;
  readonly fs: Host["fs"];
}

/** @origin image/image.go Image */
export class Image {
  readonly id: string;
  /** `""` for a base image. */
  readonly parent: string;
  readonly comment: string;
  readonly created: string;
  readonly container: string;
  readonly containerConfig: Config;
  readonly dockerVersion: string;
  readonly author: string;
  readonly config: Config | undefined;
  readonly architecture: string;
  readonly os: string;
  /** Bytes of this layer alone; −1 when not known yet. */
  size = -1;
  readonly #createdNs: bigint;
  #graph: ImageGraph | undefined;

  /** @throws {BadRequestError} when `created` is no time */
  constructor(json: ImageJson) {
    this.id = json.id;
    this.parent = json.parent ?? "";
    this.comment = json.comment ?? "";
    this.created = json.created === "" ? ZERO_TIME : json.created;
    this.container = json.container ?? "";
    this.containerConfig = decodeConfig(json.container_config);
    this.dockerVersion = json.docker_version ?? "";
    this.author = json.author ?? "";
    this.config = json.config === undefined || json.config === null ? undefined : decodeConfig(json.config);
    this.architecture = json.architecture ?? "";
    this.os = json.os ?? "";
    try {
      this.#createdNs = parseRfc3339(this.created);
    } catch (cause) {
      throw new BadRequestError(messageOf(cause), { cause });
    }
  }

  /** Seconds since 1970. */
  get createdUnix(): number {
    const second = 1_000_000_000n;
    const rest = ((this.#createdNs % second) + second) % second;
    return Number((this.#createdNs - rest) / second);
  }

  /** Nanoseconds since 1970: orders images made within one second. */
  get createdNs(): bigint {
    return this.#createdNs;
  }

  /** The description as it is stored when nobody gave the bytes. */
  toJson(): string {
    return goJson({
      id: this.id,
      parent: this.parent || undefined,
      comment: this.comment || undefined,
      created: this.created,
      container: this.container || undefined,
      container_config: this.containerConfig,
      docker_version: this.dockerVersion || undefined,
      author: this.author || undefined,
      config: this.config,
      architecture: this.architecture || undefined,
      os: this.os || undefined,
      Size: this.size,
    });
  }

  /** Tells the image which store holds it. @origin image/image.go (*Image).SetGraph */
  setGraph(graph: ImageGraph): void {
    this.#graph = graph;
  }

  /** The stored bytes of the description. @origin image/image.go (*Image).RawJson */
  async rawJson(): Promise<Buffer> {
    if (this.#graph === undefined) {
      throw new SystemError(`Failed to get root for image ${this.id}: Can't lookup root of unregistered image`);
    }
    try {
      return await this.#graph.fs.readFile(join(this.#graph.imageRoot(this.id), "json"));
    } catch (cause) {
      throw new SystemError(`Failed to open json for image ${this.id}: ${messageOf(cause)}`, { cause });
    }
  }

  /** The layer as an uncompressed archive, if possible as it came. @origin image/image.go (*Image).TarLayer */
  tarLayer(): Reader {
    if (this.#graph === undefined) {
      throw new SystemError(`Can't load storage driver for unregistered image ${this.id}`);
    }
    return this.#graph.tarLayer(this);
  }

  /** The image below, `undefined` for a base image. @origin image/image.go (*Image).GetParent */
  async getParent(): Promise<Image | undefined> {
    if (this.parent === "") return undefined;
    if (this.#graph === undefined) throw new SystemError("Can't lookup parent of unregistered image");
    return this.#graph.get(this.parent);
  }

  /**
   * Calls `handler` for this image and every one below it.
   *
   * @throws {ConflictError} when the chain comes back to an image it has passed
   * @origin image/image.go (*Image).WalkHistory
   * @deviation A chain that is a circle ends with an error; 1.2.0 walks it for ever.
   */
  async walkHistory(handler: (image: Image) => Promise<void> | void): Promise<void> {
    const seen = new Set<string>();
    let current: Image | undefined = this;
    while (current !== undefined) {
      if (seen.has(current.id)) throw new ConflictError(`Conflict, image ${current.id} is its own ancestor`);
      seen.add(current.id);
      await handler(current);
      try {
        current = await current.getParent();
      } catch (cause) {
        throw new SystemError(`Error while getting parent image: ${messageOf(cause)}`, { cause });
      }
    }
  }

  /** This image and every one below it, nearest first. @origin image/image.go (*Image).History */
  async history(): Promise<Image[]> {
    const images: Image[] = [];
    await this.walkHistory((image) => {
      images.push(image);
    });
    return images;
  }

  /** Bytes of all layers below this one; those below a missing one do not count. @origin image/image.go GetParentsSize */
  async getParentsSize(): Promise<number> {
    let size = 0;
    try {
      await this.walkHistory((image) => {
        if (image !== this) size += Math.max(0, image.size);
      });
    } catch (cause) {
      if (!(cause instanceof SystemError || cause instanceof ConflictError)) throw cause;
    }
    return size;
  }

  /** How many images the chain has, this one included. @origin image/image.go (*Image).Depth */
  async depth(): Promise<number> {
    return (await this.history()).length;
  }

  /**
   * Refuses an image that leaves no room for a container's two layers.
   *
   * @origin image/image.go (*Image).CheckDepth
   */
  async checkDepth(): Promise<void> {
    if ((await this.depth()) + 2 >= MAX_IMAGE_DEPTH) {
      throw new ConflictError(`Cannot create container with more than ${MAX_IMAGE_DEPTH} parents`);
    }
  }
}

/**
 * Reads a description.
 *
 * @throws {JsonError} when it is no JSON or a field has the wrong type
 * @origin image/image.go NewImgJSON
 */
export function newImgJSON(source: string | Uint8Array): Image {
  const f = documentFields(source);
  return new Image({
    id: text(f, "id"),
    parent: text(f, "parent"),
    comment: text(f, "comment"),
    created: text(f, "created"),
    container: text(f, "container"),
    container_config: decodeConfig(f["container_config"]),
    docker_version: text(f, "docker_version"),
    author: text(f, "author"),
    config: f["config"] === undefined || f["config"] === null ? null : decodeConfig(f["config"]),
    architecture: text(f, "architecture"),
    os: text(f, "os"),
  });
}

/**
 * Reads an image from its directory.
 *
 * @throws what the file system throws, and as {@link newImgJSON}
 * @origin image/image.go LoadImage
 * @deviation A `layersize` that is no number counts as missing; 1.2.0 loses the image.
 */
export async function loadImage(root: string, fs: Pick<Host["fs"], "readFile">): Promise<Image> {
  const [json, size] = await Promise.all([
    fs.readFile(join(root, "json")),
    fs.readFile(join(root, "layersize"), "utf8").catch((cause: unknown) => {
      if (!isErrno(cause, "ENOENT")) throw cause;
      return "";
    }),
  ]);
  const image = newImgJSON(json);
  validateID(image.id);
  if (image.parent !== "") validateID(image.parent);
  image.size = /^\d{1,15}$/.test(size) ? Number(size) : -1;
  return image;
}
