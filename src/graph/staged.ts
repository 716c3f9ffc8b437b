/**
 * An image on its way into the graph: its layer is being filled, and nobody sees it yet.
 *
 * @module
 */

import { join } from "node:path/posix";
import type { GraphDriver } from "../daemon/graphdriver/driver.ts";
import { messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { UnpackResult } from "../host/pool.ts";
import type { Image } from "../image/image.ts";
import type { Reader } from "../sync/io.ts";
import { syncDirectory, writeSynced } from "../utils/durable.ts";
import { goJson } from "../utils/go-json.ts";

/** Beside the description: the digest and length of the layer's archive, … */
export const LAYER_JSON = "layer.json";
/** … and what gives it back; see `archive/split.ts`. */
export const LAYER_SPLIT = "layer.split";

/** Files beside `json` and `layersize`, by name. */
export type ExtraFiles = Readonly<Record<string, string | Uint8Array>>;

/** Made by `Graph.prepare()`; ends with `Graph.commit()` or {@link discard}, whichever comes first. */
export class StagedImage {
  readonly image: Image;
  /** The description as it came; without it, it is made from {@link image}. */
  readonly json: Uint8Array | undefined;
  readonly #driver: GraphDriver;
  readonly #fs: Host["fs"];
  readonly #record: string;
  readonly #onEnd: () => void;
  #layer: UnpackResult | undefined;
  #state: "staged" | "committed" | "discarded" = "staged";

  /**
   * @param record - absolute path of a file that may be written until the image is in
   * @param onEnd - called once, when the image is committed or discarded
   */
  constructor(
    image: Image,
    json: Uint8Array | undefined,
    { driver, fs, record }: { driver: GraphDriver; fs: Host["fs"]; record: string },
    onEnd: () => void,
  ) {
    this.image = image;
    this.json = json;
    this.#driver = driver;
    this.#fs = fs;
    this.#record = record;
    this.#onEnd = onEnd;
  }

  /** Whether it is in the graph now. */
  get committed(): boolean {
    return this.#state === "committed";
  }

  /** Whether it was given up. */
  get discarded(): boolean {
    return this.#state === "discarded";
  }

  /** Unpacks the layer. @throws when the archive is broken or hostile; the caller discards then */
  async apply(layer: Reader, signal?: AbortSignal): Promise<UnpackResult> {
    const { id, parent } = this.image;
    this.#layer = undefined;
    this.#layer = await this.#driver.applyDiff(id, parent || undefined, layer, signal, this.#record);
    return this.#layer;
  }

  /** Writes the description, and what gives the layer's archive back, into `directory`, durably. */
  async store(directory: string, extra: ExtraFiles): Promise<void> {
    const fs = this.#fs;
    const files: [string, string | Uint8Array][] = [
      ["layersize", String(this.image.size)],
      ["json", this.json ?? this.image.toJson()],
      ...Object.entries(extra),
    ];
    const record = this.#layer?.recorded === undefined ? undefined : this.#layer;
    if (record !== undefined) files.push([LAYER_JSON, goJson({ diff_id: record.diffId, bytes: record.recorded })]);
    try {
      await Promise.all([
        ...files.map(([name, data]) => writeSynced(fs, join(directory, name), data)),
        // A link: should this fail half-way, another pull of the same layer may still want it.
        record && this.#keepRecord(join(directory, LAYER_SPLIT)),
      ]);
    } catch (cause) {
      throw new SystemError(`Error storing image ${this.image.id} in ${directory}: ${messageOf(cause)}`, { cause });
    }
    await syncDirectory(fs, directory);
  }

  async #keepRecord(path: string): Promise<void> {
    const file = await this.#fs.open(this.#record, "r");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#fs.link(this.#record, path);
  }

  /** For the graph: the image is in. */
  markCommitted(): void {
    this.#state = "committed";
    this.#onEnd();
  }

  /** For the graph, after that: what was recorded is in, too. What cannot be removed goes at the next start. */
  async removeRecord(): Promise<void> {
    await this.#fs.rm(this.#record, { force: true }).catch(() => undefined);
  }

  /** Removes what was unpacked, unless the image is in the graph. Safe to call twice. */
  async discard(): Promise<void> {
    if (this.#state !== "staged") return;
    this.#state = "discarded";
    try {
      await this.removeRecord();
      await this.#driver.remove(this.image.id);
    } finally {
      this.#onEnd();
    }
  }
}
