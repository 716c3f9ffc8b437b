/**
 * What one piece of an archive turns out to be, kept until somebody takes it: holes as a number, not as zeros.
 *
 * @origin pkg/tarsum/tarsum.go
 * @module
 */

import type { Header } from "../../archive/tar/header.ts";
import type { TarHandler } from "../../archive/tar/parser.ts";

/** A header, some content, a hole, or the end of an entry. */
export type Part =
  | { readonly header: Header }
  | { readonly data: Buffer }
  | { readonly zeros: number }
  | { readonly end: true };

/** Listens to a parser. */
export class Parts implements TarHandler {
  #parts: Part[] = [];
  #size = 0;
  #position = 0;

  /** What has come since the last call; data is valid as long as the piece it came with. */
  take(): Part[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  /** @see TarHandler */
  entry(header: Header): void {
    this.#parts.push({ header });
    this.#size = header.size;
    this.#position = 0;
  }

  /** @see TarHandler */
  data(data: Buffer, position: number): void {
    this.#hole(position);
    this.#parts.push({ data });
    this.#position = position + data.length;
  }

  /** @see TarHandler */
  endEntry(): void {
    this.#hole(this.#size);
    this.#parts.push({ end: true });
  }

  /** @see TarHandler */
  globalHeader(header: Header, body: Buffer): void {
    this.entry({ ...header, size: body.length });
    this.data(body, 0);
    this.endEntry();
  }

  #hole(end: number): void {
    if (end > this.#position) this.#parts.push({ zeros: end - this.#position });
  }
}
