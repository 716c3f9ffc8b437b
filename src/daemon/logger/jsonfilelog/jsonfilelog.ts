/**
 * A container's log file: lines of JSON, appended.
 *
 * @origin daemon/daemon.go (*Daemon).LogToDisk
 * @since Docker 1.6, under this path
 * @module
 */

import type { FileHandle } from "node:fs/promises";
import type { Host } from "../../../host/host.ts";
import { type Deferred, deferred } from "../../../sync/deferred.ts";
import type { Writer } from "../../../sync/io.ts";

/** Bytes that may wait for the disk before the container has to. */
const queueLimit = 1 << 20;

/**
 * Appends to one log file. Whatever is written while the disk works goes out with the next call, as one piece.
 *
 * A disk that takes no more costs lines, never the container: a batch that fails is dropped and cut off the file, the
 * next one is tried anew.
 */
export class JsonFileLog implements Writer {
  readonly path: string;
  readonly #host: Pick<Host, "fs">;
  readonly #failed: (cause: unknown) => void;
  #file: FileHandle | undefined;
  #size = 0;
  #queue: string[] = [];
  #queued = 0;
  #running: Promise<void> | undefined;
  #room: Deferred<void> | undefined;
  #changed: Deferred<void> | undefined;
  #closed = false;
  #complained = false;

  /** @param failed - told about the first of a row of failures */
  constructor(path: string, host: Pick<Host, "fs">, failed: (cause: unknown) => void) {
    this.path = path;
    this.#host = host;
    this.#failed = failed;
    this.#running = this.#work();
  }

  /** Whether more can come. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Takes whole lines. */
  write(lines: string | Uint8Array): void | Promise<void> {
    if (this.#closed) return;
    const text = typeof lines === "string" ? lines : Buffer.from(lines).toString("utf8");
    this.#queue.push(text);
    this.#queued += text.length;
    this.#running ??= this.#work();
    if (this.#queued <= queueLimit) return;
    this.#room ??= deferred();
    return this.#room.promise;
  }

  /** Settles when all that was written before is in the file. */
  async flushed(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Settles when the file has grown or nothing more will come. */
  changed(): Promise<void> {
    if (this.#closed && this.#running === undefined) return Promise.resolve();
    this.#changed ??= deferred();
    return this.#changed.promise;
  }

  /** Writes what is left and closes the file. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flushed();
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
    this.#tell();
  }

  async #work(): Promise<void> {
    try {
      if (this.#file === undefined) {
        this.#file = await this.#host.fs.open(this.path, "a", 0o600);
        this.#size = (await this.#file.stat()).size;
      }
      while (this.#queue.length > 0) {
        const batch = Buffer.from(this.#queue.join(""));
        this.#queue = [];
        this.#queued = 0;
        this.#room?.resolve();
        this.#room = undefined;
        await this.#append(this.#file, batch);
        this.#tell();
      }
      this.#complained = false;
    } catch (cause) {
      if (!this.#complained) this.#failed(cause);
      this.#complained = true;
      this.#queue = [];
      this.#queued = 0;
      this.#room?.resolve();
      this.#room = undefined;
    }
    this.#running = undefined;
  }

  async #append(file: FileHandle, batch: Buffer): Promise<void> {
    try {
      for (let at = 0; at < batch.length; ) at += (await file.write(batch, at)).bytesWritten;
      this.#size += batch.length;
    } catch (cause) {
      // The part that fitted ends in the middle of a line.
      if ((await file.stat()).size > this.#size) await file.truncate(this.#size);
      throw cause;
    }
  }

  #tell(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }
}
