/**
 * The thread that unpacks one layer: hash, decompress, hash again, unpack, in one pass and with bounded memory.
 *
 * ```text
 * main → here   {open: UnpackJob}   then chunks   then {end: true}
 * here → main   each chunk back when it is done with, at last {result} or {error: {message, code}}
 * ```
 *
 * The order of the first steps matters: the compression is known from the first bytes, a decompressing program is
 * started while the machine's programs can still be seen, then the thread locks itself into the target directory, and
 * only then is the first header read. When all went well it comes out and waits for the next layer; when not, it is ended
 * from outside.
 *
 * @module
 */

import { confineTo, sha256, syncFs, workerExec, workerPort } from "../host/linux/worker-port.ts";
import type { UnpackJob, UnpackResult } from "../host/pool.ts";
import { type Deferred, deferred } from "../sync/deferred.ts";
import { decompressStream } from "./compression.ts";
import { TarParser } from "./tar/parser.ts";
import { Unpacker } from "./unpack.ts";

const port = workerPort();

/** Chunks that have come and are not worked on: a handful, the other side has no more. */
let waiting: Uint8Array[] = [];
let ended = false;
let wake: Deferred<void> | undefined;

/** What comes from the main thread, hashed on the way. */
class Received {
  readonly digest = sha256();
  bytes = 0;
  #taken: Uint8Array | undefined;

  /** The next chunk; the one before goes back. `undefined` at the end. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#taken !== undefined) port.postMessage(this.#taken, [this.#taken.buffer as ArrayBuffer]);
    this.#taken = undefined;
    while (waiting.length === 0 && !ended) {
      wake = deferred();
      await wake.promise;
    }
    const chunk = waiting.shift();
    if (chunk === undefined) return undefined;
    this.#taken = chunk;
    this.bytes += chunk.length;
    this.digest.update(chunk);
    return chunk;
  }

  /** The chunks as a stream; when it is left early, {@link next} goes on behind it. */
  async *stream(): AsyncGenerator<Uint8Array> {
    for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) yield chunk;
  }
}

async function unpack(job: UnpackJob): Promise<UnpackResult> {
  const received = new Received();
  const diffId = sha256();
  const known = job.compression === "none" ? "none" : undefined;
  const { plain } = await decompressStream(workerExec, received.stream(), known);
  const release = job.chown ? confineTo(job.root) : undefined;
  const root = job.chown ? "" : job.root;
  const unpacker = new Unpacker(syncFs, { root, whiteouts: job.whiteouts, chown: job.chown });
  const parser = new TarParser(unpacker);
  try {
    for await (const chunk of plain) {
      diffId.update(chunk);
      parser.feed(chunk);
    }
    // A program may have stopped before the end of what it was given: the digest is of everything.
    while ((await received.next()) !== undefined);
    parser.end();
    unpacker.finish();
  } catch (cause) {
    unpacker.abandon();
    throw cause;
  }
  if (job.sync === true) syncFs.syncfsSync(root === "" ? "/" : root);
  release?.();
  return {
    digest: `sha256:${received.digest.digest("hex")}`,
    diffId: `sha256:${diffId.digest("hex")}`,
    size: unpacker.size,
    received: received.bytes,
    entries: unpacker.entries,
  };
}

async function run(job: UnpackJob): Promise<void> {
  try {
    port.postMessage({ result: await unpack(job) });
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException;
    port.postMessage({ error: { message, ...(code !== undefined && { code }) } });
  }
}

port.on("message", (message: { open: UnpackJob } | { end: true } | Uint8Array) => {
  if (message instanceof Uint8Array) waiting.push(message);
  else if ("end" in message) ended = true;
  else {
    waiting = [];
    ended = false;
    void run(message.open);
  }
  wake?.resolve();
});
