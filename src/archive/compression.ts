/**
 * Which compression a stream has, and how it is undone.
 *
 * ```text
 * gzip    here                   checked to the end: a wrong sum or anything but zeros behind it is an error
 * bzip2   bzip2, else here       \
 * xz      xz                      programs of this machine, found on PATH, never in an image
 * zstd    zstd, else here        /
 * ```
 *
 * @origin archive/archive.go DetectCompression, DecompressStream
 * @module
 */

import { Decompress } from "fzstd";
import { Gunzip, Gzip } from "minizlib";
import type { Exec } from "../host/host.ts";
import { type Inflated, InflateError, type InflateFailure, type Inflater } from "../host/inflater.ts";
import type { Reader } from "../sync/io.ts";
import { bunzip } from "./bunzip.ts";

/** @origin archive/archive.go Compression */
export type Compression = "none" | "gzip" | "bzip2" | "xz" | "zstd";

const MAGIC: [Compression, number[]][] = [
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
];

/** How many bytes {@link detectCompression} wants to see. @origin archive/archive.go DecompressStream */
export const MAGIC_BYTES = 10;

/** zlib's own default of 16 KB costs two thirds of the speed. */
const INFLATE_CHUNK_BYTES = 256 << 10;

/** One piece of input for zlib: at its best ratio of 1032:1 this becomes 33 MB, however it was made. */
const INFLATE_INPUT_BYTES = 32 << 10;

/** The window that zstd's own program grants without being asked. */
const ZSTD_WINDOW_BYTES = 128 << 20;

/**
 * @param head - the first bytes of the stream
 * @origin archive/archive.go DetectCompression
 * @deviation zstd is known too: registries of today serve it.
 */
export function detectCompression(head: Uint8Array): Compression {
  return MAGIC.find(([, magic]) => magic.every((byte, i) => head[i] === byte))?.[0] ?? "none";
}

/** The ending of a file's name. @origin archive/archive.go (*Compression).Extension */
export function extension(compression: Compression): string {
  return { none: "tar", gzip: "tar.gz", bzip2: "tar.bz2", xz: "tar.xz", zstd: "tar.zst" }[compression];
}

/** A stream whose compression is known. Programs run already; nothing but {@link plain} has to be read. */
export interface Decompressed {
  readonly compression: Compression;
  readonly plain: AsyncIterable<Buffer>;
}

/**
 * Looks at the first bytes of a stream and undoes its compression.
 *
 * @param as - a compression that is known already
 * @param inflater - for {@link gunzip}
 * @throws Error `EOF` for a stream of less than ten bytes, as 1.2.0
 * @throws Error when the machine lacks the program; broken data is thrown by the loop over `plain`
 * @origin archive/archive.go DecompressStream
 */
export async function decompressStream(
  exec: Pick<Exec, "pipe" | "lookPath">,
  source: Reader,
  as?: Compression,
  inflater?: Inflater,
): Promise<Decompressed> {
  const input = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let size = 0;
  while (size < MAGIC_BYTES) {
    const step = await input.next();
    if (step.done === true) break;
    head.push(Buffer.from(step.value)); // its memory is used again when the next is asked for
    size += step.value.length;
  }
  if (as === undefined && size < MAGIC_BYTES) throw new Error("EOF");
  const whole: Reader = {
    async *[Symbol.asyncIterator]() {
      try {
        yield* head.splice(0);
        for (let step = await input.next(); step.done !== true; step = await input.next()) yield step.value;
      } finally {
        await input.return?.();
      }
    },
  };
  const compression = as ?? detectCompression(Buffer.concat(head));
  return { compression, plain: await open(exec, compression, whole, inflater) };
}

async function open(
  exec: Pick<Exec, "pipe" | "lookPath">,
  compression: Compression,
  input: Reader,
  inflater: Inflater | undefined,
): Promise<AsyncIterable<Buffer>> {
  if (compression === "none") return buffers(input);
  if (compression === "gzip") return gunzip(input, inflater);
  // A pipe and fzstd keep a chunk after they have asked for the next, when its memory may hold other bytes already.
  const own = copies(input);
  const program = await exec.lookPath(compression);
  if (program !== undefined) return running(exec.pipe(program, ["-d", "-c", "-q"], own));
  if (compression === "bzip2") return bunzip(own);
  if (compression === "zstd") return unzstd(own);
  throw new Error(`exec: "${compression}": executable file not found in $PATH`);
}

function toBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

async function* copies(input: Reader): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) yield Buffer.from(chunk);
}

async function* buffers(input: Reader): AsyncGenerator<Buffer> {
  for await (const chunk of input) yield toBuffer(chunk);
}

/** Starts reading at once, so that the program runs before the caller goes anywhere else. */
function running(output: Reader): AsyncIterable<Buffer> {
  const iterator = output[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<Uint8Array>> | undefined = iterator.next();
  first.catch(() => undefined); // thrown to whoever reads
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          const step = await (first ?? iterator.next());
          first = undefined;
          if (step.done === true) return;
          yield toBuffer(step.value);
        }
      } finally {
        await iterator.return?.();
      }
    },
  };
}

/** zlib's complaints in the words of Go's library, which 1.2.0 passes on. */
function gzipError(cause: Error): Error {
  const text = cause.message;
  if (text.includes("unexpected end of file")) return new Error("unexpected EOF", { cause });
  if (/incorrect header check|unknown compression method/.test(text))
    return new Error("gzip: invalid header", { cause });
  if (text.includes("incorrect data check") || text.includes("incorrect length check"))
    return new Error("gzip: invalid checksum", { cause });
  return new Error("flate: corrupt input", { cause });
}

/**
 * Undoes gzip.
 *
 * @param inflater - what does it faster than zlib; a chunk is then valid until the next one is asked for
 * @throws Error in Go's words when it is broken
 */
export function gunzip(input: Reader, inflater?: Inflater): AsyncGenerator<Buffer> {
  return inflater === undefined ? byZlib(input) : byInflater(input, inflater);
}

async function* byInflater(input: Reader, inflater: Inflater): AsyncGenerator<Buffer> {
  const members = new Members(inflater);
  for await (const chunk of input) {
    for (let rest = chunk; ; ) {
      const { output, used, more } = members.inflate(rest);
      if (output.length > 0) yield toBuffer(output);
      rest = rest.subarray(used);
      if (rest.length === 0 && !more) break;
    }
  }
  members.end();
}

/** One gzip member behind the other, and zeros behind the last. */
class Members {
  readonly #inflater: Inflater;
  #inside = true;
  #padded = false;

  constructor(inflater: Inflater) {
    this.#inflater = inflater;
    inflater.reset();
  }

  /** The next piece of output, and how much of the input is done with. @throws Error in Go's words */
  inflate(input: Uint8Array): Pick<Inflated, "output" | "used" | "more"> {
    if (!this.#inside && input.length > 0) {
      const next = input.findIndex((byte) => byte !== 0);
      if (next !== 0) {
        this.#padded = true;
        return { output: input.subarray(0, 0), used: next < 0 ? input.length : next, more: false };
      }
      if (this.#padded) throw new Error("gzip: invalid header");
      this.#inflater.reset();
      this.#inside = true;
    }
    try {
      const step = this.#inflater.inflate(input);
      this.#inside = !step.ended;
      return step;
    } catch (cause) {
      if (!(cause instanceof InflateError)) throw cause;
      throw new Error(REFUSED[cause.failure], { cause });
    }
  }

  end(): void {
    if (this.#inside) throw new Error("unexpected EOF");
  }
}

const REFUSED: Readonly<Record<InflateFailure, string>> = {
  header: "gzip: invalid header",
  data: "flate: corrupt input",
  checksum: "gzip: invalid checksum",
};

async function* byZlib(input: Reader): AsyncGenerator<Buffer> {
  const stream = new Gunzip({ chunkSize: INFLATE_CHUNK_BYTES } as ConstructorParameters<typeof Gunzip>[0]);
  const output: Buffer[] = [];
  let failure: Error | undefined;
  stream.on("data", (chunk: Buffer) => output.push(chunk));
  stream.on("error", (cause: unknown) => {
    failure ??= cause as Error;
  });
  try {
    for await (const chunk of input) {
      for (let at = 0; at < chunk.length; at += INFLATE_INPUT_BYTES) {
        stream.write(toBuffer(chunk.subarray(at, at + INFLATE_INPUT_BYTES)));
        yield* output.splice(0);
        if (failure !== undefined) throw gzipError(failure);
      }
    }
    stream.end();
    yield* output.splice(0);
    if (failure !== undefined) throw gzipError(failure);
  } finally {
    stream.close();
  }
}

async function* unzstd(input: Reader): AsyncGenerator<Buffer> {
  const output: Buffer[] = [];
  const stream = new Decompress((chunk) => output.push(toBuffer(chunk)));
  const push = (chunk: Uint8Array, final: boolean) => {
    try {
      stream.push(chunk, final);
    } catch (cause) {
      throw new Error(`zstd: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  };
  let first = true;
  for await (const chunk of input) {
    if (first) checkWindow(chunk);
    first = false;
    for (let at = 0; at < chunk.length; at += INFLATE_INPUT_BYTES) {
      push(chunk.subarray(at, at + INFLATE_INPUT_BYTES), false);
      yield* output.splice(0);
    }
  }
  push(new Uint8Array(0), true);
  yield* output.splice(0);
}

/** Refuses a frame whose window alone would take too much memory. */
function checkWindow(head: Uint8Array): void {
  const descriptor = head[4] ?? 0;
  if ((descriptor & 0x20) !== 0) return; // a single segment: its window is its size, which is allocated as it comes
  const window = head[5] ?? 0;
  const base = 2 ** (10 + (window >> 3));
  if (base + (base / 8) * (window & 7) > ZSTD_WINDOW_BYTES) throw new Error("zstd: window too large");
}

/**
 * Compresses with gzip, one piece at a time.
 *
 * @origin archive/archive.go CompressStream
 */
export async function* gzip(input: Reader): AsyncGenerator<Uint8Array> {
  const stream = new Gzip({ chunkSize: INFLATE_CHUNK_BYTES } as ConstructorParameters<typeof Gzip>[0]);
  const output: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => output.push(chunk));
  try {
    for await (const chunk of input) {
      stream.write(toBuffer(chunk));
      yield* output.splice(0);
    }
    stream.end();
    yield* output.splice(0);
  } finally {
    stream.close();
  }
}
