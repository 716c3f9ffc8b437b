/**
 * An archive of images, unpacked into a directory of its own: its entries come in any order, and what they are is known
 * only when all have come.
 *
 * Nobody can be trusted to have made it well. It is unpacked like a layer, links in it lead nowhere outside, and what is
 * read whole has to be small.
 *
 * @module
 */

import { join } from "node:path/posix";
import { cleanName, quote } from "../archive/beneath.ts";
import { BadRequestError, isErrno, messageOf } from "../errdefs/errdefs.ts";
import { pathErrorText } from "../errdefs/errno-text.ts";
import type { Host } from "../host/host.ts";
import { fileChunks } from "../sync/file-chunks.ts";
import { type Reader, readAll } from "../sync/io.ts";

/** What a bundle needs of the world. */
export type BundleHost = Pick<Host, "fs" | "env" | "pool" | "machine">;

/** Descriptions and configurations: as long as a registry may send them. */
export const MAX_DOCUMENT_BYTES = 4 << 20;
/** Lists of images and of names. */
export const MAX_LIST_BYTES = 20 << 20;

const O_NOFOLLOW = 0o400000;
const O_NONBLOCK = 0o4000;

/** A file of a bundle. */
export interface BundleFile {
  readonly size: number;
  /** Reads it, once. */
  read(): Reader;
  /** Gives it back unread. */
  close(): Promise<void>;
}

/** See above. */
export class Bundle {
  readonly #host: BundleHost;
  readonly #dir: string;

  private constructor(host: BundleHost, dir: string) {
    this.#host = host;
    this.#dir = dir;
  }

  /**
   * Unpacks an archive, compressed or not, below the daemon's directory for temporary files.
   *
   * @throws when it is broken or hostile; nothing is left then
   */
  static async receive(host: BundleHost, source: Reader, signal: AbortSignal): Promise<Bundle> {
    const { fs, env, pool, machine } = host;
    const bundle = new Bundle(host, await fs.mkdtemp(join(env["TMPDIR"] ?? "/tmp", "docker-import-")));
    try {
      await fs.mkdir(bundle.#root, { mode: 0o700 });
      // As root the thread locks itself in, as for a layer.
      const chown = machine.uid === 0;
      const job = { root: bundle.#root, whiteouts: "keep", chown, compression: "auto", digests: false } as const;
      await pool.unpack(job, source, signal);
      return bundle;
    } catch (cause) {
      await bundle.remove();
      throw cause;
    }
  }

  get #root(): string {
    return join(this.#dir, "repo");
  }

  /** Deletes everything. */
  async remove(): Promise<void> {
    await this.#host.fs.rm(this.#dir, { recursive: true, force: true });
  }

  /** Names of the directories at the top, sorted. */
  async directories(): Promise<string[]> {
    const entries = await this.#host.fs.readdir(this.#root, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  }

  /** Whether there is something of that name, a file or not. */
  async has(name: string): Promise<boolean> {
    try {
      await this.#real(name);
      return true;
    } catch (cause) {
      if (isErrno(cause, "ENOENT", "ENOTDIR")) return false;
      throw cause;
    }
  }

  /**
   * Opens a file. A link is followed, but never out.
   *
   * @throws {BadRequestError} when it is not there, no file, or not in the archive
   */
  async open(name: string): Promise<BundleFile> {
    const path = join(this.#root, name);
    try {
      const file = await this.#host.fs.open(await this.#real(name), O_NOFOLLOW | O_NONBLOCK);
      const info = await file.stat();
      if (info.isFile()) return { size: info.size, read: () => fileChunks(file), close: () => file.close() };
      await file.close();
    } catch (cause) {
      if (!isErrno(cause, "ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "EISDIR", "EACCES")) throw cause;
      throw new BadRequestError(pathErrorText("open", path, cause), { cause });
    }
    throw new BadRequestError(`Cannot read ${quote(name)} of the archive: it is no file`);
  }

  /** Reads a small file. @param what - named in the error @throws {BadRequestError} as {@link open}, or when it is too long */
  async document(name: string, limit = MAX_DOCUMENT_BYTES): Promise<Buffer> {
    const file = await this.open(name);
    if (file.size > limit) {
      await file.close();
      throw new BadRequestError(`Cannot read ${quote(name)} of the archive: it is longer than ${limit} bytes`);
    }
    return readAll(file.read(), limit);
  }

  /** Where a name leads. @throws {BadRequestError} when that is not in the archive */
  async #real(name: string): Promise<string> {
    let clean: string;
    try {
      clean = cleanName(name);
    } catch (cause) {
      throw new BadRequestError(messageOf(cause), { cause });
    }
    if (name.includes("\0")) throw new BadRequestError(`Cannot read ${quote(name)} of the archive: it is no name`);
    const { fs } = this.#host;
    // Nobody else changes the directory meanwhile.
    const [root, real] = [await fs.realpath(this.#root), await fs.realpath(join(this.#root, clean))];
    if (real === root || real.startsWith(`${root}/`)) return real;
    throw new BadRequestError(`Cannot read ${quote(name)} of the archive: it leads out of it`);
  }
}
