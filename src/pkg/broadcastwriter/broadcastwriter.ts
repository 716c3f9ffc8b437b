/**
 * Gives a container's output to everybody who reads it: attached clients get the bytes, the log gets lines.
 *
 * @origin pkg/broadcastwriter/broadcastwriter.go
 * @module
 */

import type { Writer } from "../../sync/io.ts";
import { encodeJsonLog, encodePlainLines } from "../jsonlog/jsonlog.ts";
import { Subscription } from "./subscription.ts";

/** Longest line in the log, bytes; a longer one becomes several. */
export const lineLimit = 16 * 1024;

/**
 * One stream of a container.
 *
 * @origin pkg/broadcastwriter/broadcastwriter.go BroadcastWriter
 * @deviation A line is cut every 16 KiB and a last line without an end is logged when the stream ends; 1.2.0 keeps both
 *   in memory, the second for ever. A slow client makes this container wait, up to a buffer of its own; in 1.2.0 it also
 *   stops the log and all other clients at once.
 */
export class BroadcastWriter implements Writer {
  readonly #now: () => string;
  readonly #clients = new Set<Subscription>();
  readonly #logs = new Map<Writer, string>();
  #partial: Buffer[] = [];
  #partialSize = 0;

  /** @param now - the time of a line, RFC 3339 with nanoseconds */
  constructor(now: () => string) {
    this.#now = now;
  }

  /**
   * Adds a reader of the bytes as they come.
   *
   * @param held - keeps everything back until the subscription is released
   * @origin pkg/broadcastwriter/broadcastwriter.go AddWriter
   */
  addWriter(writer: Writer, held = false): Subscription {
    const client = new Subscription(writer, held);
    this.#clients.add(client);
    void client.ended.then(() => this.#clients.delete(client));
    return client;
  }

  /**
   * Adds a log: it gets each line as a line of JSON.
   *
   * @param stream - `stdout` or `stderr`
   * @origin pkg/broadcastwriter/broadcastwriter.go AddWriter
   */
  addLog(writer: Writer, stream: string): void {
    this.#logs.set(writer, stream);
  }

  /** Takes output. The promise settles when every reader has room again. @origin pkg/broadcastwriter/broadcastwriter.go Write */
  write(chunk: Uint8Array | string): void | Promise<void> {
    const bytes =
      typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    if (bytes.length === 0) return;
    const pending: Promise<void>[] = [];
    for (const client of this.#clients) {
      const full = client.push(bytes);
      if (full !== undefined) pending.push(full);
    }
    if (this.#logs.size > 0) this.#logChunk(bytes, pending);
    if (pending.length > 0) return Promise.all(pending).then(() => undefined);
  }

  /**
   * Ends the stream: what is left of a line goes to the log, all readers get their end and are forgotten.
   *
   * @origin pkg/broadcastwriter/broadcastwriter.go Clean
   */
  clean(): void {
    if (this.#partialSize > 0 && this.#logs.size > 0) this.#log([this.#take()], this.#now(), []);
    this.#partial = [];
    this.#partialSize = 0;
    for (const client of this.#clients) client.end();
    this.#clients.clear();
    this.#logs.clear();
  }

  /** Whole plain lines take the short way; the one that began in an earlier chunk and the one that ends later do not. */
  #logChunk(bytes: Buffer, pending: Promise<void>[]): void {
    const time = this.#now();
    const start = this.#partialSize === 0 ? 0 : bytes.indexOf(0x0a) + 1;
    const end = bytes.lastIndexOf(0x0a) + 1;
    const plain = end > start ? this.#plainLines(bytes.toString("latin1", start, end), time) : undefined;
    if (plain === undefined) {
      this.#log(this.#lines(bytes), time, pending);
      return;
    }
    this.#log(this.#lines(bytes.subarray(0, start)), time, pending);
    for (const [writer, lines] of plain) this.#give(writer, lines, pending);
    this.#log(this.#lines(bytes.subarray(end)), time, pending);
  }

  #plainLines(text: string, time: string): [Writer, string][] | undefined {
    const all: [Writer, string][] = [];
    for (const [writer, stream] of this.#logs) {
      const lines = encodePlainLines(text, lineLimit, stream, time);
      if (lines === undefined) return undefined;
      all.push([writer, lines]);
    }
    return all;
  }

  #log(lines: string[], time: string, pending: Promise<void>[]): void {
    if (lines.length === 0) return;
    for (const [writer, stream] of this.#logs) {
      this.#give(writer, lines.map((log) => encodeJsonLog({ log, stream, time })).join(""), pending);
    }
  }

  #give(writer: Writer, lines: string, pending: Promise<void>[]): void {
    const full = writer.write(lines);
    if (full !== undefined) pending.push(full);
  }

  /** Cuts what has come into lines; the rest waits for the next chunk. */
  #lines(bytes: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    while (start < bytes.length) {
      const end = bytes.indexOf(0x0a, start);
      const piece = end < 0 ? bytes.subarray(start) : bytes.subarray(start, end + 1);
      if (this.#partialSize + piece.length > lineLimit) {
        const cut = boundary(piece, lineLimit - this.#partialSize);
        this.#keep(piece.subarray(0, cut));
        lines.push(this.#take());
        start += cut;
        continue;
      }
      start += piece.length;
      if (end < 0)
        this.#keep(Buffer.from(piece)); // a copy: the chunk may be a small part of a large buffer
      else if (this.#partialSize === 0) lines.push(piece.toString("utf8"));
      else {
        this.#keep(piece);
        lines.push(this.#take());
      }
    }
    return lines;
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#partial.push(piece);
    this.#partialSize += piece.length;
  }

  #take(): string {
    const line = Buffer.concat(this.#partial).toString("utf8");
    this.#partial = [];
    this.#partialSize = 0;
    return line;
  }
}

/** The last place at or before `at` where no character is cut in two; `at` itself where there is no such place. */
function boundary(piece: Buffer, at: number): number {
  for (let cut = at; cut > Math.max(0, at - 4); cut--) {
    if (((piece[cut] ?? 0) & 0xc0) !== 0x80) return cut;
  }
  return at;
}
