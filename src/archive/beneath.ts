/**
 * Paths that stay below one directory, whatever is in it.
 *
 * A path here is relative to that directory, clean, and a byte string. A *real* path has no link in it. Nobody else
 * changes the tree meanwhile, so a directory that was looked at once needs no second look until something is removed.
 *
 * @module
 */

import { isErrno } from "../errdefs/errdefs.ts";
import type { SyncFs } from "../host/sync-fs.ts";
import { fromText, toPath } from "./byte-string.ts";
import { TarError } from "./tar/header.ts";

/** How many directories are remembered: an archive of nothing but directories must not fill the memory. */
const REMEMBERED = 100_000;
/** … and how many bytes of their names. */
const REMEMBERED_BYTES = 16 << 20;
/**
 * How long a path may be: as the kernel's limit, less what stands before it when it is seen from outside. A layer with
 * longer ones could be unpacked behind a chroot, but neither read nor removed afterwards.
 */
const MAX_PATH_BYTES = 3584;
/** As the kernel. */
const MAX_LINKS = 40;

/** So often is what is in the way removed. */
const MAX_TRIES = 100;

const OVERLAY_OPAQUE = "trusted.overlay.opaque";
/** Before the name of a deleted file, in archives and in layers of aufs. */
export const WHITEOUT = ".wh.";
/** In a directory that shows nothing of the layers below. */
export const OPAQUE = ".wh..wh..opq";
const O_CREATE = 0o1 /* O_WRONLY */ | 0o100 /* O_CREAT */ | 0o200 /* O_EXCL */ | 0o400000; /* O_NOFOLLOW */

/** How the tree itself says that something of the layers below is hidden; `undefined`: it does not. */
export type Marks = "overlay" | "aufs" | undefined;

/** What `lstat` tells of an entry. */
export interface Stats {
  readonly mode: number;
  readonly rdev: number;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isCharacterDevice(): boolean;
}

/**
 * The path an entry's name means, relative to the root, without `.`, `..` and slashes at the ends; "" is the root.
 *
 * @throws {TarError} for a name that climbs above the root
 */
export function cleanName(name: string): string {
  // Nearly all names are clean but for `./` before or `/` behind.
  const plain = name.startsWith("./") ? name.slice(2) : name;
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(plain)) return plain;
  const parts: string[] = [];
  for (const part of plain.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) throw new TarError(`${quote(name)} lies outside the archive`);
  }
  return parts.join("/");
}

/** A name from outside, as it may stand in a message. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}

function refuseLength(path: string): never {
  throw new TarError(`${quote(path)} is longer than ${MAX_PATH_BYTES} bytes`);
}

function markOf(path: string): string {
  const slash = path.lastIndexOf("/") + 1;
  return path.slice(0, slash) + WHITEOUT + path.slice(slash);
}

/** The tree below a directory. */
export class Beneath {
  readonly #fs: SyncFs;
  readonly #root: string;
  readonly #marks: Marks;
  /** Whether a mark of aufs may be somewhere. */
  #marked = false;
  /** Told before something else takes the place of what is at a path. */
  onReplace: ((path: string) => void) | undefined;
  /** Told before a directory is made. */
  onDirectory: (() => void) | undefined;
  /** Directories by their path: the real path. */
  readonly #real = new Map<string, string>();
  #realBytes = 0;

  /**
   * @param root - without a slash at the end; "" is `/`
   * @param marks - how deleted files are marked; with `aufs` the tree is empty at first
   */
  constructor(fs: SyncFs, root: string, marks: Marks) {
    this.#fs = fs;
    this.#root = fromText(root);
    this.#marks = marks;
  }

  /** A real path as the kernel takes it. */
  at(path: string): string | Buffer {
    if (path.length > MAX_PATH_BYTES) refuseLength(path);
    return toPath(path === "" ? this.#root || "/" : `${this.#root}/${path}`);
  }

  /** What is at a path whose directory is real; never follows a link. */
  lstat(path: string): Stats | undefined {
    return this.#fs.lstatSync(this.at(path), { throwIfNoEntry: false });
  }

  /** Names in a real directory. */
  list(path: string): string[] {
    return this.#fs.readdirSync(this.at(path), "latin1" as BufferEncoding);
  }

  /** Removes what is at a path whose directory is real, with all that is in it. */
  remove(path: string): void {
    this.#real.clear();
    this.#fs.rmSync(this.at(path), { recursive: true, force: true });
  }

  /** Makes something at a path whose directory is real; what was there before goes. */
  place<T>(path: string, make: () => T): T {
    // In a container others may put something there again and again.
    for (let tries = 1; ; tries++) {
      try {
        return make();
      } catch (cause) {
        if (!isErrno(cause, "EEXIST") || tries > MAX_TRIES) throw cause;
      }
      this.onReplace?.(path);
      this.remove(path);
    }
  }

  /** Makes a directory unless there is one. In the place of something else it does not show what is below that. */
  placeDirectory(path: string, mode: number): void {
    if (this.#real.get(path) === path) return;
    const there = this.lstat(path);
    if (there?.isDirectory() !== true) this.onDirectory?.();
    if (there === undefined) {
      this.#fs.mkdirSync(this.at(path), mode);
      if (this.uncover(path)) this.makeOpaque(path);
    } else if (!there.isDirectory()) {
      this.onReplace?.(path);
      this.remove(path);
      this.#fs.mkdirSync(this.at(path), mode);
      if (this.#marks !== undefined) this.makeOpaque(path);
    }
    this.#remember(path, path);
  }

  /** Hides what the layers below have in the directory. */
  makeOpaque(path: string): void {
    if (this.#marks === "overlay") {
      this.#fs.lsetxattrSync(this.at(path), OVERLAY_OPAQUE, Buffer.from("y"));
      return;
    }
    const mark = `${path}/${OPAQUE}`;
    this.place(mark, () => this.#fs.closeSync(this.#fs.openSync(this.at(mark), O_CREATE, 0o444)));
  }

  /** Where aufs marks that what the layers below have at a path is deleted; the mark is about to be made. */
  mark(path: string): string {
    this.#marked = true;
    return markOf(path);
  }

  /** Takes the mark of aufs from a path at which something new is made. @returns whether there was one */
  uncover(path: string): boolean {
    if (!this.#marked || this.lstat(markOf(path)) === undefined) return false;
    this.remove(markOf(path));
    return true;
  }

  /**
   * The real path of a directory. Missing ones are made; links are followed, but never out.
   *
   * @throws {TarError} when there is something on the way that is no directory, or a circle of links
   */
  directory(path: string): string {
    // Before the first thousand of its directories are made.
    if (path.length > MAX_PATH_BYTES) refuseLength(path);
    return this.#resolve(path, { left: MAX_LINKS });
  }

  /** Whether the path is, just now, a directory reached without links. */
  isReal(path: string): boolean {
    if (path === "" || this.#real.get(path) === path) return true;
    const slash = path.lastIndexOf("/");
    if (!this.isReal(slash < 0 ? "" : path.slice(0, slash))) return false;
    if (!this.lstat(path)?.isDirectory()) return false;
    this.#remember(path, path);
    return true;
  }

  #resolve(path: string, links: { left: number }): string {
    if (path === "") return "";
    const known = this.#real.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf("/");
    const above = this.#resolve(slash < 0 ? "" : path.slice(0, slash), links);
    const base = path.slice(slash + 1);
    const candidate = above === "" ? base : `${above}/${base}`;
    const real = this.#enter(candidate, above, links);
    this.#remember(path, real);
    return real;
  }

  #enter(candidate: string, above: string, links: { left: number }): string {
    const there = this.lstat(candidate);
    if (there?.isDirectory()) return candidate;
    if (there?.isSymbolicLink()) {
      if (links.left-- === 0) throw new TarError(`too many links at ${quote(candidate)}`);
      const text = this.#fs.readlinkSync(this.at(candidate), "latin1" as BufferEncoding);
      return this.#follow(text, above, links);
    }
    if (there !== undefined && !(this.#marks === "overlay" && there.isCharacterDevice() && there.rdev === 0))
      throw new TarError(`${quote(candidate)} is no directory`);
    this.placeDirectory(candidate, 0o755);
    return candidate;
  }

  /** Goes where a link points; `..` at the root stays there, as in a chroot. */
  #follow(text: string, from: string, links: { left: number }): string {
    let real = text.startsWith("/") ? "" : from;
    for (const part of text.split("/")) {
      if (part === "" || part === ".") continue;
      if (part === "..") real = real.slice(0, Math.max(0, real.lastIndexOf("/")));
      else real = this.#enter(real === "" ? part : `${real}/${part}`, real, links);
    }
    return real;
  }

  #remember(path: string, real: string): void {
    this.#realBytes += path.length;
    if (this.#real.size >= REMEMBERED || this.#realBytes > REMEMBERED_BYTES) {
      this.#real.clear();
      this.#realBytes = path.length;
    }
    this.#real.set(path, real);
  }
}
