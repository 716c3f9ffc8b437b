/**
 * The thread that unpacks one layer after another, packs others, and looks into containers.
 *
 * ```text
 * main → here   {open: UnpackJob}   then chunks   then {end: true}
 * here → main   each chunk back when it is done with, at last {result} or {error: {message, code}}
 *
 * main → here   {pack: true}   then chunks, and {more: true} for each packed one that is done with   then {end: true}
 * here → main   each chunk back, {packed} with others, at last {result} or {error: {message, code}}
 *
 * main → here   {look: LookJob}   then {more: true} for each chunk that is done with
 * here → main   of an archive {stat} and chunks, at last {result} or {error: {message, code, clean}}
 * ```
 *
 * For each job the thread locks itself into the directory it is about (see `unpack-layer.ts`). When all went well, or
 * nothing was found, it comes out (`clean`) and waits for the next one; when not, it is ended from outside.
 *
 * @module
 */

import { isSystemError, pathErrorText } from "../errdefs/errno-text.ts";
import { isalInflater } from "../host/linux/isal.ts";
import { confineTo, enterView, sha256, syncFs, syncHost, workerExec, workerPort } from "../host/linux/worker-port.ts";
import type { LookJob, PathStat, UnpackJob, View } from "../host/pool.ts";
import { type Deferred, deferred } from "../sync/deferred.ts";
import { tar } from "./archive.ts";
import { archivePath, readPath, statPath } from "./copy.ts";
import { Outgoing } from "./outgoing.ts";
import { packStream } from "./pack.ts";
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

/** Goes where a view is. @returns where its root lies now, and the way out */
function enter(view: View): { readonly root: string; leave(): void } {
  if (!view.confine) return { root: view.root, leave: () => undefined };
  return { root: "", leave: enterView(view) };
}

const tools: UnpackTools = {
  fs: syncFs,
  exec: workerExec,
  sha256,
  inflater: isalInflater(),
  next,
  enter: ({ root, mounts = [], into, chown }) => {
    if (into === undefined && chown) return { root: "", leave: confineTo(root) };
    return enter({ root, mounts, confine: chown });
  },
};

/** A failure as the main thread is told it. @param plain - Go's text of a failed system call instead of Node's */
function failureOf(cause: unknown, plain: boolean): { message: string; code?: string } {
  const { message, code, syscall = "", path } = cause as NodeJS.ErrnoException;
  const operation = ["rm", "rmdir", "unlink"].includes(syscall) ? "unlinkat" : syscall;
  const text = plain && isSystemError(cause) ? pathErrorText(operation, path ?? "", cause) : message;
  return { message: text, ...(code !== undefined && { code }) };
}

async function run(job: UnpackJob): Promise<void> {
  try {
    port.postMessage({ result: await unpackLayer(job, tools) });
  } catch (cause) {
    port.postMessage({ error: failureOf(cause, job.into !== undefined) });
  }
}

/** What the job in hand sends to the main thread. */
let outgoing: Outgoing | undefined;

async function* incoming(): AsyncGenerator<Uint8Array> {
  for (let chunk = await next(); chunk !== undefined; chunk = await next()) yield chunk;
}

async function pack(): Promise<void> {
  const out = new Outgoing((packed) => port.postMessage({ packed }, [packed.buffer as ArrayBuffer]));
  outgoing = out;
  try {
    const result = await packStream(incoming(), sha256, (chunk) => out.write(chunk));
    out.flush();
    port.postMessage({ result });
  } catch (cause) {
    port.postMessage({ error: failureOf(cause, true) });
  }
}

/** Looks, and comes out again whatever came of it. */
async function look(job: LookJob): Promise<void> {
  let inside: ReturnType<typeof enter>;
  try {
    inside = enter(job.view);
  } catch (cause) {
    port.postMessage({ error: failureOf(cause, true) });
    return;
  }
  const said = await answer(inside.root, job).then(
    (result) => ({ result }),
    (cause: unknown) => ({ error: { ...failureOf(cause, true), clean: true } }),
  );
  inside.leave();
  port.postMessage(said);
}

async function answer(root: string, { what, path, maxBytes }: LookJob): Promise<unknown> {
  if (what === "stat") return statPath(syncHost, root, path);
  if (what === "read") return readPath(syncHost, root, path, maxBytes);
  const out = new Outgoing((chunk) => port.postMessage(chunk, [chunk.buffer as ArrayBuffer]));
  outgoing = out;
  const begin = (stat: PathStat) => port.postMessage({ stat });
  if (what === "archive") await archivePath(syncHost, root, path, { begin, write: (chunk) => out.write(chunk) });
  else for await (const chunk of tar(syncHost, root || "/")) await out.write(chunk);
  out.flush();
  return undefined;
}

type Message = { open: UnpackJob } | { pack: true } | { end: true } | { look: LookJob } | { more: true } | Uint8Array;

port.on("message", (message: Message) => {
  if (message instanceof Uint8Array) waiting.push(message);
  else if ("end" in message) ended = true;
  else if ("more" in message) outgoing?.more();
  else if ("look" in message) void look(message.look);
  else {
    waiting = [];
    ended = false;
    void ("pack" in message ? pack() : run(message.open));
  }
  wake?.resolve();
});
