/**
 * Archives of directories: the form in which layers and containers travel.
 *
 * @origin archive/archive.go
 * @module
 */

import { isErrno } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { Reader } from "../sync/io.ts";
import { fromText } from "./byte-string.ts";
import type { EntryType } from "./tar/header.ts";
import { encodeHeader, paddingOf, TRAILER, type WriteHeader } from "./tar/writer.ts";
import { below, type Stats, Tree } from "./tree.ts";

/** What reading a tree needs. */
export type ArchiveHost = Pick<Host, "fs" | "kernel" | "machine">;

const READ_BYTES = 256 << 10;
/** Files up to this size are read ahead, … */
const SMALL_BYTES = 64 << 10;
/** … so many at a time. */
const AHEAD = 16;
const OPAQUE_XATTR = "trusted.overlay.opaque";
/** In the place of the process that writes an extended header. */
const NOBODY = 0;
const O_NOFOLLOW = 0o400000;
const O_NONBLOCK = 0o4000;

/** How to make an archive. */
export interface TarOptions {
  /** `overlay`: marks of deleted files become `.wh.` files, and marks themselves stay out. */
  readonly whiteouts?: "overlay";
  /**
   * Whether an entry is left out, a directory with all that is in it. Asked with its path, a byte string; for the
   * directory itself, `.`, the answer does not count.
   */
  readonly skip?: (path: string) => boolean;
  /**
   * The archive is the context of a build: every name of a file comes with its content, so that its sum tells what is in
   * it; and of attributes only `security.capability`, as the others belong to this machine.
   */
  readonly context?: boolean;
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
  readonly tree: Tree;
  readonly #host: ArchiveHost;
  readonly #links = new Map<string, string>();
  readonly #prefix: string;
  readonly #context: boolean;

  /**
   * @param root - the directory that becomes `/` of the archive
   * @param prefix - what every name in the archive begins with, the root's own name; a byte string
   * @param context - see {@link TarOptions.context}
   */
  constructor(host: ArchiveHost, root: string, prefix = "", context = false) {
    this.#host = host;
    this.tree = new Tree(host, root);
    this.#prefix = prefix;
    this.#context = context;
  }

  /** The name of an entry in the archive. */
  #named(name: string): string {
    if (this.#prefix === "") return name === "" ? "." : name;
    if (this.#prefix === "/") return `/${name}`;
    return name === "" ? this.#prefix : `${this.#prefix}/${name}`;
  }

  /**
   * Reads a small file before its turn. A file that is gone or changes its size is dealt with when its turn comes.
   *
   * @returns `undefined` for everything else
   */
  readAhead(name: string, info: Stats): Promise<Buffer | undefined> | undefined {
    if (!info.isFile() || info.size > SMALL_BYTES || info.size === 0 || info.nlink > 1) return undefined;
    return this.#readSmall(name, info.size).catch(() => undefined);
  }

  async #readSmall(name: string, size: number): Promise<Buffer | undefined> {
    const file = await this.#host.fs.open(this.tree.at(name), O_NOFOLLOW | O_NONBLOCK);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size);
      return bytesRead === size ? buffer : undefined;
    } finally {
      await file.close();
    }
  }

  /**
   * The bytes of one entry; nothing for a file that is gone meanwhile.
   *
   * @param name - relative to the root, "" for the root itself
   * @param content - what {@link readAhead} gave
   * @origin archive/archive.go addTarFile
   * @deviation A second name of whatever is no directory is written as a hard link; 1.2.0 writes the content again. All
   *   attributes of the file go along; 1.2.0 keeps `security.capability` alone. No process is named in extended headers,
   *   so that a tree has one archive, whoever writes it.
   */
  async *entry(name: string, info: Stats, content?: Buffer): AsyncGenerator<Uint8Array> {
    const type = FLAGS[info.mode & S_IFMT] ?? "0";
    const xattrs = type === "2" ? undefined : this.#context ? this.tree.capability(name) : this.tree.xattrs(name);
    const base = {
      name: type === "5" ? `${this.#named(name)}/`.replace(/^\/\/$/, "/") : this.#named(name),
      mode: info.mode,
      uid: info.uid,
      gid: info.gid,
      mtime: await this.tree.seconds(name, info),
      xattrs,
    };
    const inode = `${info.dev}:${info.ino}`;
    const linked = info.nlink > 1 && type !== "5" && !this.#context;
    const first = linked ? this.#links.get(inode) : undefined;
    if (first !== undefined) {
      yield this.#header({ ...base, type: "1", size: 0, linkname: first, xattrs: undefined });
      return;
    }
    const written = () => {
      if (linked) this.#links.set(inode, this.#named(name));
    };
    if (type !== "0") {
      const linkname = type === "2" ? await this.tree.readlink(name) : "";
      if (linkname === undefined) return;
      const device = type === "3" || type === "4" ? deviceOf(info.rdev) : {};
      written();
      yield this.#header({ ...base, type, size: 0, linkname, ...device });
      return;
    }
    const header = this.#header({ ...base, type, size: info.size });
    if (content !== undefined) yield Buffer.concat([header, content, Buffer.alloc(paddingOf(content.length))]);
    else if (info.size > 0) yield* this.#file(name, info.size, header, written);
    else {
      written();
      yield header;
    }
  }

  /** The entry that says a file of the layer below is gone. */
  whiteout(path: string): Buffer {
    const slash = path.lastIndexOf("/");
    const name = `${path.slice(0, slash + 1)}.wh.${path.slice(slash + 1)}`;
    return this.#header({ name, type: "0", mode: 0, uid: 0, gid: 0, size: 0, mtime: 0 });
  }

  #header(header: WriteHeader): Buffer {
    return encodeHeader(header, NOBODY);
  }

  /** A file with content. @param written - called when it is sure that it will be there */
  async *#file(name: string, size: number, header: Buffer, written: () => void): AsyncGenerator<Uint8Array> {
    let file: Awaited<ReturnType<Host["fs"]["open"]>>;
    try {
      file = await this.#host.fs.open(this.tree.at(name), O_NOFOLLOW | O_NONBLOCK);
    } catch (cause) {
      // The tree may be in use.
      if (isErrno(cause, "ENOENT", "ELOOP", "ENXIO")) return;
      throw cause;
    }
    try {
      written();
      yield header;
      // The header has promised a size: a file that grows is cut, one that shrinks is filled up.
      let left = size;
      while (left > 0) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(READ_BYTES, left)), 0);
        if (bytesRead === 0) break;
        left -= bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
      for (left += paddingOf(size); left > 0; left -= READ_BYTES) yield Buffer.alloc(Math.min(READ_BYTES, left));
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
  const source = new TarSource(host, dir, "", options.context);
  const info = await host.fs.lstat(dir);
  options.skip?.(".");
  yield* source.entry("", info);
  yield* walk(source, "", options);
  yield TRAILER;
}

/** What is in a directory. */
async function* walk(source: TarSource, path: string, options: TarOptions): AsyncGenerator<Uint8Array> {
  const overlay = options.whiteouts === "overlay";
  if (overlay && source.tree.xattr(path, OPAQUE_XATTR)?.toString() === "y") {
    yield source.whiteout(below(path, ".wh..opq"));
  }
  const all = await source.tree.list(path);
  const entries = all.filter(([name]) => options.skip?.(below(path, name)) !== true);
  const ahead: (Promise<Buffer | undefined> | undefined)[] = [];
  for (const [index, [name, info]] of entries.entries()) {
    for (let next = ahead.length; next < Math.min(index + AHEAD, entries.length); next++) {
      const [other, stats] = entries[next]!;
      ahead.push(source.readAhead(below(path, other), stats));
    }
    const child = below(path, name);
    const content = await ahead[index];
    ahead[index] = undefined;
    if (overlay && info.isCharacterDevice() && info.rdev === 0) yield source.whiteout(child);
    else yield* source.entry(child, info, content);
    if (info.isDirectory()) yield* walk(source, child, options);
  }
}

/**
 * Archives one file, or a directory with what is in it, under a name of its own.
 *
 * @param path - absolute; a link is not followed
 * @param name - what the entry is called
 * @origin archive/archive.go TarWithOptions
 */
export async function* tarAs(host: ArchiveHost, path: string, name: string): Reader & AsyncGenerator<Uint8Array> {
  const source = new TarSource(host, path, fromText(name));
  const info = await host.fs.lstat(path);
  yield* source.entry("", info);
  if (info.isDirectory()) yield* walk(source, "", {});
  yield TRAILER;
}
