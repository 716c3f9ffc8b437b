/**
 * Node's streams as the engine's {@link Reader} and {@link Writer}.
 *
 * @module
 */

import { fstatSync, writeSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { isErrno } from "../../errdefs/errdefs.ts";
import { deferred } from "../../sync/deferred.ts";
import type { Reader, Writer } from "../../sync/io.ts";
import { builtin } from "./lazy.ts";

/**
 * Reads a stream to its end.
 *
 * Nothing is read ahead of the consumer beyond the stream's own buffer. Leaving the loop destroys the stream.
 *
 * @param ends - codes of errors that mean "end" here (`EIO` for a console whose other side hung up)
 */
export function toReader(stream: Readable, ...ends: string[]): Reader & { destroy(): void } {
  let over = false;
  let failure: unknown;
  let wake = () => {};
  const end = (cause?: unknown) => {
    failure ??= cause;
    over = true;
    wake();
  };
  // Somebody has to listen: an error before the first read would end the process.
  stream.on("error", end);
  stream.once("end", () => end());
  stream.once("close", () => end());
  return {
    async *[Symbol.asyncIterator]() {
      const more = () => wake();
      stream.on("readable", more);
      try {
        for (;;) {
          // Also after the end: what was read before a terminal hung up is still in the stream, and `for await` drops it.
          const chunk = stream.read() as Buffer | null;
          if (chunk !== null) yield chunk;
          else if (over) break;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
        // A stream that we destroyed ourselves ends the loop that reads it.
        if (failure !== undefined && !isErrno(failure, "ERR_STREAM_PREMATURE_CLOSE", ...ends)) throw failure;
      } finally {
        stream.off("readable", more);
        stream.destroy();
      }
    },
    destroy() {
      stream.destroy();
    },
  };
}

/**
 * Writes to a stream with its back-pressure.
 *
 * @param ignored - codes of errors that only mean that nobody reads any more; later writes then go nowhere
 */
export function toWriter(stream: Writable, ...ignored: string[]): Writer & { close(): Promise<void> } {
  let failure: Error | undefined;
  const closed = deferred();
  stream.on("error", (error) => {
    if (!isErrno(error, ...ignored)) failure = error;
  });
  stream.once("close", () => closed.resolve());
  return {
    write(chunk) {
      if (failure !== undefined) throw failure;
      if (stream.destroyed || stream.writableEnded || stream.write(chunk)) return;
      const { promise, resolve, reject } = deferred();
      const settle = () => {
        stream.off("drain", settle);
        stream.off("close", settle);
        if (failure === undefined) resolve();
        else reject(failure);
      };
      stream.once("drain", settle);
      stream.once("close", settle);
      return promise;
    },
    async close() {
      stream.end();
      await closed.promise;
      if (failure !== undefined) throw failure;
    },
  };
}

/** Whether a descriptor is a terminal. A closed one is not. */
export function isTerminal(fd: number): boolean {
  try {
    // The module behind isatty costs milliseconds: only ask it about what could be one.
    return fstatSync(fd).isCharacterDevice() && builtin("tty").isatty(fd);
  } catch {
    return false;
  }
}

/** This process's standard input. */
export function standardInput(): Reader & { readonly isTerminal: boolean } {
  return {
    get isTerminal() {
      return isTerminal(0);
    },
    async *[Symbol.asyncIterator]() {
      // Not destroyed afterwards: another reader may go on where this one left.
      for await (const chunk of process.stdin.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
    },
  };
}

/** This process's standard output or error. */
export function standardOutput(fd: 1 | 2): Writer & { readonly isTerminal: boolean } {
  // Setting up process.stdout costs milliseconds: it is only used when the descriptor does not take data at once.
  let stream: Writer | undefined;
  return {
    get isTerminal() {
      return isTerminal(fd);
    },
    write(chunk) {
      if (stream !== undefined) return stream.write(chunk);
      let rest = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      try {
        while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
      } catch (cause) {
        if (!isErrno(cause, "EAGAIN")) throw cause;
        stream = toWriter(fd === 1 ? process.stdout : process.stderr);
        return stream.write(rest);
      }
    },
  };
}
