/**
 * Room for what strangers send. An archive of some kilobytes can fill a disk, and nothing in it says so beforehand: real
 * layers are large, empty files in them compress to nothing. So there is no limit on what comes out of an archive;
 * instead something of the file system stays free, for the daemon's own files and for everybody else's.
 *
 * The file system is not asked for every file, but whenever as much has been written as could have used up half of what
 * was there.
 *
 * @module
 */

import { isErrno } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { MinFree } from "../host/pool.ts";

/** A look at the file system, in bytes of archive: at most so many are taken without one, … */
const LONGEST_STEP = 64 << 20;
/** … and at least so many. */
const SHORTEST_STEP = 256 << 10;
/** The smallest entry of an archive takes one block of 512 bytes there, and a block of 4096 and an inode here. */
const BYTES_PER_ENTRY = 512;
const GROWTH = 8;
/** What a directory takes that no entry of the archive is about. */
export const DIRECTORY_BYTES = 4096;

/**
 * What is kept free unless something else is asked for: enough for lists, logs and configurations.
 *
 * @deviation 1.2.0 writes until the disk is full.
 */
export const DEFAULT_MIN_FREE: MinFree = { percent: 1, atMostBytes: 256 << 20, atMostInodes: 16 << 10 };

/** What `statfs` tells; a file system that does not count inodes has 0 of them. */
export interface Space {
  readonly bsize: number;
  readonly blocks: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

/** The file system would be full, or is. */
export class NoRoomError extends Error {
  readonly code = "ENOSPC";

  /** @param dir - absolute path of what was written to */
  constructor(dir: string, why: string, options?: ErrorOptions) {
    super(`Cannot write to ${dir}: no space left on device${why}`, options);
    this.name = "NoRoomError";
  }
}

function megabytes(bytes: number): string {
  return bytes < 10e6 ? `${Math.floor(bytes / 1e3)} kB` : `${Math.floor(bytes / 1e6)} MB`;
}

/** Counts what is written to one file system. */
export class Room {
  readonly #dir: string;
  readonly #minFree: MinFree | undefined;
  /** What may still be written before the next look. */
  #left: number;

  /**
   * @param dir - absolute path, for messages
   * @param minFree - `undefined`: whatever there is may be used
   */
  constructor(dir: string, minFree: MinFree | undefined) {
    this.#dir = dir;
    this.#minFree = minFree;
    this.#left = minFree === undefined || minFree.percent === 0 ? Number.POSITIVE_INFINITY : 0;
  }

  /** Counts bytes of an archive that are about to be written. @returns whether {@link look} comes first */
  takes(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left < 0;
  }

  /** Sees how much is left. @throws {NoRoomError} when it is not more than what is kept free */
  look({ bsize, blocks, bavail, files, ffree }: Space): void {
    const { percent, atMostBytes, atMostInodes } = this.#minFree ?? DEFAULT_MIN_FREE;
    const part = (of: number, atMost: number) => Math.min(Math.ceil((of * percent) / 100), atMost);
    const [total, free] = [blocks * bsize, bavail * bsize];
    const kept = part(total, atMostBytes);
    if (free <= kept)
      throw this.#full(`${megabytes(free)} of ${megabytes(total)} are free, ${megabytes(kept)} are kept free`);
    const keptInodes = part(files, atMostInodes);
    if (files > 0 && ffree <= keptInodes)
      throw this.#full(`${ffree} of ${files} inodes are free, ${keptInodes} are kept free`);
    const inodes = files > 0 ? (ffree - keptInodes) * BYTES_PER_ENTRY : Number.POSITIVE_INFINITY;
    const step = Math.min((free - kept) / GROWTH, inodes) / 2;
    this.#left = Math.min(Math.max(step, SHORTEST_STEP), LONGEST_STEP);
  }

  #full(state: string): NoRoomError {
    const cure = "remove what is not needed, or keep less with --storage-opt <driver>.min_free_space=<percent>%";
    return new NoRoomError(this.#dir, ` (${state}): ${cure}`);
  }

  /** A failed write; of one to a full file system it says to which. */
  named(cause: unknown): unknown {
    // The kernel says the same of a file with more attributes than one block holds.
    const isAttribute = (cause as { syscall?: unknown }).syscall === "lsetxattr";
    if (cause instanceof NoRoomError || !isErrno(cause, "ENOSPC", "EDQUOT") || isAttribute) return cause;
    return new NoRoomError(this.#dir, ": remove what is not needed", { cause });
  }
}

/** What writing a stream needs. */
export type RoomHost = Pick<Host, "fs" | "pool">;

/** Passes on what is to be written into a directory, as long as there is room. @throws {NoRoomError} */
export async function* withRoom<T extends Uint8Array>(
  { fs, pool }: RoomHost,
  dir: string,
  source: AsyncIterable<T>,
): AsyncGenerator<T> {
  const room = new Room(dir, pool.minFree);
  for await (const chunk of source) {
    if (room.takes(chunk.length)) room.look(await fs.statfs(dir));
    yield chunk;
  }
}

/** How often is looked while something else writes. */
const LOOK_MS = 500;

/**
 * Does something that writes into a directory beyond our control: it is told to stop when there is no more room.
 *
 * @throws {NoRoomError}
 */
export async function whileRoom<T>(
  { fs, pool, clock }: RoomHost & Pick<Host, "clock">,
  dir: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const [full, over] = [new AbortController(), new AbortController()];
  const watching = (async () => {
    for (;;) {
      const room = new Room(dir, pool.minFree);
      if (room.takes(1)) room.look(await fs.statfs(dir));
      await clock.sleep(LOOK_MS, over.signal);
    }
  })();
  watching.catch((cause: unknown) => full.abort(cause));
  try {
    return await work(AbortSignal.any([signal, full.signal]));
  } catch (cause) {
    if (!over.signal.aborted && full.signal.aborted) throw full.signal.reason;
    throw cause;
  } finally {
    over.abort();
  }
}

/** Does something that writes into a directory. @throws {NoRoomError} in the place of the system's error */
export async function namingRoom<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new Room(dir, undefined).named(cause);
  }
}

/**
 * Reads a share of the file system: `5%`. With it nothing else limits what is kept free; `0%` keeps nothing.
 *
 * @returns `undefined` when it is none
 */
export function parseMinFree(text: string): MinFree | undefined {
  const percent = /^(\d{1,2}(?:\.\d{1,3})?)%$/.exec(text)?.[1];
  if (percent === undefined) return undefined;
  return {
    percent: Number(percent),
    atMostBytes: Number.POSITIVE_INFINITY,
    atMostInodes: Number.POSITIVE_INFINITY,
  };
}
