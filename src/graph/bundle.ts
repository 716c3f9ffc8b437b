/**
 * An archive of images. Its entries come in any order, and what they are is known only when all have come: so it is
 * written down as one file, decompressed, and where what begins is remembered.
 *
 * Nobody can be trusted to have made it well. Nothing of it ever becomes a path of this machine: names and links lead
 * from entry to entry.
 *
 * @module
 */

import { join } from "node:path/posix";
import { cleanName, quote } from "../archive/beneath.ts";
import { decompressStream } from "../archive/compression.ts";
import { namingRoom, type RoomHost, withRoom } from "../archive/room.ts";
import { BLOCK_BYTES, type Header, TarError } from "../archive/tar/header.ts";
import { type TarHandler, TarParser } from "../archive/tar/parser.ts";
import { BadRequestError, messageOf } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { Reader } from "../sync/io.ts";

/** What a bundle needs of the world. */
export type BundleHost = RoomHost & Pick<Host, "env" | "exec">;

type FileHandle = Awaited<ReturnType<Host["fs"]["open"]>>;

/** Descriptions and configurations: as long as a registry may send them. */
export const MAX_DOCUMENT_BYTES = 4 << 20;
/** Lists of images and of names. */
export const MAX_LIST_BYTES = 20 << 20;
/** More entries than anybody has in one archive, … */
const MAX_ENTRIES = 100_000;
/** … and more bytes in their names, which are kept in memory. */
const MAX_NAMES_BYTES = 32 << 20;
/** As the kernel. */
const MAX_LINKS = 40;
const READ_BYTES = 256 << 10;
/** Small pieces are written together. */
const WRITE_BYTES = 1 << 20;

/** An entry: where its content is, or where it leads. */
type Entry =
  | { readonly kind: "file"; offset: number; readonly size: number }
  | { readonly kind: "link"; readonly to: string }
  | { readonly kind: "directory" | "other" };

/** A file of a bundle. */
export interface BundleFile {
  readonly size: number;
  /** Reads it. A piece is good until the next one is asked for. */
  read(): Reader;
}

/** Finds out where everything begins. */
class Indexer implements TarHandler {
  readonly entries = new Map<string, Entry>();
  readonly #parser = new TarParser(this);
  #current: { offset: number } | undefined;
  /** What has come of a block that is not whole. */
  #tail: Buffer = Buffer.alloc(0);
  #piece: Buffer = Buffer.alloc(0);
  /** Where the piece begins in the archive. */
  #at = 0;
  /** Bytes in names so far. */
  #names = 0;

  feed(chunk: Buffer): void {
    // Of whole blocks the parser keeps nothing back: what it hands on lies in the piece it was given.
    const missing = (BLOCK_BYTES - this.#tail.length) % BLOCK_BYTES;
    if (this.#tail.length > 0) {
      const block = Buffer.concat([this.#tail, chunk.subarray(0, missing)]);
      this.#tail = block;
      if (block.length < BLOCK_BYTES) return;
      this.#tail = Buffer.alloc(0);
      this.#take(block);
    }
    const rest = chunk.subarray(missing);
    const whole = rest.length - (rest.length % BLOCK_BYTES);
    this.#take(rest.subarray(0, whole));
    this.#tail = Buffer.from(rest.subarray(whole));
  }

  end(): void {
    this.#take(this.#tail);
    this.#parser.end();
  }

  #take(piece: Buffer): void {
    this.#piece = piece;
    this.#parser.feed(piece);
    this.#at += piece.length;
  }

  /** @see TarHandler */
  entry(header: Header): void {
    this.#current = undefined;
    this.#names += header.name.length + header.linkname.length;
    const name = cleanName(header.name);
    if (name === "") return;
    if (this.entries.size >= MAX_ENTRIES || this.#names > MAX_NAMES_BYTES) {
      throw new BadRequestError(`Cannot read the archive: more than ${MAX_ENTRIES} entries, or names too long`);
    }
    this.entries.set(name, this.#entryOf(header, name));
  }

  #entryOf(header: Header, name: string): Entry {
    if (header.sparse) throw new TarError(`${quote(name)} has holes`);
    if (header.type === "0") {
      const file = { kind: "file" as const, offset: 0, size: header.size };
      this.#current = file;
      return file;
    }
    if (header.type === "5") return { kind: "directory" };
    if (header.type !== "1" && header.type !== "2") return { kind: "other" };
    const from = header.type === "1" || header.linkname.startsWith("/") ? "" : name.slice(0, name.lastIndexOf("/") + 1);
    return { kind: "link", to: from + header.linkname };
  }

  /** @see TarHandler */
  data(chunk: Buffer, position: number): void {
    if (position === 0 && this.#current !== undefined) {
      this.#current.offset = this.#at + chunk.byteOffset - this.#piece.byteOffset;
    }
  }

  /** @see TarHandler */
  endEntry(): void {
    // Nothing is kept open.
  }
}

/** See above. */
export class Bundle {
  readonly #fs: Host["fs"];
  readonly #dir: string;
  readonly #file: FileHandle;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(fs: Host["fs"], dir: string, file: FileHandle, entries: ReadonlyMap<string, Entry>) {
    this.#fs = fs;
    this.#dir = dir;
    this.#file = file;
    this.#entries = entries;
  }

  /**
   * Takes an archive, compressed or not, into the daemon's directory for temporary files.
   *
   * @throws {TarError} and others when it is broken or hostile; nothing is left then
   */
  static async receive(host: BundleHost, source: Reader, signal: AbortSignal): Promise<Bundle> {
    const { fs, env, exec } = host;
    const dir = await fs.mkdtemp(join(env["TMPDIR"] ?? "/tmp", "docker-import-"));
    let file: FileHandle | undefined;
    try {
      const opened = await fs.open(join(dir, "repo.tar"), "wx+", 0o600);
      file = opened;
      const { plain } = await decompressStream(exec, source);
      const entries = await namingRoom(dir, () => spool(opened, withRoom(host, dir, plain), signal));
      return new Bundle(fs, dir, opened, entries);
    } catch (cause) {
      await file?.close();
      await fs.rm(dir, { recursive: true, force: true });
      throw cause;
    }
  }

  /** Deletes everything. What is being read is cut short. */
  async remove(): Promise<void> {
    await this.#file.close();
    await this.#fs.rm(this.#dir, { recursive: true, force: true });
  }

  /** Names of the directories at the top, sorted. */
  directories(): string[] {
    const found = new Set<string>();
    for (const [name, { kind }] of this.#entries) {
      const slash = name.indexOf("/");
      if (slash > 0 || kind === "directory") found.add(slash > 0 ? name.slice(0, slash) : name);
    }
    return [...found].sort();
  }

  /** Whether there is something of that name, a file or not. */
  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  /**
   * Finds a file. A link is followed, but never out.
   *
   * @throws {BadRequestError} when it is not there, no file, or not in the archive
   */
  open(name: string): BundleFile {
    const found = this.#find(name);
    // The words of 1.2.0, which unpacks the archive there.
    if (found === undefined) {
      throw new BadRequestError(`open ${join(this.#dir, "repo")}/${name}: no such file or directory`);
    }
    if (found.kind !== "file") throw new BadRequestError(`Cannot read ${quote(name)} of the archive: it is no file`);
    return { size: found.size, read: () => this.#read(found) };
  }

  /** Reads a small file. @throws {BadRequestError} as {@link open}, or when it is too long */
  async document(name: string, limit = MAX_DOCUMENT_BYTES): Promise<Buffer> {
    const file = this.open(name);
    if (file.size > limit) {
      throw new BadRequestError(`Cannot read ${quote(name)} of the archive: it is longer than ${limit} bytes`);
    }
    const parts: Buffer[] = [];
    for await (const chunk of file.read()) parts.push(Buffer.from(chunk));
    return Buffer.concat(parts);
  }

  async *#read({ offset, size }: { offset: number; size: number }): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, size));
    for (let done = 0; done < size; ) {
      const want = Math.min(buffer.length, size - done);
      const { bytesRead } = await this.#file.read(buffer, 0, want, offset + done);
      if (bytesRead === 0) throw new TarError();
      done += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** Goes from entry to entry as the kernel would from file to file. @throws {BadRequestError} for a name that leads out */
  #find(name: string): Entry | undefined {
    let rest = clean(name).split("/");
    let path = "";
    for (let links = 0; rest.length > 0; ) {
      path = path === "" ? (rest[0] as string) : `${path}/${rest[0]}`;
      rest = rest.slice(1);
      const entry = this.#entries.get(path);
      if (entry?.kind !== "link") {
        if (rest.length === 0) return entry;
        continue;
      }
      if (++links > MAX_LINKS) throw new BadRequestError(`Cannot read ${quote(name)} of the archive: too many links`);
      rest = [...clean(entry.to).split("/"), ...rest];
      path = "";
    }
    return undefined;
  }
}

function clean(name: string): string {
  try {
    return cleanName(name);
  } catch (cause) {
    throw new BadRequestError(messageOf(cause), { cause });
  }
}

/** Writes the archive to the file. @returns its entries by their names */
async function spool(
  file: FileHandle,
  plain: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Entry>> {
  const indexer = new Indexer();
  const buffer = Buffer.allocUnsafeSlow(WRITE_BYTES);
  let filled = 0;
  const write = async () => {
    for (let done = 0; done < filled; ) done += (await file.write(buffer, done, filled - done)).bytesWritten;
    filled = 0;
  };
  for await (const chunk of plain) {
    signal.throwIfAborted();
    indexer.feed(chunk);
    // Copied: its memory may be used again when the next is asked for.
    for (let rest = chunk; rest.length > 0; ) {
      const taken = rest.copy(buffer, filled);
      filled += taken;
      rest = rest.subarray(taken);
      if (filled === WRITE_BYTES) await write();
    }
  }
  indexer.end();
  await write();
  return indexer.entries;
}
