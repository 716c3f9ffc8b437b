/**
 * The thread that unpacks one layer after another.
 *
 * ```text
 * main → here   {open: UnpackJob}   then chunks   then {end: true}
 * here → main   each chunk back when it is done with, at last {result} or {error: {message, code}}
 * ```
 *
 * For each layer the thread locks itself into the target directory (see `unpack-layer.ts`). When all went well it comes
 * out and waits for the next layer; when not, it is ended from outside.
 *
 * @module
 */

import { confineTo, sha256, syncFs, workerExec, workerPort } from "../host/linux/worker-port.ts";
import type { UnpackJob } from "../host/pool.ts";
import { type Deferred, deferred } from "../sync/deferred.ts";
import { type UnpackTools, unpackLayer } from "./unpack-layer.ts";

const port = workerPort();

/** Chunks that have come and are not worked on: a handful, the other side has no more. */
let waiting: Uint8Array[] = [];
let ended = false;
let wake: Deferred<void> | undefined;
let taken: Uint8Array | undefined;

/** The next chunk; the one before goes back. `undefined` at the end. */
async function next(): Promise<Uint8Array | undefined> {
  if (taken !== undefined) port.postMessage(taken, [taken.buffer as ArrayBuffer]);
  taken = undefined;
  while (waiting.length === 0 && !ended) {
    wake = deferred();
    await wake.promise;
  }
  taken = waiting.shift();
  return taken;
}

const tools: UnpackTools = {
  fs: syncFs,
  exec: workerExec,
  sha256,
  next,
  enter: (job) => (job.chown ? { root: "", leave: confineTo(job.root) } : { root: job.root, leave: () => undefined }),
};

async function run(job: UnpackJob): Promise<void> {
  try {
    port.postMessage({ result: await unpackLayer(job, tools) });
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
