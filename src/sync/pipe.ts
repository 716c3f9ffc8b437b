/**
 * A pipe inside the process: what one side writes the other side reads.
 *
 * @module
 */

import { type Deferred, deferred } from "./deferred.ts";
import type { Reader, Writer } from "./io.ts";

/** The reading end. It can be read once. */
export interface PipeReader extends Reader {
  /** Ends the pipe from this side: further writing fails with `error`. */
  close(error?: Error): void;
}

/** The writing end. */
export interface PipeWriter extends Writer {
  /** Resolves when the reader has taken the chunk. @throws when the reader is gone */
  write(chunk: Uint8Array | string): Promise<void>;
  /** Ends the pipe; with `error`, the reader's loop throws it. */
  close(error?: Error): void;
}

/**
 * Makes a pipe without a buffer, as Go's `io.Pipe`: each write waits until its chunk was taken.
 *
 * Chunks are passed on as they are: the writer must not change one before its write resolves.
 */
export function pipe(): { reader: PipeReader; writer: PipeWriter } {
  const queue: { chunk: Uint8Array; taken: Deferred<void> }[] = [];
  let wake: Deferred<void> | undefined;
  let ended = false;
  let failure: Error | undefined;
  let gone: Error | undefined;

  const writer: PipeWriter = {
    async write(chunk) {
      if (gone !== undefined) throw gone;
      if (ended) throw new Error("io: read/write on closed pipe");
      if (chunk.length === 0) return;
      const taken = deferred();
      queue.push({ chunk: typeof chunk === "string" ? Buffer.from(chunk, "utf8") : chunk, taken });
      wake?.resolve();
      await taken.promise;
    },
    close(error) {
      if (ended) return;
      ended = true;
      failure = error;
      wake?.resolve();
    },
  };

  function leave(error = new Error("io: read/write on closed pipe")): void {
    gone ??= error;
    for (const { taken } of queue.splice(0)) taken.reject(gone);
    wake?.resolve();
  }

  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      while (gone === undefined) {
        const next = queue.shift();
        if (next !== undefined) {
          next.taken.resolve();
          yield next.chunk;
        } else if (ended) {
          if (failure !== undefined) throw failure;
          return;
        } else {
          wake = deferred();
          await wake.promise;
          wake = undefined;
        }
      }
    } finally {
      leave();
    }
  }

  const chunks = read();
  return { reader: { [Symbol.asyncIterator]: () => chunks, close: leave }, writer };
}
