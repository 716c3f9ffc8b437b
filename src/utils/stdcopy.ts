/**
 * Two streams over one connection.
 *
 * ```text
 * byte  0        1..3   4..7                  8..
 *       stream   zero   length, big-endian    payload
 * ```
 *
 * Stream 1 is standard output, 2 standard error; 0 (standard input) is shown as output.
 *
 * @origin utils/stdcopy.go
 * @module
 */

import { SystemError } from "../errdefs/errdefs.ts";
import type { Reader, Writer } from "../sync/io.ts";

const HEADER_BYTES = 8;

/** The header of a frame. */
function header(stream: number, payloadBytes: number): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head[0] = stream;
  head.writeUInt32BE(payloadBytes, 4);
  return head;
}

/**
 * A writer that puts each write into a frame of its own.
 *
 * @param stream - 1 standard output, 2 standard error
 * @origin utils/stdcopy.go NewStdWriter
 */
export function stdWriter(out: Writer, stream: 1 | 2): Writer {
  return {
    write(chunk) {
      const payload = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      // One write for header and payload: two writers share `out`, and nothing may come between.
      return out.write(Buffer.concat([header(stream, payload.length), payload]));
    },
  };
}

/**
 * Takes the frames apart again.
 *
 * @origin utils/stdcopy.go StdCopy
 * @deviation A payload is passed on as it arrives; 1.2.0 first gathers the whole frame in memory, up to 4 GiB if the
 *   header says so, and drops one that stays incomplete.
 */
export class StdDemux implements Writer {
  readonly #stdout: Writer;
  readonly #stderr: Writer;
  readonly #head = Buffer.alloc(HEADER_BYTES);
  #headBytes = 0;
  #left = 0;

  /** @param stdout - gets streams 0 and 1; `stderr` gets stream 2 */
  constructor(stdout: Writer, stderr: Writer) {
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** @throws {SystemError} `Unrecognized input header`: the stream is not made of frames */
  async write(chunk: Uint8Array | string): Promise<void> {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    for (let at = 0; at < bytes.length; ) {
      if (this.#left === 0) {
        this.#head[this.#headBytes++] = bytes[at++] as number;
        if (this.#headBytes < HEADER_BYTES) continue;
        this.#headBytes = 0;
        if ((this.#head[0] as number) > 2) throw new SystemError("Unrecognized input header");
        this.#left = this.#head.readUInt32BE(4);
        continue;
      }
      const end = Math.min(bytes.length, at + this.#left);
      this.#left -= end - at;
      await (this.#head[0] === 2 ? this.#stderr : this.#stdout).write(bytes.subarray(at, end));
      at = end;
    }
  }
}

/**
 * Takes a whole source apart. An end within a frame is silent, as in the original.
 *
 * @throws {SystemError} `Unrecognized input header`
 * @origin utils/stdcopy.go StdCopy
 */
export async function stdCopy(stdout: Writer, stderr: Writer, source: Reader): Promise<void> {
  const demux = new StdDemux(stdout, stderr);
  for await (const chunk of source) await demux.write(chunk);
}
