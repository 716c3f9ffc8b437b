/**
 * One reader of a container's output.
 *
 * @module
 */

import { type Deferred, deferred } from "../../sync/deferred.ts";
import type { Writer } from "../../sync/io.ts";

/** Bytes a reader may be behind before the container has to wait for it. */
export const subscriptionLimit = 1 << 20;

/**
 * Carries chunks to a writer at the writer's own pace.
 *
 * A reader that is behind by more than {@link subscriptionLimit} makes {@link push} return a promise: the container that
 * writes waits for it, and only that container. Nothing is ever left out of what a reader gets; a reader that will not
 * read again frees the container by going away.
 */
export class Subscription {
  readonly #writer: Writer;
  readonly #ended = deferred();
  #queue: Uint8Array[] = [];
  #queued = 0;
  #pumping = false;
  #ending = false;
  #held: boolean;
  #room: Deferred<void> | undefined;

  /** @param held - keeps everything back until {@link release} */
  constructor(writer: Writer, held = false) {
    this.#writer = writer;
    this.#held = held;
  }

  /** Settles when everything has been given to the writer after {@link end}, or when the reader went away. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Takes a chunk, which must not change afterwards. */
  push(chunk: Uint8Array): void | Promise<void> {
    if (this.#ending) return;
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    this.#start();
    if (this.#queued <= subscriptionLimit) return;
    this.#room ??= deferred();
    return this.#room.promise;
  }

  /** Starts a subscription that was made held. */
  release(): void {
    this.#held = false;
    this.#start();
  }

  /** No more will come: what is queued is still delivered. */
  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#start();
  }

  /** The reader went away: what is queued is dropped, whoever waits for room goes on. */
  cancel(): void {
    this.#ending = true;
    this.#queue = [];
    this.#queued = 0;
    this.#room?.resolve();
    this.#room = undefined;
    this.#ended.resolve();
  }

  #start(): void {
    if (this.#pumping || this.#held) return;
    this.#pumping = true;
    void this.#pump();
  }

  async #pump(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const chunks = this.#queue;
        this.#queue = [];
        for (const chunk of chunks) {
          const pending = this.#writer.write(chunk);
          if (pending !== undefined) await pending;
          this.#queued = Math.max(0, this.#queued - chunk.length);
          if (this.#queued <= subscriptionLimit / 2) {
            this.#room?.resolve();
            this.#room = undefined;
          }
        }
      }
    } catch {
      this.cancel(); // a reader that fails is one that left
    }
    this.#pumping = false;
    if (this.#ending) this.#ended.resolve();
  }
}
