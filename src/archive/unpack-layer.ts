/**
 * One layer in one pass: hashed, decompressed, hashed again, unpacked, with bounded memory.
 *
 * The order of the first steps matters: the compression is known from the first bytes, a decompressing program is
 * started while the machine's programs can still be seen, then the unpacker goes where nothing but the target can be
 * named, and only then is the first header read.
 *
 * @module
 */

import { messageOf } from "../errdefs/errdefs.ts";
import type { Exec, Hasher } from "../host/host.ts";
import type { Inflater } from "../host/inflater.ts";
import type { UnpackJob, UnpackResult } from "../host/pool.ts";
import type { SyncFs } from "../host/sync-fs.ts";
import { TarSum } from "../pkg/tarsum/tarsum.ts";
import { fromText, toPath } from "./byte-string.ts";
import { type Decompressed, decompressStream } from "./compression.ts";
import { findDestination } from "./copy.ts";
import { DIRECTORY_BYTES, Room } from "./room.ts";
import { SplitRecorder } from "./split.ts";
import { SplitWriter } from "./split-writer.ts";
import { TarParser } from "./tar/parser.ts";
import { Unpacker } from "./unpack.ts";

/** What the pass is made with. */
export interface UnpackTools {
  readonly fs: SyncFs;
  /** Decompressing programs. */
  readonly exec: Pick<Exec, "pipe" | "lookPath">;
  sha256(): Hasher;
  /** Undoes gzip faster than zlib does, where there is such a thing. */
  readonly inflater?: Inflater | undefined;
  /** The next bytes, valid until the one after is asked for; `undefined` at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Goes into the target directory. @returns where it lies now (`""`: it is `/`), and the way out */
  enter(job: UnpackJob): { readonly root: string; leave(): void };
}

/** What comes, counted and hashed on the way. */
class Received {
  readonly #digest: Hasher | undefined;
  readonly #tools: UnpackTools;
  bytes = 0;

  /** @param hashed - whether anybody wants to know the digest */
  constructor(tools: UnpackTools, hashed: boolean) {
    this.#tools = tools;
    this.#digest = hashed ? tools.sha256() : undefined;
  }

  /** Ends the hash. */
  digest(): string {
    return this.#digest === undefined ? "" : `sha256:${this.#digest.hex()}`;
  }

  async next(): Promise<Uint8Array | undefined> {
    const chunk = await this.#tools.next();
    if (chunk === undefined) return undefined;
    this.bytes += chunk.length;
    this.#digest?.update(chunk);
    return chunk;
  }

  /** The chunks as a stream; when it is left early, {@link next} goes on behind it. */
  async *stream(): AsyncGenerator<Uint8Array> {
    for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) yield chunk;
  }
}

/**
 * What comes, decompressed.
 *
 * A layer that is none fails at once, as in 1.2.0. A copy fails when it is read: whether its destination is there comes
 * first, and a copy of nothing at all is none, as today.
 */
async function opened(job: UnpackJob, { exec, inflater }: UnpackTools, received: Received): Promise<Decompressed> {
  try {
    return await decompressStream(exec, received.stream(), job.compression === "none" ? "none" : undefined, inflater);
  } catch (cause) {
    if (job.into === undefined) throw cause;
    const failure = messageOf(cause) === "EOF" ? new Error("unexpected EOF", { cause }) : cause;
    return { compression: "none", plain: nothing(received.bytes > 0 ? failure : undefined) };
  }
}

async function* nothing(failure: unknown): AsyncGenerator<Buffer> {
  if (failure !== undefined) throw failure;
  yield* [];
}

/**
 * Unpacks what {@link UnpackTools.next} gives into the job's root.
 *
 * @throws when the archive is broken or tries to leave the root; what was unpacked so far stays, and so does the
 *   confinement
 */
export async function unpackLayer(job: UnpackJob, tools: UnpackTools): Promise<UnpackResult> {
  const hashed = job.digests ?? true;
  const received = new Received(tools, hashed);
  const { compression, plain } = await opened(job, tools, received);
  // What was not compressed has one digest only.
  const inflated = hashed && compression !== "none" ? tools.sha256() : undefined;
  // Opened while its path still means something.
  const record = job.record === undefined ? undefined : tools.fs.openSync(job.record, "w", 0o600);
  const { root, leave } = tools.enter(job);
  const { whiteouts, chown, into } = job;
  const base = into === undefined ? "" : await findDestination(tools.fs, root, into, job.mounts);
  const { keepKinds, owner } = into ?? { keepKinds: false };
  const room = new Room(`${job.root}${(into?.path ?? "/").replace(/\/$/, "")}`, job.minFree);
  const target = toPath(`${fromText(root)}/${base}`);
  const take = (bytes: number) => {
    if (room.takes(bytes)) room.look(tools.fs.statfsSync(target));
  };
  const onDirectory = () => take(DIRECTORY_BYTES);
  const unpacker = new Unpacker(tools.fs, { root, whiteouts, chown, base, keepKinds, owner, onDirectory });
  const parser =
    record === undefined ? new TarParser(unpacker) : new SplitRecorder(unpacker, writerTo(tools.fs, record));
  let bytes = 0;
  const pass = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of plain) {
      bytes += chunk.length;
      inflated?.update(chunk);
      take(chunk.length);
      parser.feed(chunk);
      yield chunk;
    }
  };
  const sums = job.tarsum === true ? summed(tools, pass()) : undefined;
  try {
    for await (const _ of sums ?? pass()) {
      // Everything is done on the way.
    }
    // A program may have stopped before the end of what it was given: the digest is of everything.
    while ((await received.next()) !== undefined);
    if (job.into === undefined || received.bytes > 0) parser.end();
    unpacker.finish();
  } catch (cause) {
    unpacker.abandon();
    throw room.named(cause);
  } finally {
    if (record !== undefined) tools.fs.closeSync(record);
  }
  if (job.sync === true) tools.fs.syncfsSync(root === "" ? "/" : root);
  leave();
  const digest = received.digest();
  return {
    digest,
    diffId: inflated === undefined ? digest : `sha256:${inflated.hex()}`,
    size: unpacker.size,
    received: received.bytes,
    ...(record !== undefined && !unpacker.lost && { recorded: bytes }),
    entries: unpacker.entries,
    ...(sums === undefined ? {} : { sums: sums.getSums() }),
  };
}

/** Sums what passes, entry by entry. */
function summed({ sha256 }: UnpackTools, archive: AsyncIterable<Buffer>): TarSum {
  return new TarSum({ hash: sha256 }, archive, { disableCompression: true });
}

function writerTo(fs: SyncFs, file: number): SplitWriter {
  return new SplitWriter((bytes) => {
    for (let done = 0; done < bytes.length; ) done += fs.writeSync(file, bytes, done);
  });
}
