/**
 * The files a build may use: unpacked into a directory of their own, each with its sum.
 *
 * ```text
 * no remote             standard input, an archive in any compression
 * git://…, ….git, …     git clones it (see git.ts)
 * http://…, https://…   an archive behind it is the context, a text the Dockerfile and the only file
 * ```
 *
 * @origin daemon/build.go
 * @module
 */

import { join } from "node:path/posix";
import { detectCompression } from "../../archive/compression.ts";
import { whileRoom } from "../../archive/room.ts";
import { BLOCK_BYTES, beginsTar } from "../../archive/tar/header.ts";
import { generate } from "../../archive/wrap.ts";
import type { Job } from "../../engine/job.ts";
import { BadRequestError } from "../../errdefs/errdefs.ts";
import type { Graph } from "../../graph/graph.ts";
import { spool } from "../../graph/spool.ts";
import type { Host } from "../../host/host.ts";
import { download } from "../../registry/download.ts";
import { type Reader, readAll } from "../../sync/io.ts";
import { isGit, isUrl } from "../../utils/utils.ts";
import { abortable } from "../abortable.ts";
import { removeTree } from "../graphdriver/remove-tree.ts";
import { type GitHost, gitArchive } from "./git.ts";

/** Longest Dockerfile. */
export const MAX_DOCKERFILE_BYTES = 4 << 20;

/** How much of a context is kept in memory while it comes. */
const IN_MEMORY_BYTES = 1 << 20;

/** What opening a context touches. */
export type ContextHost = GitHost & Pick<Host, "pool" | "net" | "fs" | "clock">;

/** Whose context it is. */
export interface ContextDaemon {
  readonly host: ContextHost;
  readonly graph: Graph;
}

/** A context on the disk. */
export interface BuildContext {
  /** Absolute path. */
  readonly root: string;
  /** The sum of each entry by its name in the archive; byte strings. */
  readonly sums: Map<string, string>;
  /** Deletes it. */
  remove(): Promise<void>;
}

/**
 * Fetches the context that a job names, and unpacks it.
 *
 * @throws when there is none, or it is broken or hostile; nothing is left of it then
 * @origin daemon/build.go (*Daemon).CmdBuild
 * @deviation A `remote` that is neither git nor URL is refused; 1.2.0 breaks the connection. An entry that would lie
 *   outside the context is refused; 1.2.0 writes it there. An archive behind an address is unpacked, as since Docker 1.8;
 *   1.2.0 takes it for a Dockerfile.
 */
export async function openContext({ host, graph }: ContextDaemon, job: Job): Promise<BuildContext> {
  const remote = job.getenv("remote");
  const { signal } = job;
  if (remote === "") {
    const { archive, remove } = await receive(graph, job.stdin, signal);
    return unpackContext(host, archive, signal).finally(remove);
  }
  if (isGit(remote)) {
    return withTemporary(host, "docker-build-git", (dir) =>
      whileRoom(host, dir, signal, (stop) => gitArchive(host, remote, dir, stop)).then((archive) =>
        unpackContext(host, archive, signal),
      ),
    );
  }
  if (!isUrl(remote)) {
    throw new BadRequestError(
      `Bad parameter: remote=${JSON.stringify(remote)} is neither the URL of a Dockerfile nor of a git repository`,
    );
  }
  const { body } = await download(host, remote, signal);
  const input = body[Symbol.asyncIterator]();
  try {
    return await fromWeb({ host, graph }, input, signal);
  } finally {
    await input.return?.();
  }
}

/** What is behind an address, by its first bytes: an archive, or the text of a Dockerfile. */
async function fromWeb(
  { host, graph }: ContextDaemon,
  input: AsyncIterator<Uint8Array>,
  signal: AbortSignal,
): Promise<BuildContext> {
  let head = Buffer.alloc(0);
  while (head.length < BLOCK_BYTES) {
    const step = await input.next();
    if (step.done === true) break;
    head = Buffer.concat([head, step.value]);
  }
  const whole = joined([head], input);
  if (detectCompression(head) === "none" && !beginsTar(head)) {
    const text = await readAll(whole, MAX_DOCKERFILE_BYTES).catch((cause: unknown) => {
      if (!(cause instanceof RangeError)) throw cause;
      const limit = `is longer than ${MAX_DOCKERFILE_BYTES} bytes`;
      throw new BadRequestError(`What is behind the URL is no archive, and as a Dockerfile it ${limit}`, { cause });
    });
    return unpackContext(host, generate([["Dockerfile", text]]), signal);
  }
  const { archive, remove } = await receive(graph, whole, signal);
  return unpackContext(host, archive, signal).finally(remove);
}

/** What has been read of a stream, and the rest of it. */
async function* joined(head: Buffer[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* head.splice(0);
  for (let step = await rest.next(); step.done !== true; step = await rest.next()) yield step.value;
}

/** An archive that has come. */
interface Received {
  readonly archive: Reader;
  remove(): Promise<void>;
}

/**
 * Takes all that a client sends, a small context in memory, a large one on the disk: a client that falls silent must not
 * keep a thread that others need.
 */
async function receive(graph: Graph, source: Reader, signal: AbortSignal): Promise<Received> {
  const input = source[Symbol.asyncIterator]();
  const head: Buffer[] = [];
  for (let size = 0; size <= IN_MEMORY_BYTES; ) {
    const step = await abortable(input.next(), signal);
    if (step.done === true) return { archive: joined(head, input), remove: async () => undefined };
    head.push(Buffer.from(step.value));
    size += step.value.length;
  }
  const spooled = await spool(graph, joined(head, input), signal);
  return { archive: spooled.read(), remove: () => spooled.remove() };
}

/** Runs `work` with a directory that is gone afterwards. */
async function withTemporary<T>(host: ContextHost, prefix: string, work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await temporaryDirectory(host, prefix);
  try {
    return await work(dir);
  } finally {
    await removeTree(host, dir);
  }
}

/** Makes an empty directory that only root may enter; what is left there after a crash goes at the next start. */
export function temporaryDirectory({ fs, env }: Pick<Host, "fs" | "env">, prefix: string): Promise<string> {
  return fs.mkdtemp(join(env["TMPDIR"] || "/tmp", prefix));
}

async function unpackContext(host: ContextHost, archive: Reader, signal: AbortSignal): Promise<BuildContext> {
  const root = await temporaryDirectory(host, "docker-build");
  const remove = () => removeTree(host, root);
  try {
    const chown = host.machine.uid === 0;
    const job = { root, whiteouts: "keep", chown, compression: "auto", tarsum: true } as const;
    const { entries, sums } = await host.pool.unpack(job, archive, signal);
    // An archive of nothing: 1.2.0 finds no byte of it.
    if (entries === 0) throw new Error("EOF");
    return { root, sums: new Map(sums), remove };
  } catch (cause) {
    await remove();
    throw cause;
  }
}
