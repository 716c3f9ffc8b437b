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
import { decodeJsonLog, type JsonLog } from "../../../pkg/jsonlog/jsonlog.ts";
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
}

/** Some lines that were there together. `live`: written after the question. */
export interface LogBatch {
  readonly lines: JsonLog[];
  readonly live: boolean;
}

/** @throws an `ENOENT` error when there is no such log */
export async function* readLog(path: string, host: Pick<Host, "fs">, options: ReadOptions): AsyncGenerator<LogBatch> {
  const file = await host.fs.open(path, "r");
  try {
    const splitter = new LineSplitter();
    const end = (await file.stat()).size;
    let position = end;
    if (options.tail === undefined) position = 0;
    else if (options.tail > 0) position = await tailOffset(file, end, options.tail);
    while (position < end) {
      const block = await readBlock(file, position, Math.min(blockSize, end - position));
      if (block.length === 0) break; // truncated meanwhile
      position += block.length;
      yield { lines: splitter.push(block), live: false };
    }
    const { follow, signal } = options;
    while (follow !== undefined && !signal?.aborted) {
      const growth = follow.changed();
      const block = await readBlock(file, position, blockSize);
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

async function readBlock(file: FileHandle, position: number, size: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(size);
  const { bytesRead } = await file.read(block, 0, size, position);
  return block.subarray(0, bytesRead);
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
  #rest: Buffer[] = [];
  #restSize = 0;
  #skipping = false;

  push(block: Buffer): JsonLog[] {
    const lines: JsonLog[] = [];
    let start = 0;
    for (let end = block.indexOf(0x0a); end >= 0; end = block.indexOf(0x0a, start)) {
      const piece = block.subarray(start, end);
      const text = this.#restSize === 0 ? piece : Buffer.concat([...this.#rest, piece]);
      const line = this.#skipping ? undefined : decodeJsonLog(text.toString("utf8"));
      if (line !== undefined) lines.push(line);
      this.#rest = [];
      this.#restSize = 0;
      this.#skipping = false;
      start = end + 1;
    }
    if (start < block.length && !this.#skipping) {
      this.#rest.push(block.subarray(start));
      this.#restSize += block.length - start;
      if (this.#restSize > longestLine) {
        this.#rest = [];
        this.#restSize = 0;
        this.#skipping = true;
      }
    }
    return lines;
  }
}
