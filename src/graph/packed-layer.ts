/**
 * A layer that is being packed: in a file of the store, so that it can be sent again where a connection breaks, and be sent
 * while it is still being made.
 *
 * @module
 */

import { join } from "node:path/posix";
import { namingRoom, Room } from "../archive/room.ts";
import { messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { PackResult } from "../host/pool.ts";
import { deferred } from "../sync/deferred.ts";
import type { Reader } from "../sync/io.ts";
import type { Graph } from "./graph.ts";

const READ_BYTES = 256 << 10;

/** Its work begins with {@link start} and ends, at the latest, with {@link remove}. */
export class PackedLayer {
  readonly #graph: Graph;
  readonly #directory: string;
  readonly #stop = new AbortController();
  readonly #done: Promise<PackResult>;
  #result: PackResult | undefined;
  #written = 0;
  #over = false;
  /** Settled, and replaced, when there is more. */
  #more = deferred();

  private constructor(graph: Graph, directory: string, source: Reader, signal: AbortSignal) {
    this.#graph = graph;
    this.#directory = directory;
    this.#done = this.#pack(source, signal);
    this.#done.catch(() => undefined); // thrown to whoever waits for it
  }

  /** Begins to pack an archive. */
  static async start(graph: Graph, source: Reader, signal: AbortSignal): Promise<PackedLayer> {
    return new PackedLayer(graph, await graph.mktemp(), source, signal);
  }

  get #path(): string {
    return join(this.#directory, "layer");
  }

  async #pack(source: Reader, signal: AbortSignal): Promise<PackResult> {
    try {
      this.#result = await namingRoom(this.#directory, () =>
        this.#write(source, AbortSignal.any([signal, this.#stop.signal])),
      );
      return this.#result;
    } catch (cause) {
      signal.throwIfAborted();
      throw new SystemError(`Failed to generate layer archive: ${messageOf(cause)}`, { cause });
    } finally {
      this.#over = true;
      this.#tell();
    }
  }

  async #write(source: Reader, signal: AbortSignal): Promise<PackResult> {
    const { fs, host } = this.#graph;
    const room = new Room(this.#directory, host.pool.minFree);
    const file = await fs.open(this.#path, "wx", 0o600);
    try {
      const write = async (chunk: Uint8Array) => {
        if (room.takes(chunk.length)) room.look(await fs.statfs(this.#directory));
        await file.writeFile(chunk);
        this.#written += chunk.length;
        this.#tell();
      };
      return await host.pool.pack(source, write, signal);
    } finally {
      await file.close();
    }
  }

  #tell(): void {
    this.#more.resolve();
    this.#more = deferred();
  }

  /** Its bytes when it is complete; `undefined` before. */
  get size(): number | undefined {
    return this.#result?.size;
  }

  /** Waits until it is complete. @throws {SystemError} `Failed to generate layer archive: …` */
  result(): Promise<PackResult> {
    return this.#done;
  }

  /** Waits until it is complete, or has so many bytes. @throws as {@link result} */
  async reaches(bytes: number): Promise<void> {
    while (!this.#over && this.#written < bytes) await this.#more.promise;
    if (this.#over) await this.#done;
  }

  /** The bytes from an offset on, up to an end or to all there will be, as they come. @throws as {@link result} */
  async *read(from: number, end = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    await this.reaches(from + 1);
    const file = await this.#graph.fs.open(this.#path, "r");
    try {
      for (let at = from; at < end; ) {
        await this.reaches(at + 1);
        const want = Math.min(READ_BYTES, Math.min(this.#written, end) - at);
        if (want <= 0) return;
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(want), 0, want, at);
        if (bytesRead === 0) throw new Error(`unexpected EOF: ${this.#path} has ended at ${at} bytes`);
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  /** Ends the work, if it is not done, and deletes the file. */
  async remove(): Promise<void> {
    this.#stop.abort(new Error("not wanted any more"));
    await this.#done.catch(() => undefined);
    await this.#graph.fs.rm(this.#directory, { recursive: true, force: true });
  }
}
