/**
 * Undoes bzip2 without a program: slow (some 10 MB/s), for machines that have none.
 *
 * @module
 */

import Bunzip from "seek-bzip";
import type { Reader } from "../sync/io.ts";

/** A block of 900 KB never takes more than this; one that does is made to fill the memory. */
const BLOCK_INPUT_BYTES = 2 << 20;

/** The inner working of seek-bzip: it pulls bytes, a block at a time. */
interface Decoder {
  reader: { read(bits: number): number };
  streamCRC: number;
  _init_block(): boolean;
  _read_bunzip(): void;
  _start_bunzip(input: unknown, output: unknown): void;
}

/** Bytes that have come and are not used up. */
class Window {
  #bytes = Buffer.alloc(0);
  #at = 0;

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  add(chunk: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  readByte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Error("unexpected EOF");
    return byte;
  }

  read(into: Buffer, offset: number, length: number): number {
    for (let i = 0; i < length; i++) into[offset + i] = this.readByte();
    return length;
  }
}

/** Passes on the plain bytes of a stream, also of several in a row. @throws Error when it is broken or cut short */
export async function* bunzip(input: Reader): AsyncGenerator<Buffer> {
  const window = new Window();
  const source = input[Symbol.asyncIterator]();
  let ended = false;
  const fill = async () => {
    while (!ended && window.left < BLOCK_INPUT_BYTES) {
      const step = await source.next();
      if (step.done === true) ended = true;
      else window.add(step.value);
    }
  };
  let block = Buffer.alloc(1 << 20);
  let size = 0;
  const output = {
    writeByte(byte: number) {
      if (size === block.length) block = Buffer.concat([block, Buffer.alloc(block.length)]);
      block[size++] = byte;
    },
  };
  try {
    await fill();
    const decoder = new (Bunzip as unknown as new (input: unknown, output: unknown) => Decoder)(window, output);
    for (;;) {
      await fill();
      if (decoder._init_block()) {
        decoder._read_bunzip();
        yield Buffer.from(block.subarray(0, size));
        size = 0;
        continue;
      }
      if (decoder.reader.read(32) >>> 0 !== decoder.streamCRC) throw new Error("Bad stream CRC");
      if (window.left === 0) return;
      decoder._start_bunzip(window, output);
    }
  } catch (cause) {
    throw new Error(`bzip2 data invalid: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    await source.return?.();
  }
}
