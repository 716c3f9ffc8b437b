/**
 * The main thread's side of looking into a container; see `pool.ts`.
 *
 * @module
 */

import type { Worker } from "node:worker_threads";
import { deferred } from "../../sync/deferred.ts";
import type { ArchiveSink, LookJob, PathStat } from "../pool.ts";

/** What the thread says: pieces of an archive after what they are of, and an end. */
type Answer = Uint8Array | { stat: PathStat } | { result: unknown } | { error: Failure };

/** Why a thread did not find what it was to find. */
interface Failure {
  message: string;
  code?: string;
  /** The thread is out of the container again, and as good as before. */
  clean?: boolean;
}

function errorOf({ message, code }: Failure): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

/**
 * Lets a thread look, and hands an archive on as fast as it is taken.
 *
 * @returns gives what the thread found out, or throws its failure; the thread can be used again
 * @throws when it cannot
 */
export async function serveLook<T>(
  worker: Worker,
  job: LookJob,
  sink: ArchiveSink | undefined,
  signal: AbortSignal | undefined,
): Promise<() => T> {
  const finished = deferred<() => T>();
  let taken = Promise.resolve();
  const take = async (chunk: Uint8Array): Promise<void> => {
    await sink?.write(chunk);
    worker.postMessage({ more: true });
  };
  const onMessage = (answer: Answer) => {
    if (answer instanceof Uint8Array) {
      taken = taken.then(() => take(answer));
      taken.catch(finished.reject);
    } else if ("stat" in answer) {
      taken = taken.then(() => sink?.begin(answer.stat));
      taken.catch(finished.reject);
    } else if ("result" in answer) {
      taken.then(() => finished.resolve(() => answer.result as T), finished.reject);
    } else if (answer.error.clean === true) {
      finished.resolve(() => {
        throw errorOf(answer.error);
      });
    } else {
      finished.reject(errorOf(answer.error));
    }
  };
  const onError = (cause: Error) => finished.reject(new Error(`Cannot read the files: ${cause.message}`, { cause }));
  const onExit = () => finished.reject(new Error("Cannot read the files: the thread ended before the work was done"));
  const stop = () => finished.reject(signal?.reason);
  worker.on("message", onMessage).on("error", onError).once("exit", onExit);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    if (signal?.aborted === true) stop();
    else worker.postMessage({ look: job });
    return await finished.promise;
  } finally {
    signal?.removeEventListener("abort", stop);
    worker.off("message", onMessage).off("error", onError).off("exit", onExit);
  }
}
