/**
 * A storage driver in memory: keeps the archives it is given, counts what is asked of it.
 */

import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import type { Change } from "../../src/archive/changes.ts";
import type { GraphDriver } from "../../src/daemon/graphdriver/driver.ts";
import type { UnpackResult } from "../../src/host/pool.ts";
import type { Reader } from "../../src/sync/io.ts";

const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** The driver; `layers` is what it holds. */
export class FakeDriver implements GraphDriver {
  readonly name = "fake";
  readonly independentLayers: boolean;
  readonly layers = new Map<string, { parent: string | undefined; tar: Buffer }>();
  /** Layers being unpacked just now, and the most there ever were. */
  unpacking = 0;
  mostUnpacking = 0;

  constructor(independentLayers = true) {
    this.independentLayers = independentLayers;
  }

  async create(id: string, parent?: string): Promise<void> {
    if (parent !== undefined && !this.layers.has(parent)) throw new Error(`No such layer: ${parent}`);
    this.layers.set(id, { parent, tar: Buffer.alloc(0) });
  }

  async remove(id: string): Promise<void> {
    this.layers.delete(id);
  }

  async get(id: string): Promise<string> {
    return `/fake/${id}`;
  }

  async put(): Promise<void> {}

  async exists(id: string): Promise<boolean> {
    return this.layers.has(id);
  }

  async ids(): Promise<string[]> {
    return [...this.layers.keys()];
  }

  async status(): Promise<undefined> {
    return undefined;
  }

  async applyDiff(id: string, _parent: string | undefined, layer: Reader, signal?: AbortSignal): Promise<UnpackResult> {
    this.unpacking++;
    this.mostUnpacking = Math.max(this.mostUnpacking, this.unpacking);
    try {
      const parts: Uint8Array[] = [];
      for await (const chunk of layer) {
        signal?.throwIfAborted();
        parts.push(chunk);
      }
      const bytes = Buffer.concat(parts);
      const tar = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
      const kept = this.layers.get(id);
      if (kept === undefined) throw new Error(`No such layer: ${id}`);
      kept.tar = tar;
      return { digest: sha256(bytes), diffId: sha256(tar), size: tar.length, received: bytes.length, entries: 1 };
    } finally {
      this.unpacking--;
    }
  }

  async *diff(id: string): AsyncGenerator<Uint8Array> {
    const kept = this.layers.get(id);
    if (kept !== undefined) yield kept.tar;
  }

  async changes(): Promise<Change[]> {
    return [];
  }

  async diffSize(id: string): Promise<number> {
    return this.layers.get(id)?.tar.length ?? 0;
  }

  async cleanup(): Promise<void> {}
}
