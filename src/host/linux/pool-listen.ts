/**
 * What is heard of a thread while it does a job; see `pool.ts`.
 *
 * @module
 */

import type { Worker } from "node:worker_threads";

/** A failure as a thread tells it. */
export interface Failure {
  readonly message: string;
  readonly code?: string;
}

/** The error that a thread tells of. */
export function failureOf({ message, code }: Failure): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

/**
 * Listens to a thread.
 *
 * @param fail - is told when the thread dies, or the caller goes away
 * @param work - what cannot be done then
 * @returns ends the listening
 */
export function listen<Answer>(
  worker: Worker,
  onMessage: (answer: Answer) => void,
  fail: (reason: unknown) => void,
  work: string,
  signal: AbortSignal | undefined,
): () => void {
  const onError = (cause: Error) => fail(new Error(`Cannot ${work}: ${cause.message}`, { cause }));
  const onExit = () => fail(new Error(`Cannot ${work}: its thread ended before the work was done`));
  const stop = () => fail(signal?.reason);
  worker.on("message", onMessage).on("error", onError).once("exit", onExit);
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted === true) stop();
  return () => {
    signal?.removeEventListener("abort", stop);
    worker.off("message", onMessage).off("error", onError).off("exit", onExit);
  };
}
