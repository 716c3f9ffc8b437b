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

/** Files beside `json` and `layersize`, by name. */
export type ExtraFiles = Readonly<Record<string, string | Uint8Array>>;

/** Made by `Graph.prepare()`; ends with `Graph.commit()` or {@link discard}, whichever comes first. */
export class StagedImage {
  readonly image: Image;
  /** The description as it came; without it, it is made from {@link image}. */
  readonly json: Uint8Array | undefined;
  readonly #driver: GraphDriver;
  readonly #onEnd: () => void;
  #state: "staged" | "committed" | "discarded" = "staged";

  /** @param onEnd - called once, when the image is committed or discarded */
  constructor(image: Image, json: Uint8Array | undefined, driver: GraphDriver, onEnd: () => void) {
    this.image = image;
    this.json = json;
    this.#driver = driver;
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
  apply(layer: Reader, signal?: AbortSignal): Promise<UnpackResult> {
    return this.#driver.applyDiff(this.image.id, this.image.parent || undefined, layer, signal);
  }

  /** Writes the description into `directory`, durably. */
  async store(fs: Host["fs"], directory: string, extra: ExtraFiles): Promise<void> {
    const files: [string, string | Uint8Array][] = [
      ["layersize", String(this.image.size)],
      ["json", this.json ?? this.image.toJson()],
      ...Object.entries(extra),
    ];
    try {
      await Promise.all(files.map(([name, data]) => writeSynced(fs, join(directory, name), data)));
    } catch (cause) {
      throw new SystemError(`Error storing image ${this.image.id} in ${directory}: ${messageOf(cause)}`, { cause });
    }
    await syncDirectory(fs, directory);
  }

  /** For the graph: the image is in. */
  markCommitted(): void {
    this.#state = "committed";
    this.#onEnd();
  }

  /** Removes what was unpacked, unless the image is in the graph. Safe to call twice. */
  async discard(): Promise<void> {
    if (this.#state !== "staged") return;
    this.#state = "discarded";
    try {
      await this.#driver.remove(this.image.id);
    } finally {
      this.#onEnd();
    }
  }
}
