/**
 * Archives of directories: the form in which layers and containers travel.
 *
 * @origin archive/archive.go
 * @module
 */

import { isErrno } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { Reader } from "../sync/io.ts";
import { fromText, toPath } from "./byte-string.ts";
import type { EntryType } from "./tar/header.ts";
import { encodeHeader, paddingOf, TRAILER, TYPE_BITS, type WriteHeader } from "./tar/writer.ts";

/** What reading a tree needs. */
export type ArchiveHost = Pick<Host, "fs" | "kernel" | "machine">;

const READ_BYTES = 256 << 10;
const CAPABILITY = "security.capability";
const OPAQUE_XATTR = "trusted.overlay.opaque";

/** How to make an archive. */
export interface TarOptions {
  /** `overlay`: marks of deleted files become `.wh.` files, and marks themselves stay out. */
  readonly whiteouts?: "overlay";
}

/** What `lstat` tells, in plain numbers. */
interface Stats {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly dev: number;
  readonly ino: number;
  readonly nlink: number;
  readonly rdev: number;
  readonly size: number;
  readonly mtimeMs: number;
}

const S_IFMT = 0o170000;
const FLAGS: Record<number, EntryType | "\0"> = {
  [0o100000]: "0",
  [0o120000]: "2",
  [0o020000]: "3",
  [0o060000]: "4",
  [0o040000]: "5",
  [0o010000]: "6",
  [0o140000]: "\0", // a socket
};

/** Splits a device number as makedev(3) put it together. */
function deviceOf(rdev: number): { devMajor: number; devMinor: number } {
  const n = BigInt(rdev);
  return {
    devMajor: Number(((n >> 8n) & 0xfffn) | ((n >> 32n) & 0xfffff000n)),
    devMinor: Number((n & 0xffn) | ((n >> 12n) & 0xffffff00n)),
  };
}

/** Writes entries of a tree one by one and remembers hard links between them. */
export class TarSource {
  readonly #host: ArchiveHost;
  readonly #root: string;
  readonly #links = new Map<string, string>();

  /** @param root - the directory that becomes `/` of the archive */
  constructor(host: ArchiveHost, root: string) {
    this.#host = host;
    this.#root = fromText(root);
  }

  /** The kernel's path of a name below the root. */
  path(name: string): string | Buffer {
    return toPath(name === "" ? this.#root : `${this.#root}/${name}`);
  }

  /** @returns `undefined` for a file that is gone meanwhile */
  async stat(name: string): Promise<Stats | undefined> {
    try {
      return await this.#host.fs.lstat(this.path(name));
    } catch (cause) {
      if (isErrno(cause, "ENOENT")) return undefined;
      throw cause;
    }
  }

  /** Names in a directory, as byte strings, sorted. */
  async names(name: string): Promise<string[]> {
    return ((await this.#host.fs.readdir(this.path(name), "latin1" as BufferEncoding)) as string[]).sort();
  }

  /**
   * The bytes of one entry.
   *
   * @param name - relative to the root, "" for the root itself
   * @origin archive/archive.go addTarFile
   * @deviation A second name of a file is written as a hard link; 1.2.0 writes the content again.
   */
  async *entry(name: string, info: Stats): AsyncGenerator<Uint8Array> {
    const type = FLAGS[info.mode & S_IFMT] ?? "0";
    const base = {
      name: name === "" ? "./" : type === "5" ? `${name}/` : name,
      uid: info.uid,
      gid: info.gid,
      mtime: Math.floor(info.mtimeMs / 1000),
    };
    const key = `${info.dev}:${info.ino}`;
    const first = type === "0" && info.nlink > 1 ? this.#links.get(key) : undefined;
    if (first !== undefined) {
      yield this.#header({ ...base, type: "1", mode: info.mode, size: 0, linkname: first });
      return;
    }
    if (type !== "0") {
      const linkname = type === "2" ? fromText(await this.#host.fs.readlink(this.path(name))) : "";
      const device = type === "3" || type === "4" ? deviceOf(info.rdev) : {};
      yield this.#header({ ...base, type, mode: info.mode, size: 0, linkname, ...device });
      return;
    }
    if (info.nlink > 1) this.#links.set(key, name);
    yield* this.#file({ ...base, type, mode: info.mode, size: info.size, xattrs: this.#capability(name) });
  }

  /** The entry that says a file of the layer below is gone. */
  whiteout(dir: string, name: string): Buffer {
    const path = `${dir === "" ? "" : `${dir}/`}.wh.${name}`;
    return this.#header({ name: path, type: "0", mode: TYPE_BITS["0"], uid: 0, gid: 0, size: 0, mtime: 0 });
  }

  #header(header: WriteHeader): Buffer {
    return encodeHeader(header, this.#host.machine.pid);
  }

  #capability(name: string): ReadonlyMap<string, Buffer> | undefined {
    const path = this.path(name);
    // A name that is no UTF-8 cannot be asked for its attributes through text.
    const value = typeof path === "string" ? this.#host.kernel.lgetxattr(path, CAPABILITY) : undefined;
    return value === undefined ? undefined : new Map([[CAPABILITY, value]]);
  }

  async *#file(header: WriteHeader): AsyncGenerator<Uint8Array> {
    const file = await this.#host.fs.open(this.path(header.name), 0o400000 /* O_NOFOLLOW */);
    try {
      yield this.#header(header);
      // The header has promised a size: a file that grows is cut, one that shrinks is filled up.
      let left = header.size;
      while (left > 0) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(READ_BYTES, left)), 0);
        if (bytesRead === 0) break;
        left -= bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
      yield Buffer.alloc(left + paddingOf(header.size));
    } finally {
      await file.close();
    }
  }
}

/**
 * Archives a directory, entry by entry in lexical order, the directory itself first as `./`.
 *
 * @param dir - absolute path
 * @origin archive/archive.go TarWithOptions
 */
export async function* tar(
  host: ArchiveHost,
  dir: string,
  options: TarOptions = {},
): Reader & AsyncGenerator<Uint8Array> {
  const source = new TarSource(host, dir);
  yield* walk(host, source, dir, "", options);
  yield TRAILER;
}

async function* walk(
  host: ArchiveHost,
  source: TarSource,
  dir: string,
  name: string,
  options: TarOptions,
): AsyncGenerator<Uint8Array> {
  const info = await source.stat(name);
  if (info === undefined) return;
  const overlay = options.whiteouts === "overlay";
  if (overlay && (info.mode & S_IFMT) === 0o020000 && info.rdev === 0) {
    const slash = name.lastIndexOf("/");
    yield source.whiteout(name.slice(0, Math.max(0, slash)), name.slice(slash + 1));
    return;
  }
  yield* source.entry(name, info);
  if ((info.mode & S_IFMT) !== 0o040000) return;
  const path = source.path(name);
  if (overlay && typeof path === "string" && host.kernel.lgetxattr(path, OPAQUE_XATTR)?.toString() === "y") {
    yield source.whiteout(name, ".wh..opq");
  }
  for (const child of await source.names(name)) {
    yield* walk(host, source, dir, name === "" ? child : `${name}/${child}`, options);
  }
}
