/**
 * The thread that unpacks one layer: hash, decompress, hash again, unpack, in one pass and with bounded memory.
 *
 * ```text
 * main → here   {open: UnpackJob}   then chunks   then {end: true}
 * here → main   "c" for each chunk it is done with, at last {result} or {error: {message, code}}
 * ```
 *
 * The order of the first steps matters: the compression is known from the first chunk, a decompressing program is
 * started while the machine's programs can still be seen, then the thread locks itself into the target directory, and
 * only then is the first header read.
 *
 * @module
 */

import type { ChildProcess } from "node:child_process";
import { Decompress } from "fzstd";
import { Gunzip } from "minizlib";
import { confineTo, sha256, startProgram, syncFs, workerPort } from "../host/linux/worker-port.ts";
import type { UnpackJob, UnpackResult } from "../host/pool.ts";
import { type Compression, detectCompression, MAGIC_BYTES, PROGRAMS } from "./compression.ts";
import { TarParser } from "./tar/parser.ts";
import { Unpacker } from "./unpack.ts";

const INFLATE_CHUNK_BYTES = 256 << 10;

/** Something that takes compressed bytes and passes on plain ones. */
interface Decompressor {
  write(chunk: Buffer): void | Promise<void>;
  end(): void | Promise<void>;
}

function inflate(sink: (plain: Buffer) => void): Decompressor {
  const gunzip = new Gunzip({ chunkSize: INFLATE_CHUNK_BYTES } as ConstructorParameters<typeof Gunzip>[0]);
  let failure: Error | undefined;
  gunzip.on("data", sink);
  gunzip.on("error", (cause) => {
    failure ??= cause as Error;
  });
  const check = () => {
    if (failure !== undefined) throw new Error(`Cannot decompress the layer: ${failure.message}`);
  };
  return {
    write: (chunk) => {
      gunzip.write(chunk);
      check();
    },
    end: () => {
      gunzip.end();
      check();
    },
  };
}

function zstd(sink: (plain: Buffer) => void): Decompressor {
  const stream = new Decompress((plain) => sink(Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength)));
  const push = (chunk: Uint8Array, final: boolean) => {
    try {
      stream.push(chunk, final);
    } catch (cause) {
      throw new Error(`Cannot decompress the layer: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  };
  return { write: (chunk) => push(chunk, false), end: () => push(new Uint8Array(0), true) };
}

/** Pipes through a program. What it writes arrives by events; a failure of the sink is thrown at the next write. */
function program(kind: Compression, sink: (plain: Buffer) => void): Decompressor {
  const known = PROGRAMS[kind];
  if (known === undefined) throw new TypeError(`no program for ${kind}`);
  const child: ChildProcess = startProgram(known.command, known.args);
  let failure: Error | undefined;
  let errors = "";
  const fail = (cause: Error) => {
    failure ??= cause;
    child.kill();
  };
  child.stdout?.on("data", (plain: Buffer) => {
    try {
      if (failure === undefined) sink(plain);
    } catch (cause) {
      fail(cause as Error);
    }
  });
  child.stderr?.on("data", (text) => {
    errors = (errors + text).slice(0, 1000);
  });
  child.stdin?.on("error", () => {}); // it ended early: its exit code says why
  const ended = new Promise<void>((resolve) => {
    child.once("error", (cause: NodeJS.ErrnoException) => {
      fail(
        cause.code === "ENOENT"
          ? new Error(
              `Cannot decompress the layer: ${known.command} is not installed (Debian: apt-get install ${known.package})`,
            )
          : cause,
      );
      resolve();
    });
    child.once("close", (code) => {
      if (code !== 0)
        failure ??= new Error(`Cannot decompress the layer: ${known.command} exit status ${code}: ${errors.trim()}`);
      resolve();
    });
  });
  return {
    write: async (chunk) => {
      if (failure !== undefined) throw failure;
      if (child.stdin?.write(chunk) === false) {
        await Promise.race([new Promise((resolve) => child.stdin?.once("drain", resolve)), ended]);
      }
    },
    end: async () => {
      child.stdin?.end();
      await ended;
      if (failure !== undefined) throw failure;
    },
  };
}

/** One layer on its way. */
class Job {
  readonly #job: UnpackJob;
  readonly #received = sha256();
  readonly #plain = sha256();
  #bytes = 0;
  #head: Buffer[] = [];
  #headBytes = 0;
  #decompressor: Decompressor | undefined;
  #unpacker: Unpacker | undefined;
  #parser: TarParser | undefined;

  constructor(job: UnpackJob) {
    this.#job = job;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#received.update(chunk);
    this.#bytes += chunk.length;
    if (this.#decompressor === undefined) {
      this.#head.push(chunk);
      this.#headBytes += chunk.length;
      if (this.#headBytes < MAGIC_BYTES) return;
      await this.#start();
      return;
    }
    await this.#decompressor.write(chunk);
  }

  async end(): Promise<UnpackResult> {
    if (this.#decompressor === undefined) await this.#start();
    await this.#decompressor?.end();
    this.#parser?.end();
    this.#unpacker?.finish();
    return {
      digest: `sha256:${this.#received.digest("hex")}`,
      diffId: `sha256:${this.#plain.digest("hex")}`,
      size: this.#unpacker?.size ?? 0,
      received: this.#bytes,
      entries: this.#unpacker?.entries ?? 0,
    };
  }

  abandon(): void {
    this.#unpacker?.abandon();
  }

  async #start(): Promise<void> {
    const head = Buffer.concat(this.#head);
    this.#head = [];
    const kind = this.#job.compression === "none" ? "none" : detectCompression(head);
    this.#decompressor = this.#open(kind);
    const confined = this.#job.chown;
    if (confined) confineTo(this.#job.root);
    this.#unpacker = new Unpacker(syncFs, {
      root: confined ? "" : this.#job.root,
      whiteouts: this.#job.whiteouts,
      chown: this.#job.chown,
      confined,
    });
    this.#parser = new TarParser(this.#unpacker);
    if (head.length > 0) await this.#decompressor.write(head);
  }

  #open(kind: Compression): Decompressor {
    const sink = (plain: Buffer) => {
      this.#plain.update(plain);
      this.#parser?.feed(plain);
    };
    if (kind === "gzip") return inflate(sink);
    if (kind === "zstd") return zstd(sink);
    if (kind === "none") return { write: sink, end: () => {} };
    return program(kind, sink);
  }
}

const port = workerPort();
let job: Job | undefined;
// Messages are handled one after another, whatever a step waits for.
let queue: Promise<void> = Promise.resolve();
let failed = false;

async function handle(message: { open: UnpackJob } | { end: true } | Uint8Array): Promise<void> {
  if (failed) return;
  try {
    if (message instanceof Uint8Array) {
      await job?.write(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
      port.postMessage("c");
    } else if ("open" in message) {
      job = new Job(message.open);
    } else if (job !== undefined) {
      port.postMessage({ result: await job.end() });
    }
  } catch (cause) {
    failed = true;
    job?.abandon();
    const error = cause as NodeJS.ErrnoException;
    port.postMessage({ error: { message: error.message, ...(error.code !== undefined && { code: error.code }) } });
  }
}

port.on("message", (message) => {
  queue = queue.then(() => handle(message));
});
