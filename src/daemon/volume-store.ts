/**
 * Volumes that the daemon makes.
 *
 * ```text
 * <root>/volumes/<id>/json, layersize   that there is such a volume
 * <root>/vfs/dir/<id>/                  what is in it
 * ```
 *
 * 1.2.0 keeps them as images without layers in a graph of their own; the files are the same.
 *
 * @origin daemon/volumes.go createVolumeHostPath; daemon/daemon.go NewDaemonFromDirectory (volumes graph)
 * @module
 */

import posix from "node:path/posix";
import { VERSION } from "../dockerversion/dockerversion.ts";
import { isErrno, NoSuchError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import { Image } from "../image/image.ts";
import { asObject, unmarshal } from "../utils/go-json-decode.ts";
import { rfc3339Nano } from "../utils/go-time.ts";
import { generateRandomID, ID_PATTERN } from "../utils/utils.ts";
import type { Container } from "./container.ts";
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

  /**
   * Makes an empty volume.
   *
   * @param container - id of the one it is made for
   * @returns its directory
   * @throws when there is no room for it; nothing of it is left then
   */
  async create(container: string): Promise<string> {
    const { fs, clock, random } = this.#host;
    const id = generateRandomID(random);
    const data = posix.join(this.#data, id);
    const created = rfc3339Nano(clock.nowNs());
    this.#ids.add(id);
    try {
      // Content last: a volume without it is one that a crash cut off.
      await fs.mkdir(posix.join(this.#root, id), { mode: 0o700 });
      await writeDurably(
        this.#host,
        posix.join(this.#root, id),
        { json: describe(id, created, container), layersize: "0" },
        0o600,
      );
      await fs.mkdir(this.#data, { recursive: true, mode: 0o700 });
      await fs.mkdir(data, { mode: 0o755 });
    } catch (cause) {
      await this.delete(id).catch(() => undefined); // what failed first is what counts
      throw cause;
    }
    return data;
  }

  /**
   * Removes what a crash left of volumes: those that never reached the container they were made for, and those whose
   * removal was cut off.
   *
   * @param containers - all there are
   */
  async removeLost(containers: Iterable<Pick<Container, "id" | "volumes">>): Promise<void> {
    const alive = new Set<string>();
    const used = new Set<string>();
    for (const { id, volumes } of containers) {
      alive.add(id);
      for (const path of Object.values(volumes ?? {})) used.add(posix.basename(path));
    }
    for (const id of [...this.#ids]) {
      if (used.has(id)) continue;
      if ((await this.#isWhole(id)) && !alive.has(await this.#madeFor(id))) continue;
      await this.delete(id);
    }
  }

  async #isWhole(id: string): Promise<boolean> {
    try {
      await this.#host.fs.lstat(posix.join(this.#data, id));
      return true;
    } catch (cause) {
      if (!isErrno(cause, "ENOENT")) throw cause;
      return false;
    }
  }

  /** The container a volume was made for; "" when nobody wrote that down, as 1.2.0. */
  async #madeFor(id: string): Promise<string> {
    try {
      const { container } = asObject(
        unmarshal(await this.#host.fs.readFile(posix.join(this.#root, id, "json"), "utf8")),
      );
      return typeof container === "string" ? container : "";
    } catch {
      return ""; // unreadable: then it is kept
    }
  }

  /** @throws {NoSuchError} when there is none of that id */
  async delete(id: string): Promise<void> {
    if (!this.#ids.has(id)) throw new NoSuchError("id", id);
    this.#ids.delete(id);
    await this.#host.fs.rm(posix.join(this.#data, id), { recursive: true, force: true });
    await this.#host.fs.rm(posix.join(this.#root, id), { recursive: true, force: true });
  }
}

/**
 * The description of a volume: of an image that has nothing.
 *
 * @deviation `container` is who the volume was made for, so that it can be told whether a crash came before that was
 * written down there; 1.2.0 says nothing.
 */
function describe(id: string, created: string, container: string): string {
  const image = new Image({ id, created, container, docker_version: VERSION, architecture: "amd64", os: "linux" });
  image.size = 0;
  return image.toJson();
}
