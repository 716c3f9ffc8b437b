/**
 * Reads a container's log file: from the beginning or the last lines, and on while it grows.
 *
 * Memory is bounded whatever the file holds; a broken line (a crash, a full disk) is skipped.
 *
 * @origin daemon/logs.go
 * @since Docker 1.6, under this path
 * @module
 */

import type { FileHandle } from "node:fs/promises";
import type { Host } from "../../../host/host.ts";
import { decodeJsonLogLines, type JsonLog } from "../../../pkg/jsonlog/jsonlog.ts";
import { tailOffset } from "../../../pkg/tailfile/tailfile.ts";
import type { JsonFileLog } from "./jsonfilelog.ts";

const blockSize = 64 * 1024;
/** A longer line, which only an older daemon writes, is skipped. */
const longestLine = 32 << 20;

/** What to read. */
export interface ReadOptions {
  /** Number of last lines; `undefined` for all. */
  readonly tail: number | undefined;
  /** Goes on with this log's growth until it is closed. */
  readonly follow: JsonFileLog | undefined;
  readonly signal?: AbortSignal;
  /** Nobody asks when a line was printed: neighbours may come as one. */
  readonly merged?: boolean;
}

/** Some lines that were there together, their texts as byte strings. `live`: written after the question. */
export interface LogBatch {
  readonly lines: JsonLog[];
  readonly live: boolean;
}

/** @throws an `ENOENT` error when there is no such log */
export async function* readLog(path: string, host: Pick<Host, "fs">, options: ReadOptions): AsyncGenerator<LogBatch> {
  const file = await host.fs.open(path, "r");
  try {
    const splitter = new LineSplitter(options.merged === true);
    const end = (await file.stat()).size;
    let position = end;
    if (options.tail === undefined) position = 0;
    else if (options.tail > 0) position = await tailOffset(file, end, options.tail);
    for await (const block of blocks(file, position, end)) {
      position += block.length;
      yield { lines: splitter.push(block), live: false };
    }
    const { follow, signal } = options;
    while (follow !== undefined && !signal?.aborted) {
      const growth = follow.changed();
      const block = await readBlock(file, position, Buffer.allocUnsafe(blockSize));
      position += block.length;
      if (block.length > 0) yield { lines: splitter.push(block), live: true };
      else if (follow.closed) {
        await follow.flushed();
        if ((await file.stat()).size <= position) return;
      } else {
        if ((await file.stat()).size < position)
          position = 0; // truncated: begin anew
        else await either(growth, signal);
      }
    }
  } finally {
    await file.close();
  }
}

/** A part of the file, in order: while one piece is worked on, the disk reads the next. A piece is good for one turn. */
async function* blocks(file: FileHandle, from: number, end: number): AsyncGenerator<Buffer> {
  let [buffer, other] = [Buffer.allocUnsafe(blockSize), Buffer.allocUnsafe(blockSize)];
  const next = (position: number) => {
    [buffer, other] = [other, buffer];
    return readBlock(file, position, buffer.subarray(0, Math.min(blockSize, end - position)));
  };
  let reading = from < end ? next(from) : undefined;
  try {
    for (let position = from; reading !== undefined; ) {
      const block: Buffer = await reading;
      reading = undefined;
      if (block.length === 0) return; // truncated meanwhile
      position += block.length;
      if (position < end) reading = next(position);
      yield block;
    }
  } finally {
    await reading?.catch(() => undefined); // the file is closed next
  }
}

async function readBlock(file: FileHandle, position: number, buffer: Buffer): Promise<Buffer> {
  const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
  return buffer.subarray(0, bytesRead);
}

async function either(growth: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return growth;
  let abort = (): void => undefined;
  const gone = new Promise<void>((resolve) => {
    abort = resolve;
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    await Promise.race([growth, gone]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

class LineSplitter {
  readonly #merged: boolean;
  #rest = "";
  #skipping = false;

  constructor(merged: boolean) {
    this.#merged = merged;
  }

  push(block: Buffer): JsonLog[] {
    const text = block.toString("latin1");
    const end = text.indexOf("\n");
    if (end < 0) {
      if (!this.#skipping) this.#rest += text;
      if (this.#rest.length > longestLine) {
        this.#rest = "";
        this.#skipping = true;
      }
      return [];
    }
    const whole = this.#skipping ? text.slice(end + 1) : this.#rest + text;
    this.#skipping = false;
    const { lines, rest } = decodeJsonLogLines(whole, this.#merged);
    this.#rest = whole.slice(rest);
    return lines;
  }
}
