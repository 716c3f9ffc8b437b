/**
 * The main thread's side of packing a layer; see `pool.ts`.
 *
 * @module
 */

import type { Worker } from "node:worker_threads";
import { deferred } from "../../sync/deferred.ts";
import type { Reader } from "../../sync/io.ts";
import type { ArchiveSink, PackResult } from "../pool.ts";
import { Feed } from "./pool-feed.ts";
import { type Failure, failureOf, listen } from "./pool-listen.ts";

/** What the thread says: chunks back, packed ones, and an end. */
type Answer = Uint8Array | { packed: Uint8Array } | { result: PackResult } | { error: Failure };

/** Lets a thread compress a stream, and hands on what comes of it as fast as it is taken. */
export async function servePack(
  worker: Worker,
  source: Reader,
  write: ArchiveSink["write"],
  signal: AbortSignal | undefined,
): Promise<PackResult> {
  const finished = deferred<PackResult>();
  const feed = new Feed(worker);
  const stop = () => feed.stop();
  finished.promise.then(stop, stop);
  let taken = Promise.resolve();
  const take = async (chunk: Uint8Array): Promise<void> => {
    await write(chunk);
    worker.postMessage({ more: true });
  };
  const onMessage = (answer: Answer) => {
    if (answer instanceof Uint8Array) {
      feed.back(answer);
    } else if ("packed" in answer) {
      taken = taken.then(() => take(answer.packed));
      taken.catch(finished.reject);
    } else if ("result" in answer) {
      taken.then(() => finished.resolve(answer.result), finished.reject);
    } else {
      finished.reject(failureOf(answer.error));
    }
  };
  const leave = listen(worker, onMessage, finished.reject, "pack the layer", signal);
  try {
    worker.postMessage({ pack: true });
    await feed.send(source);
    return await finished.promise;
  } finally {
    leave();
    // Nothing is written any more when we are back.
    await taken.catch(() => undefined);
  }
}
