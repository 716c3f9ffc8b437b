/**
 * Names of files on a machine with mounts: each path is followed through the mount table, then the volume is asked.
 *
 * Who calls is root; a file's mode keeps nobody out.
 *
 * @module
 */

import type { Volume } from "memfs";
import { type ErrorCode, failure } from "./errno.ts";
import type { MountTable, Place } from "./mounts.ts";
import { DirectoryEntry, type FileTime, milliseconds, type PathLike, recode, text } from "./node-values.ts";
import { type Info, lstat, setTimes } from "./tree.ts";

/** What a call may be told. */
export interface Options {
  readonly recursive?: boolean;
  readonly force?: boolean;
  readonly mode?: number | string;
  readonly withFileTypes?: boolean;
  readonly encoding?: BufferEncoding | "buffer" | null;
  readonly flag?: string | number;
  readonly bigint?: boolean;
  readonly throwIfNoEntry?: boolean;
}

export type OptionsOrEncoding = Options | BufferEncoding | "buffer" | null;

export const optionsOf = (given: OptionsOrEncoding | undefined): Options =>
  typeof given === "object" ? (given ?? {}) : given === undefined ? {} : { encoding: given };

export const modeOf = (mode: number | string | undefined, byDefault: number): number =>
  typeof mode === "string" ? Number.parseInt(mode, 8) : (mode ?? byDefault);

/** Synchronous calls on names and what is known of files, named and behaving as Node's. */
export class MountedTree {
  protected readonly volume: Volume;
  readonly #table: MountTable;
  protected readonly now: () => number;
  protected readonly umask: () => number;
  #temporary = 0;

  constructor(volume: Volume, table: MountTable, now: () => number, umask: () => number) {
    this.volume = volume;
    this.#table = table;
    this.now = now;
    this.umask = umask;
  }

  /** Whether the volume alone gives the right answer for a path. */
  isPlain(path: PathLike): boolean {
    if (!this.#table.changesView) return true;
    try {
      const place = this.#table.walk(text(path), { follow: true, syscall: "open" });
      return place.plain && !this.#table.hasBelow(place.path);
    } catch {
      // Nothing is found: let it be said with the words of the mounts.
      return false;
    }
  }

  lstatSync(path: PathLike, options?: Options): Info | undefined {
    return this.#stat(path, "lstat", options);
  }

  statSync(path: PathLike, options?: Options): Info | undefined {
    return this.#stat(path, "stat", options);
  }

  accessSync(path: PathLike, mode = 0): void {
    const { mount } = this.there(path, "access");
    if ((mode & 2) !== 0 && mount.readOnly) throw failure("EROFS", "access", text(path));
  }

  realpathSync(path: PathLike): string {
    return this.there(path, "realpath").path;
  }

  readlinkSync(path: PathLike, options?: OptionsOrEncoding): string | Buffer {
    const { real } = this.there(path, "readlink", false);
    if (!lstat(this.volume, real)?.isSymbolicLink()) throw failure("EINVAL", "readlink", text(path));
    return recode(this.volume.readlinkSync(real) as string, optionsOf(options).encoding);
  }

  readdirSync(path: PathLike, options?: OptionsOrEncoding): (string | Buffer | DirectoryEntry)[] {
    const { withFileTypes, encoding } = optionsOf(options);
    const place = this.there(path, "scandir");
    if (!this.isDirectory(place)) throw failure("ENOTDIR", "scandir", text(path));
    return place.tree.list(place.inner).map((name) => {
      const coded = recode(name, encoding);
      if (!withFileTypes) return coded;
      return new DirectoryEntry(coded, text(path), this.lstatSync(`${place.path}/${name}`)?.mode ?? 0);
    });
  }

  mkdirSync(path: PathLike, options?: Options | number | string): string | undefined {
    const { recursive, mode } = typeof options === "object" ? options : { mode: options };
    const bits = modeOf(mode, 0o777) & ~this.umask();
    if (!recursive) {
      this.make(this.free(path, "mkdir"), "directory", (real) => void this.volume.mkdirSync(real, { mode: bits }));
      return undefined;
    }
    let first: string | undefined;
    let at = "";
    for (const part of text(path).split("/").filter(Boolean)) {
      at += `/${part}`;
      const place = this.place(at, "mkdir");
      if (place.real !== undefined) {
        if (!this.isDirectory(place)) throw failure("EEXIST", "mkdir", text(path));
        continue;
      }
      first ??= at;
      this.make(place, "directory", (real) => void this.volume.mkdirSync(real, { mode: bits }));
    }
    return first;
  }

  mkdtempSync(prefix: string): string {
    for (;;) {
      const path = prefix + (this.#temporary++).toString(36).padStart(6, "0");
      if (this.place(path, "mkdtemp").real !== undefined) continue;
      this.mkdirSync(path, { mode: 0o700 });
      return path;
    }
  }

  symlinkSync(target: PathLike, path: PathLike): void {
    this.make(this.free(path, "symlink"), "file", (real) => this.volume.symlinkSync(text(target), real));
  }

  /** Makes a file in a way of its own. */
  create(path: PathLike, make: (real: string) => void): void {
    this.make(this.free(path, "mknod"), "file", make);
  }

  linkSync(existing: PathLike, path: PathLike): void {
    const from = this.there(existing, "link", false);
    const to = this.free(path, "link");
    this.#together("link", from, to);
    if (this.isDirectory(from)) throw failure("EPERM", "link", text(existing), text(path));
    const source = from.tree.change(from.inner);
    to.tree.create(to.inner, (real) => this.volume.linkSync(source, real), "file");
  }

  renameSync(oldPath: PathLike, newPath: PathLike): void {
    const from = this.place(text(oldPath), "rename", false);
    const to = this.place(text(newPath), "rename", false);
    const fail = (code: ErrorCode) => failure(code, "rename", text(oldPath), text(newPath));
    if (from.inner === "" || (to.inner === "" && to.path !== "/")) throw fail("EBUSY");
    this.#together("rename", from, to);
    if (from.real === undefined) throw fail("ENOENT");
    if (from.path === to.path) return;
    const isDirectory = this.isDirectory(from);
    if (isDirectory && to.path.startsWith(`${from.path}/`)) throw fail("EINVAL");
    if (from.path.startsWith(`${to.path}/`)) throw fail("ENOTEMPTY");
    if (to.real !== undefined) {
      const replaced = this.isDirectory(to);
      if (isDirectory && !replaced) throw fail("ENOTDIR");
      if (replaced && !isDirectory) throw fail("EISDIR");
      if (replaced && to.tree.list(to.inner).length > 0) throw fail("ENOTEMPTY");
      if (lstat(this.volume, to.real)?.ino === lstat(this.volume, from.real)?.ino && !isDirectory) return;
    }
    from.tree.rename(from.inner, to.inner);
  }

  unlinkSync(path: PathLike): void {
    const place = this.there(path, "unlink", false);
    this.writable(place, "unlink");
    if (this.isDirectory(place)) throw failure("EISDIR", "unlink", text(path));
    place.tree.remove(place.inner);
  }

  rmdirSync(path: PathLike): void {
    const place = this.there(path, "rmdir", false);
    this.writable(place, "rmdir");
    if (place.inner === "") throw failure("EBUSY", "rmdir", text(path));
    if (!this.isDirectory(place)) throw failure("ENOTDIR", "rmdir", text(path));
    if (place.tree.list(place.inner).length > 0) throw failure("ENOTEMPTY", "rmdir", text(path));
    place.tree.remove(place.inner);
  }

  rmSync(path: PathLike, options: Options = {}): void {
    let place: Place;
    try {
      place = this.there(path, "lstat", false);
    } catch (cause) {
      if (options.force && (cause as { code?: string }).code === "ENOENT") return;
      throw cause;
    }
    if (!this.isDirectory(place)) {
      this.unlinkSync(place.path);
      return;
    }
    if (!options.recursive) throw failure("EISDIR", "rm", text(path));
    for (const name of place.tree.list(place.inner)) this.rmSync(`${place.path}/${name}`, options);
    this.rmdirSync(place.path);
  }

  chmodSync(path: PathLike, mode: number | string): void {
    this.#change(this.there(path, "chmod"), "chmod", (real) => this.volume.chmodSync(real, modeOf(mode, 0)));
  }

  chownSync(path: PathLike, uid: number, gid: number): void {
    this.#change(this.there(path, "chown"), "chown", (real) => this.volume.lchownSync(real, uid, gid));
  }

  lchownSync(path: PathLike, uid: number, gid: number): void {
    this.#change(this.there(path, "lchown", false), "lchown", (real) => this.volume.lchownSync(real, uid, gid));
  }

  utimesSync(path: PathLike, atime: FileTime, mtime: FileTime): void {
    this.#setTimes(this.there(path, "utime"), atime, mtime);
  }

  lutimesSync(path: PathLike, atime: FileTime, mtime: FileTime): void {
    this.#setTimes(this.there(path, "lutime", false), atime, mtime);
  }

  statfsSync(path: PathLike, options?: Options): unknown {
    const { tree, real } = this.there(path, "statfs");
    const told = this.volume.statfsSync(real, options as never) as unknown as Record<string, unknown>;
    if (tree.fstype === "aufs") told["type"] = options?.bigint ? 0x61756673n : 0x61756673;
    return told;
  }

  protected place(path: string, syscall: string, follow = true): Place {
    return this.#table.walk(path, { follow, syscall });
  }

  /** Something that is there. */
  protected there(path: PathLike, syscall: string, follow = true): Place & { readonly real: string } {
    const place = this.place(text(path), syscall, follow);
    if (place.real === undefined) throw failure("ENOENT", syscall, text(path));
    return place as Place & { real: string };
  }

  /** A place where nothing is. */
  protected free(path: PathLike, syscall: string): Place {
    const place = this.place(text(path), syscall, false);
    if (place.real !== undefined) throw failure("EEXIST", syscall, text(path));
    return place;
  }

  protected isDirectory({ real }: Place): boolean {
    return real !== undefined && (lstat(this.volume, real)?.isDirectory() ?? false);
  }

  protected writable({ mount, path }: Place, syscall: string): void {
    if (mount.readOnly) throw failure("EROFS", syscall, path);
  }

  /** A link or a move does not leave its mount. */
  #together(syscall: string, from: Place, to: Place): void {
    if (from.mount !== to.mount) throw failure("EXDEV", syscall, from.path, to.path);
    this.writable(to, syscall);
  }

  protected make(place: Place, kind: "file" | "directory", make: (real: string) => void): void {
    this.writable(place, kind === "directory" ? "mkdir" : "open");
    place.tree.create(
      place.inner,
      (real) => {
        make(real);
        setTimes(this.volume, real, this.now(), this.now());
      },
      kind,
    );
  }

  /** Changes what is no content: the volume would count it as a change of that. */
  #change(place: Place, syscall: string, change: (real: string) => void): void {
    this.writable(place, syscall);
    const real = place.tree.change(place.inner);
    const before = lstat(this.volume, real);
    change(real);
    if (before !== undefined) setTimes(this.volume, real, before.atimeMs, before.mtimeMs);
  }

  #setTimes(place: Place, atime: FileTime, mtime: FileTime): void {
    this.writable(place, "utime");
    setTimes(this.volume, place.tree.change(place.inner), milliseconds(atime), milliseconds(mtime));
  }

  #stat(path: PathLike, syscall: "stat" | "lstat", options?: Options): Info | undefined {
    const { real, tree } = this.place(text(path), syscall, syscall === "stat");
    if (real === undefined) {
      if (options?.throwIfNoEntry === false) return undefined;
      throw failure("ENOENT", syscall, text(path));
    }
    const info = this.volume.lstatSync(real, options as never) as Info;
    if (tree.dev !== undefined) info.dev = (options?.bigint ? BigInt(tree.dev) : tree.dev) as number;
    return info;
  }
}
