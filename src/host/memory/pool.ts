/**
 * Unpacks layers into files in memory: what the threads of `linux/pool.ts` do, without a thread.
 *
 * @module
 */

import { unpackLayer } from "../../archive/unpack-layer.ts";
import type { Reader } from "../../sync/io.ts";
import type { Exec, Hasher } from "../host.ts";
import type { UnpackJob, UnpackResult, WorkerPool } from "../pool.ts";
import type { SyncFs } from "../sync-fs.ts";

/** What unpacking in memory needs. */
export interface MemoryPoolParts {
  readonly fs: SyncFs;
  readonly exec: Pick<Exec, "pipe" | "lookPath">;
  hash(algorithm: "sha256"): Hasher;
}

/** The {@link WorkerPool} of a memory host: all jobs take turns on the event loop. */
export class MemoryPool implements WorkerPool {
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
    try {
      return await unpackLayer(job, {
        fs: this.#parts.fs,
        exec: this.#parts.exec,
        sha256: () => this.#parts.hash("sha256"),
        next: async () => {
          const step = await Promise.race([input.next(), stopped]);
          return step.done === true ? undefined : step.value;
        },
        // There is no other root to lock oneself into: that no link is followed out is the unpacker's own work.
        enter: ({ root }) => ({ root, leave: () => undefined }),
      });
    } finally {
      if (stop !== undefined) signal?.removeEventListener("abort", stop);
      // Not awaited: a source that hangs in next() would hold us for ever.
      void input.return?.().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    // Nothing runs while there is no job.
  }
}
