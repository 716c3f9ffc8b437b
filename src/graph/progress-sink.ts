/**
 * Progress on its way to a client, without ever waiting for the client.
 *
 * Lines queue up while the client is slow. How far a download has come is worth nothing once a newer number is there: it
 * replaces the older one in the queue, and it is said ten times a second at most. A client that is gone is forgotten.
 *
 * @module
 */

import type { Host } from "../host/host.ts";
import type { Writer } from "../sync/io.ts";
import type { JSONProgress } from "../utils/json-message.ts";
import type { StreamFormatter } from "../utils/stream-formatter.ts";

const UPDATE_EVERY_MS = 100;
/** More lines than any pull has to say that are no updates. */
const MAX_QUEUE = 10_000;

interface Line {
  text: string;
  /** Set on an update: the newer one of the same key takes its place. */
  readonly key: string | undefined;
}

/** The `Writer` side takes lines from code written for 1.2.0's `out`. */
export class ProgressSink implements Writer {
  readonly formatter: StreamFormatter;
  readonly #out: Writer;
  readonly #clock: Pick<Host["clock"], "monotonicMs">;
  readonly #lastUpdate = new Map<string, number>();
  #queue: Line[] = [];
  #pump: Promise<void> | undefined;
  #gone = false;

  constructor(out: Writer, formatter: StreamFormatter, clock: Pick<Host["clock"], "monotonicMs">) {
    this.#out = out;
    this.formatter = formatter;
    this.#clock = clock;
  }

  /** A line. Returns at once. */
  write(chunk: Uint8Array | string): void {
    this.#add({ text: typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"), key: undefined });
  }

  /** A line about the whole. */
  status(id: string, text: string): void {
    this.write(this.formatter.formatStatus(id, text));
  }

  /** A line about a layer that must not get lost. */
  progress(id: string, action: string, progress?: JSONProgress): void {
    this.write(this.formatter.formatProgress(id, action, progress));
  }

  /** How far something has come. May get lost. */
  update(id: string, action: string, progress: JSONProgress): void {
    const key = `${action} ${id}`;
    const now = this.#clock.monotonicMs();
    const complete = progress.current !== undefined && progress.current === progress.total;
    const last = this.#lastUpdate.get(key);
    if (!complete && last !== undefined && now - last < UPDATE_EVERY_MS) return;
    this.#lastUpdate.set(key, now);
    const text = this.formatter.formatProgress(id, action, progress);
    const queued = this.#queue.find((line) => line.key === key);
    if (queued !== undefined) queued.text = text;
    else this.#add({ text, key });
  }

  #add(line: Line): void {
    if (this.#gone || this.#queue.length >= MAX_QUEUE) return;
    this.#queue.push(line);
    this.#pump ??= this.#run();
  }

  async #run(): Promise<void> {
    try {
      for (let line = this.#queue.shift(); line !== undefined; line = this.#queue.shift()) {
        await this.#out.write(line.text);
      }
    } catch {
      // The client is gone; 1.2.0 ignores it at every write.
      this.#gone = true;
      this.#queue = [];
    } finally {
      this.#pump = undefined;
    }
  }

  /** Waits until the client has everything, or is gone. */
  async drain(): Promise<void> {
    while (this.#pump !== undefined) await this.#pump;
  }
}
