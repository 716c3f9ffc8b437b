/**
 * A job's standard streams.
 *
 * An `Output` copies what is written to all its destinations; an `Input` has at most one source. Both can be connected
 * before the job runs, like the streams of a process.
 *
 * @origin engine/streams.go
 * @module
 */

import { BufferWriter, type Reader, type Writer } from "../sync/io.ts";
import { type PipeReader, pipe } from "../sync/pipe.ts";
import { asObject, decodeNext, JsonError } from "../utils/go-json-decode.ts";
import { Env } from "./env.ts";
import { Table } from "./table.ts";

const DONE = Promise.resolve();

/**
 * The last `n` lines of a text, without its final newline.
 *
 * @origin engine/streams.go Tail
 */
export function tail(text: string, n: number): string {
  if (n <= 0) return "";
  const trimmed = text.endsWith("\n") ? text.slice(0, -1) : text;
  let start = trimmed.length;
  for (let left = n; left > 0; left--) {
    if (start === 0) return trimmed;
    start = trimmed.lastIndexOf("\n", start - 1);
    if (start < 0) return trimmed;
  }
  return trimmed.slice(start + 1);
}

/**
 * Copies what is written to any number of destinations; without one it is thrown away.
 *
 * @origin engine/streams.go Output
 */
export class Output implements Writer {
  #destinations: Writer[] = [];
  #used = false;
  /** The last write that has not reached all destinations yet. */
  #busy: Promise<void> | undefined;

  /** Whether anything was ever written; an empty chunk counts. */
  used(): boolean {
    return this.#used;
  }

  /** Sends what is written from now on to `destination` too. It is closed together with the output, if it can be. */
  add(destination: Writer): void {
    this.#destinations.push(destination);
  }

  /** Closes the destinations and takes this one instead. */
  async set(destination: Writer): Promise<void> {
    const before = this.#destinations;
    this.#destinations = [destination];
    await closeAll(before);
  }

  /**
   * Writes to all destinations, in the order of the calls. An empty chunk reaches them too: it makes a server send its
   * headers.
   *
   * @throws the first destination's error, when all have been tried
   */
  write(chunk: Uint8Array | string): Promise<void> {
    this.#used = true;
    const busy = this.#busy;
    const copied = busy === undefined ? this.#copy(chunk) : busy.then(() => this.#copy(chunk));
    if (copied === undefined) return DONE;
    const settled = copied.then(clear, clear);
    const output = this;
    function clear(): void {
      if (output.#busy === settled) output.#busy = undefined;
    }
    this.#busy = settled;
    return copied;
  }

  /** Hands the chunk to each destination; a promise only when one of them needs time or failed. */
  #copy(chunk: Uint8Array | string): Promise<void> | undefined {
    let waiting: Promise<void>[] | undefined;
    for (const destination of this.#destinations) {
      let result: void | Promise<void>;
      try {
        result = destination.write(chunk);
      } catch (cause) {
        result = Promise.reject(cause);
      }
      if (result === undefined) continue;
      waiting ??= [];
      waiting.push(result);
    }
    return waiting === undefined ? undefined : allSettled(waiting);
  }

  /** Pushes out what a destination holds back. */
  async flush(): Promise<void> {
    await this.#busy;
    await allSettled(this.#destinations.map(async (destination) => destination.flush?.()));
  }

  /**
   * Waits for what is being written, then closes every destination that can be closed and lets them go.
   *
   * @throws the first error of closing, when all have been tried
   * @deviation What is written afterwards is lost; 1.2.0 offers it to the closed destinations.
   */
  async close(): Promise<void> {
    while (this.#busy !== undefined) await this.#busy;
    const before = this.#destinations;
    this.#destinations = [];
    if (before.length > 0) await closeAll(before);
  }

  /** A reader of everything written from now on. Whoever takes it must read it: a write waits for it. */
  addPipe(): PipeReader {
    const { reader, writer } = pipe();
    this.add(writer);
    return reader;
  }

  /** The last complete JSON object that was written; filled when the output is closed. */
  addEnv(): Env {
    const env = new Env();
    this.#collect((text) => {
      let next = decodeNext(text);
      while (next !== undefined) {
        const last = new Env();
        for (const [key, value] of Object.entries(asObject(next.value))) last.setAuto(key, value);
        env.init(last);
        next = decodeNext(text, next.end);
      }
    });
    return env;
  }

  /** The rows of the JSON objects that were written; filled when the output is closed. */
  addTable(): Table {
    const table = new Table();
    this.#collect((text) => table.readFrom(text));
    return table;
  }

  /** The rows of the JSON array that was written; filled when the output is closed. */
  addListTable(): Table {
    const table = new Table();
    this.#collect((text) => table.readListFrom(text));
    return table;
  }

  /** Gives, when asked, the last `n` lines that were written so far. */
  addTail(n: number): () => string {
    const buffer = new BufferWriter();
    this.add(buffer);
    return () => tail(buffer.toString(), n);
  }

  /** Keeps everything and parses it at the end. Like 1.2.0's readers, says nothing about what it cannot parse. */
  #collect(parse: (text: string) => void): void {
    const buffer = new BufferWriter();
    this.add({
      write: (chunk) => buffer.write(chunk),
      close() {
        try {
          parse(buffer.toString());
        } catch (cause) {
          if (!(cause instanceof JsonError)) throw cause;
        }
      },
    });
  }
}

/** Waits for all, then throws the first failure in their order. */
async function allSettled(work: readonly Promise<void>[]): Promise<void> {
  if (work.length === 1) return work[0];
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}

function closeAll(destinations: readonly Writer[]): Promise<void> {
  return allSettled(destinations.map(async (destination) => destination.close?.()));
}

/** A source that can be told that nobody reads any more. */
type Source = Reader & { close?(): void | Promise<void> };

/**
 * Reads from at most one source; without one it is empty.
 *
 * @origin engine/streams.go Input
 */
export class Input implements Reader {
  #source: Source | undefined;

  /** Whether it has a source. */
  get connected(): boolean {
    return this.#source !== undefined;
  }

  /** @throws when it has a source already */
  add(source: Source): void {
    if (this.#source !== undefined) throw new Error("Maximum number of sources reached: 1");
    this.#source = source;
  }

  /** Reads the source; leaving the loop early releases it. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#source === undefined ? nothing() : this.#source[Symbol.asyncIterator]();
  }

  /** Closes the source, if it can be closed. */
  async close(): Promise<void> {
    await this.#source?.close?.();
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
