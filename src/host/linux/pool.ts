/**
 * Threads that unpack layers.
 *
 * A thread chroots into the layer it unpacks, so it serves one job and ends. Starting one takes some 15 ms: while
 * jobs are waiting, the next threads are started ahead; when there is nothing left to do they are ended, because each
 * costs some megabytes.
 *
 * ```text
 * main → thread   {open: UnpackJob}   then chunks (transferred)   then {end: true}
 * thread → main   "c" for each chunk it is done with              then {result} or {error: {message, code}}
 * ```
 *
 * @module
 */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Worker } from "node:worker_threads";
import { type Deferred, deferred } from "../../sync/deferred.ts";
import type { Reader } from "../../sync/io.ts";
import type { UnpackJob, UnpackResult, WorkerPool } from "../pool.ts";
import { builtin, runningFile } from "./lazy.ts";

/** Small pieces are gathered: a message costs as much as copying 100 KB. */
const CHUNK_BYTES = 256 << 10;

/** Chunks on the way to a thread: 8 MB, enough to ride out a pause of the network or of the disk. */
const CREDITS = 32;

/** How long threads started ahead wait for a job that does not come. */
const LINGER_MS = 1000;

/** What a thread says. */
type Answer = "c" | { result: UnpackResult } | { error: { message: string; code?: string } };

/** Path of the built worker: beside the bundle, or in `dist/` at the root when running from the sources. */
function defaultScript(): string {
  const name = "unpack-worker.cjs";
  const here = dirname(runningFile());
  const beside = join(here, name);
  return existsSync(beside) ? beside : join(here, "../../../dist", name);
}

/** The {@link WorkerPool} of a host. */
export class ThreadPool implements WorkerPool {
  readonly #workers: number;
  readonly #script: string | undefined;
  readonly #spare: Worker[] = [];
  readonly #queue: Deferred<void>[] = [];
  #running = 0;
  #served = 0;
  #linger: NodeJS.Timeout | undefined;

  /** @param options - `workers`: how many run at once; `script`: what they run */
  constructor(options: { workers: number; script?: string }) {
    this.#workers = options.workers;
    this.#script = options.script;
  }

  async unpack(job: UnpackJob, source: Reader, signal?: AbortSignal): Promise<UnpackResult> {
    signal?.throwIfAborted();
    await this.#enter(signal);
    const worker = this.#spare.pop() ?? this.#start();
    worker.ref();
    try {
      this.#prepare();
      return await serve(worker, job, source, signal);
    } finally {
      this.#served++;
      this.#leave();
      await worker.terminate();
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#linger);
    this.#served = 0;
    await Promise.all(this.#spare.splice(0).map((worker) => worker.terminate()));
  }

  /** Waits for a turn. */
  async #enter(signal: AbortSignal | undefined): Promise<void> {
    clearTimeout(this.#linger);
    if (this.#running < this.#workers) {
      this.#running++;
      return;
    }
    const turn = deferred();
    this.#queue.push(turn);
    this.#prepare();
    const stop = () => {
      const at = this.#queue.indexOf(turn);
      if (at < 0) return; // its turn has come already
      this.#queue.splice(at, 1);
      turn.reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
    try {
      await turn.promise;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Gives the turn to the next one. */
  #leave(): void {
    const next = this.#queue.shift();
    if (next !== undefined) {
      next.resolve();
      return;
    }
    this.#running--;
    if (this.#running === 0) this.#linger = setTimeout(() => void this.close(), LINGER_MS).unref();
  }

  /** Starts threads for the jobs that will come next: those in the queue, or one when they come one by one. */
  #prepare(): void {
    const wanted = Math.min(this.#workers, Math.max(this.#queue.length, this.#served > 0 ? 1 : 0));
    while (this.#spare.length < wanted) {
      const worker = this.#start();
      worker.unref();
      // A spare that dies is no spare; the job that would have had it reports why, from its own.
      const drop = () => {
        const at = this.#spare.indexOf(worker);
        if (at >= 0) this.#spare.splice(at, 1);
      };
      worker.on("error", drop);
      worker.once("exit", drop);
      this.#spare.push(worker);
    }
  }

  #start(): Worker {
    const { Worker } = builtin("worker_threads");
    return new Worker(this.#script ?? defaultScript(), { execArgv: [] });
  }
}

/** Does one job with one thread. */
async function serve(
  worker: Worker,
  job: UnpackJob,
  source: Reader,
  signal: AbortSignal | undefined,
): Promise<UnpackResult> {
  const finished = deferred<UnpackResult>();
  let over = false;
  let credits = CREDITS;
  // What the sending side waits for, if it waits: a credit, or the source. Either ends with the job.
  let wake: (() => void) | undefined;
  const end = () => {
    over = true;
    wake?.();
  };
  finished.promise.then(end, end);
  worker.on("message", (answer: Answer) => {
    if (answer === "c") {
      if (credits++ === 0) wake?.();
    } else if ("result" in answer) {
      finished.resolve(answer.result);
    } else {
      const { message, code } = answer.error;
      finished.reject(Object.assign(new Error(message), code === undefined ? {} : { code }));
    }
  });
  worker.once("error", (cause) => finished.reject(new Error(`Cannot unpack the layer: ${cause.message}`, { cause })));
  worker.once("exit", () =>
    finished.reject(new Error("Cannot unpack the layer: its thread ended before the work was done")),
  );
  const stop = () => finished.reject(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted === true) stop();

  const send = async (chunk: Buffer) => {
    while (credits === 0 && !over) {
      const credit = deferred();
      wake = credit.resolve;
      await credit.promise;
    }
    credits--;
    worker.postMessage(chunk, [chunk.buffer as ArrayBuffer]);
  };
  /** Asks the source; `undefined` when the job was over first. */
  const next = (input: AsyncIterator<Uint8Array>) => {
    const step = deferred<IteratorResult<Uint8Array> | undefined>();
    wake = () => {
      if (over) step.resolve(undefined);
    };
    input.next().then(step.resolve, step.reject);
    return step.promise;
  };

  const input = source[Symbol.asyncIterator]();
  try {
    worker.postMessage({ open: job });
    let batch = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    let filled = 0;
    for (;;) {
      const step = over ? undefined : await next(input);
      if (step === undefined) break;
      if (step.done === true) {
        if (filled > 0) await send(batch.subarray(0, filled));
        worker.postMessage({ end: true });
        break;
      }
      // Always copied: the chunk belongs to the source, which may have more plans for it.
      for (let rest = step.value; rest.length > 0; ) {
        const part = rest.subarray(0, CHUNK_BYTES - filled);
        batch.set(part, filled);
        filled += part.length;
        rest = rest.subarray(part.length);
        if (filled === CHUNK_BYTES) {
          await send(batch);
          batch = Buffer.allocUnsafeSlow(CHUNK_BYTES);
          filled = 0;
        }
      }
    }
    return await finished.promise;
  } finally {
    signal?.removeEventListener("abort", stop);
    // Not awaited: a source that hangs in next() would hold us for ever.
    void input.return?.().catch(() => {});
  }
}
