/**
 * The main thread's side of a stream that goes into a thread; see `pool.ts`.
 *
 * @module
 */

import type { Worker } from "node:worker_threads";
import { deferred } from "../../sync/deferred.ts";
import type { Reader } from "../../sync/io.ts";

/** Small pieces are gathered: a message costs as much as copying 100 KB. */
const CHUNK_BYTES = 256 << 10;

/** Chunks that a thread and its job own, used again and again: 2 MB ride out a pause of the network or of the disk. */
const CREDITS = 8;

/** Sends a stream to a thread, as fast as that takes it. */
export class Feed {
  readonly #worker: Worker;
  /** Chunks that came back. */
  readonly #free: ArrayBuffer[] = [];
  #made = 0;
  #over = false;
  /** What the sending side waits for, if it waits: a chunk back, or the source. Either ends with the job. */
  #wake: (() => void) | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** The thread is done with a chunk. */
  back(chunk: Uint8Array): void {
    this.#free.push(chunk.buffer as ArrayBuffer);
    if (this.#free.length === 1) this.#wake?.();
  }

  /** The job is over, well or badly: what has not been sent is not wanted. */
  stop(): void {
    this.#over = true;
    this.#wake?.();
  }

  /** Sends all of a source, and says so. @throws what the source throws */
  async send(source: Reader): Promise<void> {
    const input = source[Symbol.asyncIterator]();
    try {
      let batch: Uint8Array | undefined;
      let filled = 0;
      for (;;) {
        const step = this.#over ? undefined : await this.#next(input);
        if (step === undefined) break;
        if (step.done === true) {
          if (batch !== undefined) this.#post(batch.subarray(0, filled));
          this.#worker.postMessage({ end: true });
          break;
        }
        // Always copied: the bytes belong to the source, which may have more plans for them.
        for (let rest = step.value; rest.length > 0 && !this.#over; ) {
          batch ??= await this.#chunk();
          const part = rest.subarray(0, batch.length - filled);
          batch.set(part, filled);
          filled += part.length;
          rest = rest.subarray(part.length);
          if (filled === batch.length) {
            if (filled > 0) this.#post(batch);
            batch = undefined;
            filled = 0;
          }
        }
      }
    } finally {
      // Not awaited: a source that hangs in next() would hold us for ever.
      void input.return?.().catch(() => {});
    }
  }

  #post(filled: Uint8Array): void {
    this.#worker.postMessage(filled, [filled.buffer as ArrayBuffer]);
  }

  /** A chunk to fill: one that came back, or a new one while there are few. */
  async #chunk(): Promise<Uint8Array> {
    if (this.#free.length === 0 && this.#made < CREDITS) {
      this.#made++;
      return new Uint8Array(new ArrayBuffer(CHUNK_BYTES));
    }
    while (this.#free.length === 0 && !this.#over) {
      const back = deferred();
      this.#wake = back.resolve;
      await back.promise;
    }
    return new Uint8Array(this.#free.pop() ?? new ArrayBuffer(0));
  }

  /** Asks the source; `undefined` when the job was over first. */
  #next(input: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array> | undefined> {
    const step = deferred<IteratorResult<Uint8Array> | undefined>();
    this.#wake = () => {
      if (this.#over) step.resolve(undefined);
    };
    input.next().then(step.resolve, step.reject);
    return step.promise;
  }
}
