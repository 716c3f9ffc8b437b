/**
 * Threads that unpack layers and look into containers.
 *
 * A thread locks itself into the layer it unpacks and comes out again when that went well, so the next layer finds it
 * warm: a new one takes 30 ms to start, and twice the time for its first layer. One whose layer failed, or whose caller
 * went away, is ended. So are all when there has been nothing to do for a while, because each costs some megabytes.
 *
 * ```text
 * main → thread   {open: UnpackJob}   then chunks (transferred)   then {end: true}
 * thread → main   each chunk back (transferred), as the credit for another; at last {result} or {error: {message, code}}
 * ```
 *
 * @module
 */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Worker } from "node:worker_threads";
import { deferred } from "../../sync/deferred.ts";
import type { Reader } from "../../sync/io.ts";
import type { ArchiveSink, LookJob, MinFree, PathStat, UnpackJob, UnpackResult, View, WorkerPool } from "../pool.ts";
import { builtin, runningFile } from "./lazy.ts";
import { serveLook } from "./pool-look.ts";
import { Turns } from "./turns.ts";

/** Small pieces are gathered: a message costs as much as copying 100 KB. */
const CHUNK_BYTES = 256 << 10;

/** Chunks that a thread and its job own, used again and again: 2 MB ride out a pause of the network or of the disk. */
const CREDITS = 8;

/** How long threads wait for a job that does not come. */
const LINGER_MS = 1000;

/**
 * So many copies out of and into containers at once. They are as slow as their clients, who must not keep layers from
 * being unpacked.
 */
const COPIES = 16;

/** Young objects of a thread, in MB: output of the inflater dies young, and must not pile up until a large space is full. */
const YOUNG_MB = 4;

/** What a thread says. */
type Answer = Uint8Array | { result: UnpackResult } | { error: { message: string; code?: string } };

/** Path of the built worker: beside the bundle, or in `dist/` at the root when running from the sources. */
function defaultScript(): string {
  const name = "unpack-worker.cjs";
  const here = dirname(runningFile());
  const beside = join(here, name);
  return existsSync(beside) ? beside : join(here, "../../../dist", name);
}

/** The {@link WorkerPool} of a host. */
export class ThreadPool implements WorkerPool {
  /** @see WorkerPool.minFree */
  minFree: MinFree | undefined;
  readonly #layers: Turns;
  readonly #copies = new Turns(COPIES);
  readonly #script: string | undefined;
  readonly #idle: Worker[] = [];
  #linger: NodeJS.Timeout | undefined;

  /** @param options - `workers`: how many unpack layers at once; `script`: what they run */
  constructor(options: { workers: number; script?: string }) {
    this.#layers = new Turns(options.workers);
    this.#script = options.script;
  }

  unpack(job: UnpackJob, source: Reader, signal?: AbortSignal): Promise<UnpackResult> {
    const turns = job.into === undefined ? this.#layers : this.#copies;
    const whole = { minFree: this.minFree, ...job };
    return this.#withThread(turns, (worker) => serve(worker, whole, source, signal), signal);
  }

  stat(view: View, path: string, signal?: AbortSignal): Promise<PathStat> {
    return this.#look({ view, what: "stat", path, maxBytes: 0 }, undefined, signal);
  }

  read(view: View, path: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#look({ view, what: "read", path, maxBytes }, undefined, signal);
  }

  archive(view: View, path: string, sink: ArchiveSink, signal?: AbortSignal): Promise<void> {
    return this.#look({ view, what: "archive", path, maxBytes: 0 }, sink, signal);
  }

  tree(view: View, write: ArchiveSink["write"], signal?: AbortSignal): Promise<void> {
    return this.#look({ view, what: "tree", path: "", maxBytes: 0 }, { begin: () => undefined, write }, signal);
  }

  async #look<T>(job: LookJob, sink: ArchiveSink | undefined, signal: AbortSignal | undefined): Promise<T> {
    const found = await this.#withThread(this.#copies, (worker) => serveLook<T>(worker, job, sink, signal), signal);
    return found();
  }

  /** Does one job with a thread of its own. */
  async #withThread<T>(
    turns: Turns,
    work: (worker: Worker) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted();
    clearTimeout(this.#linger);
    await turns.enter(signal);
    const worker = this.#idle.pop() ?? this.#start();
    let good = false;
    try {
      worker.ref();
      const result = await work(worker);
      good = true;
      return result;
    } finally {
      if (good) {
        worker.unref();
        this.#idle.push(worker);
      }
      turns.leave();
      this.#startLingering();
      if (!good) await worker.terminate();
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#linger);
    await Promise.all(this.#idle.splice(0).map((worker) => worker.terminate()));
  }

  /** When nobody has anything to do, threads are kept for a while only. */
  #startLingering(): void {
    clearTimeout(this.#linger);
    if (this.#layers.taken + this.#copies.taken === 0)
      this.#linger = setTimeout(() => void this.close(), LINGER_MS).unref();
  }

  #start(): Worker {
    const { Worker } = builtin("worker_threads");
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB };
    const worker = new Worker(this.#script ?? defaultScript(), { execArgv: [], resourceLimits });
    // One that dies while it has nothing to do is forgotten; with a job, the job reports why.
    const drop = () => {
      const at = this.#idle.indexOf(worker);
      if (at >= 0) this.#idle.splice(at, 1);
    };
    worker.on("error", drop);
    worker.once("exit", drop);
    return worker;
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
  /** Chunks that came back. */
  const free: ArrayBuffer[] = [];
  let made = 0;
  // What the sending side waits for, if it waits: a chunk back, or the source. Either ends with the job.
  let wake: (() => void) | undefined;
  const end = () => {
    over = true;
    wake?.();
  };
  finished.promise.then(end, end);
  const onMessage = (answer: Answer) => {
    if (answer instanceof Uint8Array) {
      free.push(answer.buffer as ArrayBuffer);
      if (free.length === 1) wake?.();
    } else if ("result" in answer) {
      finished.resolve(answer.result);
    } else {
      const { message, code } = answer.error;
      finished.reject(Object.assign(new Error(message), code === undefined ? {} : { code }));
    }
  };
  const onError = (cause: Error) => finished.reject(new Error(`Cannot unpack the layer: ${cause.message}`, { cause }));
  const onExit = () => finished.reject(new Error("Cannot unpack the layer: its thread ended before the work was done"));
  worker.on("message", onMessage);
  worker.on("error", onError);
  worker.once("exit", onExit);
  const stop = () => finished.reject(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted === true) stop();

  /** A chunk to fill: one that came back, or a new one while there are few. */
  const chunk = async (): Promise<Uint8Array> => {
    if (free.length === 0 && made < CREDITS) {
      made++;
      return new Uint8Array(new ArrayBuffer(CHUNK_BYTES));
    }
    while (free.length === 0 && !over) {
      const back = deferred();
      wake = back.resolve;
      await back.promise;
    }
    return new Uint8Array(free.pop() ?? new ArrayBuffer(0));
  };
  const send = (filled: Uint8Array) => worker.postMessage(filled, [filled.buffer as ArrayBuffer]);
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
    let batch: Uint8Array | undefined;
    let filled = 0;
    for (;;) {
      const step = over ? undefined : await next(input);
      if (step === undefined) break;
      if (step.done === true) {
        if (batch !== undefined) send(batch.subarray(0, filled));
        worker.postMessage({ end: true });
        break;
      }
      // Always copied: the bytes belong to the source, which may have more plans for them.
      for (let rest = step.value; rest.length > 0 && !over; ) {
        batch ??= await chunk();
        const part = rest.subarray(0, batch.length - filled);
        batch.set(part, filled);
        filled += part.length;
        rest = rest.subarray(part.length);
        if (filled === batch.length) {
          if (filled > 0) send(batch);
          batch = undefined;
          filled = 0;
        }
      }
    }
    return await finished.promise;
  } finally {
    signal?.removeEventListener("abort", stop);
    worker.off("message", onMessage);
    worker.off("error", onError);
    worker.off("exit", onExit);
    // Not awaited: a source that hangs in next() would hold us for ever.
    void input.return?.().catch(() => {});
  }
}
