/**
 * Unpacks layers into files in memory, and looks into containers there: what the threads of `linux/pool.ts` do, without a
 * thread.
 *
 * @module
 */

import { tar } from "../../archive/archive.ts";
import { archivePath, readPath, statPath } from "../../archive/copy.ts";
import { packStream } from "../../archive/pack.ts";
import { unpackLayer } from "../../archive/unpack-layer.ts";
import type { Reader } from "../../sync/io.ts";
import type { Exec, Hasher, Host } from "../host.ts";
import type {
  ArchiveSink,
  MinFree,
  PackResult,
  PathStat,
  UnpackJob,
  UnpackResult,
  View,
  ViewMount,
  WorkerPool,
} from "../pool.ts";
import type { SyncFs } from "../sync-fs.ts";

/** What unpacking in memory needs. */
export interface MemoryPoolParts extends Pick<Host, "kernel" | "machine"> {
  readonly fs: SyncFs;
  /** The same files, with promises. */
  readonly files: Host["fs"];
  readonly exec: Pick<Exec, "pipe" | "lookPath">;
  hash(algorithm: "sha256"): Hasher;
}

/** The {@link WorkerPool} of a memory host: all jobs take turns on the event loop. */
export class MemoryPool implements WorkerPool {
  /** @see WorkerPool.minFree */
  minFree: MinFree | undefined;
  readonly #parts: MemoryPoolParts;

  constructor(parts: MemoryPoolParts) {
    this.#parts = parts;
  }

  async unpack(job: UnpackJob, source: Reader, signal?: AbortSignal): Promise<UnpackResult> {
    signal?.throwIfAborted();
    const input = source[Symbol.asyncIterator]();
    let stop: (() => void) | undefined;
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(signal?.reason);
      signal?.addEventListener("abort", stop, { once: true });
    });
    stopped.catch(() => undefined);
    const unmount = this.#mount(job.root, job.mounts ?? []);
    try {
      return await unpackLayer(
        { minFree: this.minFree, ...job },
        {
          fs: this.#parts.fs,
          exec: this.#parts.exec,
          sha256: () => this.#parts.hash("sha256"),
          next: async () => {
            const step = await Promise.race([input.next(), stopped]);
            return step.done === true ? undefined : step.value;
          },
          // There is no other root to lock oneself into: that no link is followed out is the unpacker's own work.
          enter: ({ root }) => ({ root, leave: () => undefined }),
        },
      );
    } finally {
      unmount();
      if (stop !== undefined) signal?.removeEventListener("abort", stop);
      // Not awaited: a source that hangs in next() would hold us for ever.
      void input.return?.().catch(() => undefined);
    }
  }

  pack(source: Reader, write: ArchiveSink["write"]): Promise<PackResult> {
    return packStream(source, () => this.#parts.hash("sha256"), write);
  }

  stat(view: View, path: string): Promise<PathStat> {
    return this.#look(view, (host, root) => statPath(host, root, path));
  }

  read(view: View, path: string, maxBytes: number): Promise<Uint8Array> {
    return this.#look(view, (host, root) => readPath(host, root, path, maxBytes));
  }

  archive(view: View, path: string, sink: ArchiveSink): Promise<void> {
    return this.#look(view, (host, root) => archivePath(host, root, path, sink));
  }

  tree(view: View, write: ArchiveSink["write"]): Promise<void> {
    return this.#look(view, async (host, root) => {
      for await (const chunk of tar(host, root)) await write(chunk);
    });
  }

  async #look<T>(
    view: View,
    work: (host: Pick<Host, "fs" | "kernel" | "machine">, root: string) => Promise<T>,
  ): Promise<T> {
    const { files, kernel, machine } = this.#parts;
    const unmount = this.#mount(view.root, view.mounts);
    try {
      return await work({ fs: files, kernel, machine }, view.root);
    } finally {
      unmount();
    }
  }

  /** Everybody sees these mounts meanwhile: there is one mount table. @returns takes them down */
  #mount(root: string, mounts: readonly ViewMount[]): () => void {
    const { fs, kernel } = this.#parts;
    const done: string[] = [];
    const unmount = () => {
      for (const target of done.splice(0)) kernel.unmount(target);
    };
    try {
      for (const { source, destination, writable } of mounts) {
        const target = root + destination;
        if (fs.lstatSync(source).isDirectory()) fs.mkdirSync(target, { recursive: true });
        else if (fs.lstatSync(target, { throwIfNoEntry: false }) === undefined) fs.closeSync(fs.openSync(target, "a"));
        kernel.mount(source, target, "", writable ? ["bind"] : ["bind", "ro"]);
        done.unshift(target);
      }
    } catch (cause) {
      unmount();
      throw cause;
    }
    return unmount;
  }

  async close(): Promise<void> {
    // Nothing runs while there is no job.
  }
}
