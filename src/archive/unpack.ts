/**
 * Unpacks an archive that nobody can be trusted to have made well, into one directory and nowhere else.
 *
 * Two walls keep it inside: as root, the thread has made the directory its `/`, so a link that points anywhere points
 * inside; and, with or without root, every directory on the way is looked at before it is used, and a link among them
 * is followed as if the directory were `/` (see `beneath.ts`). What no honest archive holds is refused, not mended:
 * names that climb out, whiteouts of nothing, files in the place of the root.
 *
 * Whiteouts speak of the layers below only: what comes with the same layer stays, in whichever order it comes (OCI image
 * specification).
 *
 * @origin archive/archive.go createTarFile
 * @origin archive/diff.go ApplyLayer
 * @module
 */

import type { Destination, UnpackJob } from "../host/pool.ts";
import type { SyncFs } from "../host/sync-fs.ts";
import { Beneath, cleanName, type Marks, OPAQUE, quote, WHITEOUT } from "./beneath.ts";
import { CopyError } from "./copy.ts";
import { FileMaker } from "./file-maker.ts";
import { type Header, TarError } from "./tar/header.ts";
import type { TarHandler } from "./tar/parser.ts";

const META = ".wh..wh.";
/** Where aufs kept the contents of hard links; a layer made by it may refer to them. */
const LINKS = ".wh..wh.plnk";
const S_IFCHR = 0o020000;
const O_CREATE = 0o1 /* O_WRONLY */ | 0o100 /* O_CREAT */ | 0o200 /* O_EXCL */ | 0o400000; /* O_NOFOLLOW */

/**
 * How many names of one layer are remembered where a later whiteout must know them, and bytes in them. More than anybody
 * has in one layer, and more than this would be a danger for the memory.
 *
 * @deviation 1.2.0 remembers nothing: a whiteout takes away what came with the same layer.
 */
const MAX_BROUGHT = 4_000_000;
const MAX_BROUGHT_BYTES = 256 << 20;

/** Where and how to unpack. */
export interface UnpackOptions {
  /** Where the archive's `/` lies, without a slash at the end; "" when it is the thread's own root. */
  readonly root: string;
  readonly whiteouts: UnpackJob["whiteouts"];
  /** `false`: owners are left alone, device nodes are left out, and everything stays readable for us. */
  readonly chown: boolean;
  /** Names in the archive are names in this directory: relative to the root, real, a byte string; default: the root. */
  readonly base?: string;
  readonly keepKinds?: boolean;
  readonly owner?: Destination["owner"] | undefined;
  /** Told before a directory is made: one entry can make many. */
  readonly onDirectory?: () => void;
}

/** How the tree that is made marks what it hides. */
function marksOf(whiteouts: UnpackJob["whiteouts"]): Marks {
  return whiteouts === "overlay" || whiteouts === "aufs" ? whiteouts : undefined;
}

/** Takes entries from a `TarParser` and makes files of them. */
export class Unpacker implements TarHandler {
  readonly #fs: SyncFs;
  readonly #whiteouts: UnpackJob["whiteouts"];
  readonly #beneath: Beneath;
  readonly #maker: FileMaker;
  /** What this archive brought, where a whiteout that deletes must know. */
  readonly #brought: Set<string> | undefined;
  #broughtBytes = 0;
  /** Before each name: nothing, or a directory and a slash. */
  readonly #prefix: string;
  readonly #keepKinds: boolean;
  readonly #owner: Destination["owner"] | undefined;
  #file: { header: Header; path: string; fd: number } | undefined;
  #size = 0;
  #entries = 0;
  #hasLinks = false;
  /** Whether the open file is a mark of aufs. */
  #isMark = false;
  /** Paths of files with content, where some of them may be of the layer below. */
  readonly #written = new Set<string>();
  #lost = false;

  /** @param fs - synchronous calls, of a thread of its own */
  constructor(fs: SyncFs, options: UnpackOptions) {
    this.#fs = fs;
    this.#whiteouts = options.whiteouts;
    this.#beneath = new Beneath(fs, options.root, marksOf(options.whiteouts));
    this.#beneath.onReplace = (path) => this.#replaced(path);
    this.#beneath.onDirectory = options.onDirectory;
    this.#maker = new FileMaker(fs, this.#beneath, {
      chown: options.chown,
      unseen: options.whiteouts !== "keep", // a layer; everything else may be a container's
    });
    this.#brought = options.whiteouts === "apply" ? new Set() : undefined;
    this.#prefix = options.base === undefined || options.base === "" ? "" : `${options.base}/`;
    this.#keepKinds = options.keepKinds ?? false;
    this.#owner = options.owner;
  }

  /** Bytes in regular files and in the texts of symbolic links so far. @origin utils/utils.go TreeSize */
  get size(): number {
    return this.#size;
  }

  /** Entries so far. */
  get entries(): number {
    return this.#entries;
  }

  /** The real path of the file that data goes to just now; `undefined`: it is kept nowhere. */
  get target(): string | undefined {
    return this.#isMark ? undefined : this.#file?.path;
  }

  /** Whether the content of a file may be gone again because something later in the archive took its place. */
  get lost(): boolean {
    return this.#lost;
  }

  /** @see TarHandler */
  entry(given: Header): void {
    this.#entries++;
    if (given.type !== "0") this.#maker.forget();
    const header = this.#owner === undefined ? given : { ...given, ...this.#owner };
    const name = cleanName(header.name);
    const path = name === "" ? "" : this.#prefix + name;
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? "" : path.slice(0, slash);
    const base = path.slice(slash + 1);
    if (path === "") {
      // The root keeps its owner and mode, as in 1.2.0: archives are often made of a directory that nobody else may enter.
      if (header.type !== "5") throw new TarError(`${quote(header.name)} would replace the root`);
    } else if (this.#whiteouts === "keep") {
      this.#add(header, parent, base);
    } else if (this.#whiteouts === "aufs" && (base.startsWith(META) || path.startsWith(`${LINKS}/`))) {
      this.#add(header, parent, base); // what is aufs's own it finds there again
    } else if (path === LINKS || path.startsWith(`${LINKS}/`)) {
      this.#hasLinks = true;
      this.#add(header, parent, base);
    } else if (path.startsWith(META) && path !== OPAQUE) {
      // aufs's own bookkeeping
    } else if (base.startsWith(WHITEOUT)) {
      this.#whiteout(header, parent, base);
    } else {
      this.#add(header, parent, base);
    }
  }

  /** @see TarHandler */
  data(chunk: Buffer, position: number): void {
    const file = this.#file;
    if (file === undefined) return;
    // Only a file with holes is written at positions: the others follow their descriptor.
    for (let done = 0; done < chunk.length; ) {
      const at = file.header.sparse ? position + done : null;
      done += this.#fs.writeSync(file.fd, chunk, done, chunk.length - done, at);
    }
  }

  /** @see TarHandler */
  endEntry(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    const { header, path, fd } = file;
    try {
      if (header.sparse) this.#fs.ftruncateSync(fd, header.size);
      this.#maker.dressFile(fd, path, header);
    } finally {
      this.#fs.closeSync(fd);
    }
    this.#size += header.size;
    this.#isMark = false;
    if (this.#brought !== undefined && header.size > 0) this.#written.add(path);
  }

  /** Sets what must come last: times of directories. Call it once, after the archive's end. */
  finish(): void {
    if (this.#hasLinks) {
      this.#lost = true;
      this.#beneath.remove(LINKS);
    }
    this.#maker.flush();
  }

  /** Of a tree that was empty everything is the archive's; of another one, what it has written, and directories may be. */
  #replaced(path: string): void {
    this.#maker.forget();
    this.#lost ||=
      this.#brought === undefined || this.#written.has(path) || this.#beneath.lstat(path)?.isDirectory() === true;
  }

  /** Closes what is open; the archive was broken off. */
  abandon(): void {
    if (this.#file !== undefined) this.#fs.closeSync(this.#file.fd);
    this.#file = undefined;
  }

  #add(header: Header, parent: string, base: string): void {
    const directory = this.#beneath.directory(parent);
    const path = directory === "" ? base : `${directory}/${base}`;
    if (this.#brought !== undefined) this.#remember(this.#brought, path);
    if (this.#keepKinds) this.#checkKind(path, header.type === "5");
    if (header.type !== "5") this.#beneath.uncover(path);
    if (header.type === "0") this.#open(header, path);
    else if (header.type === "1") this.#link(header, path);
    else if (header.type === "5") this.#maker.directory(path, header);
    else if (header.type === "2") this.#symlink(header, path);
    else this.#maker.node(path, header, marksOf(this.#whiteouts) !== undefined);
  }

  #remember(brought: Set<string>, path: string): void {
    this.#broughtBytes += path.length;
    if (brought.size >= MAX_BROUGHT || this.#broughtBytes > MAX_BROUGHT_BYTES)
      throw new TarError(`more than ${MAX_BROUGHT} entries, or ${MAX_BROUGHT_BYTES} bytes in their names`);
    brought.add(path);
  }

  /** A directory stays a directory, and everything else something else. @since Docker 1.8 */
  #checkKind(path: string, isDirectory: boolean): void {
    const there = this.#beneath.lstat(path);
    if (there === undefined || there.isDirectory() === isDirectory) return;
    const [old, fresh] = isDirectory ? ["non-directory", "directory"] : ["directory", "non-directory"];
    const into = `/${this.#prefix}`.replace(/(.)\/$/, "$1");
    throw new CopyError("EKIND", `cannot overwrite ${old} ${quote(`/${path}`)} with ${fresh} ${quote(into)}`);
  }

  #open(header: Header, path: string): void {
    const at = this.#beneath.at(path);
    const fd = this.#beneath.place(path, () => this.#fs.openSync(at, O_CREATE, this.#maker.birthMode(header)));
    this.#file = { header, path, fd };
  }

  #symlink(header: Header, path: string): void {
    this.#maker.symlink(path, header);
    this.#size += header.linkname.length; // one character is one byte
  }

  /** The new name has owner, mode, times and attributes already: they belong to the file, whoever has named it before. */
  #link(header: Header, path: string): void {
    const target = cleanName(header.linkname);
    if (target === "") throw new TarError(`hard link ${quote(header.name)} to ${quote(header.linkname)}`);
    const whole = this.#prefix + target;
    const slash = whole.lastIndexOf("/");
    const directory = this.#beneath.directory(slash < 0 ? "" : whole.slice(0, slash));
    const real = `${directory === "" ? "" : `${directory}/`}${whole.slice(slash + 1)}`;
    if (real === path && this.#beneath.lstat(path) !== undefined) return;
    this.#beneath.place(path, () => this.#fs.linkSync(this.#beneath.at(real), this.#beneath.at(path)));
  }

  #whiteout(header: Header, parent: string, base: string): void {
    this.#maker.forget();
    if (base === OPAQUE) this.#opaque(this.#beneath.directory(parent));
    if (base.startsWith(META)) return; // aufs's own bookkeeping
    const hidden = base.slice(WHITEOUT.length);
    if (hidden === "" || hidden === "." || hidden === "..")
      throw new TarError(`invalid whiteout name ${quote(header.name)}`);
    const directory = this.#beneath.directory(parent);
    const path = directory === "" ? hidden : `${directory}/${hidden}`;
    const there = this.#beneath.lstat(path);
    if (this.#whiteouts === "apply") {
      if (there === undefined) return;
      if (there.isDirectory()) this.#sweep(path);
      else if (!this.#brought?.has(path)) this.#beneath.remove(path);
    } else if (there === undefined && this.#whiteouts === "aufs") {
      // aufs wants a plain file, whatever the archive says.
      this.#open({ ...header, type: "0" }, this.#beneath.mark(path));
      this.#isMark = true;
    } else if (there === undefined) {
      this.#fs.mknodSync(this.#beneath.at(path), S_IFCHR, 0, 0);
    } else if (there.isDirectory()) {
      this.#beneath.makeOpaque(path);
    }
  }

  /** Hides what the layers below have in a directory. */
  #opaque(directory: string): void {
    if (this.#whiteouts === "overlay") this.#beneath.makeOpaque(directory);
    else
      for (const name of this.#beneath.list(directory)) this.#sweep(directory === "" ? name : `${directory}/${name}`);
  }

  /** Removes what this archive did not bring. @returns whether something stays */
  #sweep(path: string): boolean {
    let stays = this.#brought?.has(path) ?? false;
    if (this.#beneath.lstat(path)?.isDirectory()) {
      for (const name of this.#beneath.list(path)) if (this.#sweep(`${path}/${name}`)) stays = true;
    }
    if (!stays) this.#beneath.remove(path);
    return stays;
  }
}
