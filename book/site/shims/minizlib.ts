/**
 * minizlib's `Gunzip` and `Gzip` over fflate, as far as the engine uses them: they work at once, and fail with zlib's own
 * words.
 *
 * @module
 */

import { Gzip as Deflating, Gunzip as Inflating } from "fflate";

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) !== 0 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** Continues the sum that gzip puts behind its data. */
function crc32(before: number, bytes: Uint8Array): number {
  let sum = ~before;
  for (const byte of bytes) sum = (TABLE[(sum ^ byte) & 0xff] ?? 0) ^ (sum >>> 8);
  return ~sum >>> 0;
}

/** zlib's complaint for fflate's. */
function zlibError(cause: unknown): Error {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (text.includes("unexpected EOF")) return new Error("unexpected end of file");
  if (text.includes("invalid gzip data")) return new Error("incorrect header check");
  return new Error(text);
}

type Listener = (value: never) => void;

/** Undoes gzip. */
export class Gunzip {
  readonly #listeners: { event: string; listener: Listener }[] = [];
  readonly #inflating = new Inflating((chunk) => this.#take(chunk));
  #members = 0;
  #sum = 0;
  #length = 0;
  #tail = new Uint8Array(0);
  #failed = false;

  constructor() {
    this.#inflating.onmember = () => this.#members++;
  }

  on(event: string, listener: Listener): this {
    this.#listeners.push({ event, listener });
    return this;
  }

  write(chunk: Uint8Array): void {
    const seen = new Uint8Array(this.#tail.length + chunk.length);
    seen.set(this.#tail);
    seen.set(chunk, this.#tail.length);
    this.#tail = seen.slice(-8);
    this.#push(chunk, false);
  }

  end(): void {
    this.#push(new Uint8Array(0), true);
    // Of several members only the last one's sum is still here: those of the others went by.
    if (this.#failed || this.#members > 1) return;
    if (this.#tail.length < 8) {
      this.#emit("error", new Error("unexpected end of file"));
      return;
    }
    const trailer = new DataView(this.#tail.buffer, this.#tail.byteOffset);
    if (trailer.getUint32(0, true) !== this.#sum) this.#emit("error", new Error("incorrect data check"));
    else if (trailer.getUint32(4, true) !== this.#length >>> 0)
      this.#emit("error", new Error("incorrect length check"));
  }

  close(): void {
    this.#listeners.length = 0;
  }

  #push(chunk: Uint8Array, final: boolean): void {
    if (this.#failed) return;
    try {
      this.#inflating.push(chunk, final);
    } catch (cause) {
      this.#emit("error", zlibError(cause));
    }
  }

  #take(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#sum = crc32(this.#sum, chunk);
    this.#length += chunk.length;
    this.#emit("data", Buffer.from(chunk));
  }

  #emit(event: string, value: unknown): void {
    this.#failed ||= event === "error";
    for (const known of this.#listeners) if (known.event === event) known.listener(value as never);
  }
}

/** Makes gzip. */
export class Gzip {
  readonly #listeners: ((chunk: never) => void)[] = [];
  readonly #deflating = new Deflating({ mtime: 0 }, (chunk) => this.#take(chunk));

  /** Only `data` is ever said: nothing can go wrong here. */
  on(event: string, listener: Listener): this {
    if (event === "data") this.#listeners.push(listener);
    return this;
  }

  write(chunk: Uint8Array): void {
    this.#deflating.push(chunk.slice(), false);
  }

  end(): void {
    this.#deflating.push(new Uint8Array(0), true);
  }

  close(): void {
    this.#listeners.length = 0;
  }

  #take(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    for (const listener of this.#listeners) listener(Buffer.from(chunk) as never);
  }
}
