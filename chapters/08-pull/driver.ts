/**
 * The simplest storage driver there could be: a layer is a directory, and nothing is laid over anything.
 *
 * How layers are stacked is the matter of chapter 09; a pull only makes them, fills them and throws them away. Nobody can
 * look through this driver's layers, so its whiteouts stay files like any other.
 *
 * @module
 */

import { join } from "node:path/posix";
import type { GraphDriver } from "../../src/daemon/graphdriver/driver.ts";
import type { Host } from "../../src/host/host.ts";
import type { UnpackResult } from "../../src/host/pool.ts";
import type { Reader } from "../../src/sync/io.ts";

/** Layers at `<home>/<id>/`. */
export class PlainDriver implements GraphDriver {
  readonly name = "plain";
  readonly independentLayers = true;
  readonly #home: string;
  readonly #host: Pick<Host, "fs" | "pool">;
  /** Bytes in the files of each layer. */
  readonly #sizes = new Map<string, number>();

  constructor(home: string, host: Pick<Host, "fs" | "pool">) {
    this.#home = home;
    this.#host = host;
  }

  async create(id: string): Promise<void> {
    await this.#host.fs.mkdir(join(this.#home, id), { recursive: true });
    this.#sizes.set(id, 0);
  }

  async remove(id: string): Promise<void> {
    this.#sizes.delete(id);
    await this.#host.fs.rm(join(this.#home, id), { recursive: true, force: true });
  }

  async applyDiff(id: string, _parent: string | undefined, layer: Reader, signal?: AbortSignal): Promise<UnpackResult> {
    const job = { root: join(this.#home, id), whiteouts: "keep", chown: true, compression: "auto" } as const;
    const result = await this.#host.pool.unpack(job, layer, signal);
    this.#sizes.set(id, result.size);
    return result;
  }

  async diffSize(id: string): Promise<number> {
    return this.#sizes.get(id) ?? 0;
  }

  async exists(id: string): Promise<boolean> {
    return this.#sizes.has(id);
  }

  async ids(): Promise<string[]> {
    return [...this.#sizes.keys()];
  }

  async get(id: string): Promise<string> {
    return join(this.#home, id);
  }

  async put(): Promise<void> {}

  async status(): Promise<undefined> {
    return undefined;
  }

  diff(): never {
    throw new Error("Cannot pack a layer: this driver only takes them in");
  }

  async changes(): Promise<never[]> {
    return [];
  }

  async cleanup(): Promise<void> {}
}
