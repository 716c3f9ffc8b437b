/**
 * Volumes that the daemon makes.
 *
 * ```text
 * <root>/volumes/<id>/json   that there is such a volume
 * <root>/vfs/dir/<id>/       what is in it
 * ```
 *
 * 1.2.0 keeps them as images without layers in a graph of their own; the directories are the same.
 *
 * @origin daemon/volumes.go createVolumeHostPath; daemon/daemon.go NewDaemonFromDirectory (volumes graph)
 * @module
 */

import posix from "node:path/posix";
import { NoSuchError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import { goJson } from "../utils/go-json.ts";
import { rfc3339Nano } from "../utils/go-time.ts";
import { generateRandomID, ID_PATTERN } from "../utils/utils.ts";
import { writeDurably } from "./durable.ts";

/** The daemon's own volumes. */
export class VolumeStore {
  readonly #root: string;
  readonly #data: string;
  readonly #host: Pick<Host, "fs" | "random" | "clock">;
  readonly #ids: Set<string>;

  private constructor(root: string, data: string, host: Pick<Host, "fs" | "random" | "clock">, ids: Set<string>) {
    this.#root = root;
    this.#data = data;
    this.#host = host;
    this.#ids = ids;
  }

  /** @param root - the daemon's root; `volumes` in it is made if need be */
  static async open(root: string, host: Pick<Host, "fs" | "random" | "clock">): Promise<VolumeStore> {
    const volumes = posix.join(root, "volumes");
    await host.fs.mkdir(volumes, { recursive: true, mode: 0o700 });
    const ids = (await host.fs.readdir(volumes)).filter((name) => ID_PATTERN.test(name));
    return new VolumeStore(volumes, posix.join(root, "vfs", "dir"), host, new Set(ids));
  }

  /** Ids of all volumes. */
  ids(): string[] {
    return [...this.#ids];
  }

  /** Makes an empty volume. @returns its directory */
  async create(): Promise<string> {
    const id = generateRandomID(this.#host.random);
    const data = posix.join(this.#data, id);
    await this.#host.fs.mkdir(this.#data, { recursive: true, mode: 0o700 });
    await this.#host.fs.mkdir(data, { mode: 0o755 });
    await this.#host.fs.mkdir(posix.join(this.#root, id), { mode: 0o700 });
    await writeDurably(this.#host, posix.join(this.#root, id), {
      json: goJson({ id, created: rfc3339Nano(this.#host.clock.nowNs()), container_config: {} }),
    });
    this.#ids.add(id);
    return data;
  }

  /** @throws {NoSuchError} when there is none of that id */
  async delete(id: string): Promise<void> {
    if (!this.#ids.has(id)) throw new NoSuchError("id", id);
    this.#ids.delete(id);
    await this.#host.fs.rm(posix.join(this.#data, id), { recursive: true, force: true });
    await this.#host.fs.rm(posix.join(this.#root, id), { recursive: true, force: true });
  }
}
