/**
 * Threads that unpack layers, pack them, and look into containers.
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
import type {
  ArchiveSink,
  LookJob,
  MinFree,
  PackResult,
  PathStat,
  UnpackJob,
  UnpackResult,
  View,
  WorkerPool,
} from "../pool.ts";
import { builtin, runningFile } from "./lazy.ts";
import { Feed } from "./pool-feed.ts";
import { failureOf, listen } from "./pool-listen.ts";
import { serveLook } from "./pool-look.ts";
import { servePack } from "./pool-pack.ts";
import { Turns } from "./turns.ts";

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
  /** Of their own: what comes in may wait for a slow network. */
  readonly #packs: Turns;
  readonly #script: string | undefined;
  readonly #idle: Worker[] = [];
  #linger: NodeJS.Timeout | undefined;

  /** @param options - `workers`: how many unpack layers at once, and how many pack them; `script`: what they run */
  constructor(options: { workers: number; script?: string }) {
    this.#layers = new Turns(options.workers);
    this.#packs = new Turns(options.workers);
    this.#script = options.script;
  }

  unpack(job: UnpackJob, source: Reader, signal?: AbortSignal): Promise<UnpackResult> {
    const turns = job.into === undefined ? this.#layers : this.#copies;
    const whole = { minFree: this.minFree, ...job };
    return this.#withThread(turns, (worker) => serve(worker, whole, source, signal), signal);
  }

  pack(source: Reader, write: ArchiveSink["write"], signal?: AbortSignal): Promise<PackResult> {
    return this.#withThread(this.#packs, (worker) => servePack(worker, source, write, signal), signal);
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
    if (this.#layers.taken + this.#packs.taken + this.#copies.taken === 0)
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

/** Unpacks a layer with one thread. */
async function serve(
  worker: Worker,
  job: UnpackJob,
  source: Reader,
  signal: AbortSignal | undefined,
): Promise<UnpackResult> {
  const finished = deferred<UnpackResult>();
  const feed = new Feed(worker);
  const stop = () => feed.stop();
  finished.promise.then(stop, stop);
  const onMessage = (answer: Answer) => {
    if (answer instanceof Uint8Array) feed.back(answer);
    else if ("result" in answer) finished.resolve(answer.result);
    else finished.reject(failureOf(answer.error));
  };
  const leave = listen(worker, onMessage, finished.reject, "unpack the layer", signal);
  try {
    worker.postMessage({ open: job });
    await feed.send(source);
    return await finished.promise;
  } finally {
    leave();
  }
}
