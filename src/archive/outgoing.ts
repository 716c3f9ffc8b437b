/**
 * Pieces of an archive on their way to another thread.
 *
 * @module
 */

import { type Deferred, deferred } from "../sync/deferred.ts";

/** Small pieces are gathered up to this: a message costs as much as copying 100 KB. */
const CHUNK_BYTES = 256 << 10;
/** So many chunks may be on their way. */
const CREDITS = 8;

/** Gathers what is written, and waits when the other side does not keep up. */
export class Outgoing {
  readonly #send: (chunk: Uint8Array) => void;
  #credits = CREDITS;
  #wake: Deferred<void> | undefined;
  #chunk: Uint8Array = new Uint8Array(CHUNK_BYTES);
  #filled = 0;

  /** @param send - takes the chunk and what it lies in for good */
  constructor(send: (chunk: Uint8Array) => void) {
    this.#send = send;
  }

  /** The other side is done with a chunk. */
  more(): void {
    this.#credits++;
    this.#wake?.resolve();
  }

  /** Copies the bytes. Resolves when there is place for more. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      const part = rest.subarray(0, CHUNK_BYTES - this.#filled);
      this.#chunk.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled < CHUNK_BYTES) return;
      while (this.#credits === 0) {
        this.#wake = deferred();
        await this.#wake.promise;
      }
      this.flush();
    }
  }

  /** Sends what has been gathered. */
  flush(): void {
    if (this.#filled === 0) return;
    this.#credits--;
    this.#send(this.#chunk.subarray(0, this.#filled));
    this.#chunk = new Uint8Array(CHUNK_BYTES);
    this.#filled = 0;
  }
}
