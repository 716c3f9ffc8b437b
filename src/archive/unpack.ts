/**
 * Unpacks an archive that nobody can be trusted to have made well, into one directory and nowhere else.
 *
 * Two walls keep it inside: as root, the thread has made the directory its `/` (`chroot`), so a link that points
 * anywhere points inside; otherwise every component of a path is looked at before it is used, and none may be a link.
 * What no honest archive holds is refused, not mended: names that climb out, whiteouts of nothing, files that replace
 * the root.
 *
 * @origin archive/archive.go createTarFile, Unpack
 * @origin archive/diff.go ApplyLayer
 * @module
 */

import { isErrno } from "../errdefs/errdefs.ts";
import type { SyncFs } from "../host/linux/worker-port.ts";
import type { UnpackJob } from "../host/pool.ts";
import { fromText, toPath, toText } from "./byte-string.ts";
import { type Header, TarError } from "./tar/header.ts";
import type { TarHandler } from "./tar/parser.ts";

const WHITEOUT = ".wh.";
const META = ".wh..wh.";
const OPAQUE = ".wh..wh..opq";
/** Where aufs kept the contents of hard links; a layer made by it may refer to them. */
const LINKS = ".wh..wh.plnk";
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFIFO = 0o010000;
const OPEN = 0o1 /* O_WRONLY */ | 0o100 /* O_CREAT */ | 0o200 /* O_EXCL */ | 0o400000 /* O_NOFOLLOW */;

/** What the extractor needs to know. */
export interface UnpackOptions {
  /** Where the archive's `/` lies, without slash at the end; "" after a chroot. */
  readonly root: string;
  readonly whiteouts: UnpackJob["whiteouts"];
  /** `false`: owners and device nodes are left out. */
  readonly chown: boolean;
  /** `false`: no chroot keeps us in, so links on the way are refused. */
  readonly confined: boolean;
}

/** Takes entries from a {@link TarParser} and makes files of them. */
export class Unpacker implements TarHandler {
  readonly #fs: SyncFs;
  readonly #options: UnpackOptions;
  /** The root as a byte string. */
  readonly #root: string;
  /** Directories known to be real directories inside the root. */
  readonly #known = new Set<string>();
  /** Paths this archive made: a whiteout hides what was below, not what comes with it. */
  readonly #made = new Set<string>();
  readonly #dirTimes: [string, number][] = [];
  #current: { header: Header; path: string; fd: number } | undefined;
  #size = 0;
  #entries = 0;
  #hasLinks = false;

  /** @param fs - synchronous calls; after a chroot they all happen inside */
  constructor(fs: SyncFs, options: UnpackOptions) {
    this.#fs = fs;
    this.#options = options;
    this.#root = fromText(options.root);
    this.#known.add("");
  }

  /** Bytes in regular files so far. */
  get size(): number {
    return this.#size;
  }

  /** Entries so far. */
  get entries(): number {
    return this.#entries;
  }

  /** @see TarHandler */
  entry(header: Header): void {
    this.#entries++;
    this.#current = undefined;
    const path = cleanName(header.name);
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? "" : path.slice(0, slash);
    const base = path.slice(slash + 1);
    if (path === "") this.#entryOfRoot(header);
    else if (this.#options.whiteouts === "keep") this.#add(header, path, parent);
    else if (path === LINKS || path.startsWith(`${LINKS}/`)) {
      this.#hasLinks = true;
      this.#add(header, path, parent);
    } else if (base.startsWith(WHITEOUT)) this.#whiteout(header, parent, base);
    else if (!path.startsWith(META)) this.#add(header, path, parent);
  }

  /** @see TarHandler */
  data(chunk: Buffer, position: number): void {
    const current = this.#current;
    if (current === undefined) return;
    // Only a file with holes is written at positions: the others follow their descriptor.
    const at = current.header.sparse ? position : null;
    for (let done = 0; done < chunk.length; ) {
      done += this.#fs.writeSync(current.fd, chunk, done, chunk.length - done, at === null ? null : at + done);
    }
  }

  /** @see TarHandler */
  endEntry(): void {
    const current = this.#current;
    if (current === undefined) return;
    const { header, path, fd } = current;
    this.#current = undefined;
    this.#size += header.size;
    try {
      if (header.sparse) this.#fs.ftruncateSync(fd, header.size);
      if (this.#options.chown) this.#fs.fchownSync(fd, header.uid, header.gid);
      this.#fs.fchmodSync(fd, header.mode);
      this.#attributes(header, path);
      const time = timeOf(header);
      this.#fs.futimesSync(fd, time, time);
    } finally {
      this.#fs.closeSync(fd);
    }
  }

  /** Sets what must come last: times of directories. Call it once, after the archive's end. */
  finish(): void {
    if (this.#hasLinks) this.#fs.rmSync(this.#at(LINKS), { recursive: true, force: true });
    for (const [path, mtime] of this.#dirTimes.reverse()) {
      // The directory may have been replaced or hidden by a later entry: a link must not be followed now.
      const info = this.#lstat(path);
      if (info?.isDirectory()) this.#fs.utimesSync(this.#at(path), mtime, mtime);
    }
  }

  /** Closes what is open; the archive was broken off. */
  abandon(): void {
    if (this.#current !== undefined) this.#fs.closeSync(this.#current.fd);
    this.#current = undefined;
  }

  /** A path below the root as the kernel takes it. */
  #at(path: string): string | Buffer {
    return toPath(path === "" ? this.#root || "/" : `${this.#root}/${path}`);
  }

  #lstat(path: string) {
    return this.#fs.lstatSync(this.#at(path), { throwIfNoEntry: false });
  }

  #entryOfRoot(header: Header): void {
    if (header.type !== "5")
      throw new TarError(`invalid entry ${quote(header.name)}: the root can only be a directory`);
    if (this.#options.chown) this.#fs.chownSync(this.#at(""), header.uid, header.gid);
    this.#fs.chmodSync(this.#at(""), header.mode);
    this.#dirTimes.push(["", timeOf(header)]);
  }

  #add(header: Header, path: string, parent: string): void {
    this.#parents(parent);
    this.#make(header, path);
    this.#made.add(path);
  }

  #make(header: Header, path: string): void {
    const { chown } = this.#options;
    const at = this.#at(path);
    switch (header.type) {
      case "5":
        this.#directory(path, header);
        return;
      case "0":
        this.#current = { header, path, fd: this.#replacing(path, () => this.#fs.openSync(at, OPEN, 0o600)) };
        return;
      case "1": {
        const target = cleanName(header.linkname);
        if (target === "") throw new TarError(`invalid hard link ${quote(header.name)} to ${quote(header.linkname)}`);
        this.#check(target);
        this.#replacing(path, () => this.#fs.linkSync(this.#at(target), at));
        return; // the inode has its owner, mode and times already
      }
      case "2":
        this.#replacing(path, () => this.#fs.symlinkSync(toPath(header.linkname), at));
        if (chown) this.#fs.lchownSync(at, header.uid, header.gid);
        this.#fs.lutimesSync(at, timeOf(header), timeOf(header));
        return;
      default: {
        if (!chown && header.type !== "6") return; // a node needs root
        if (header.type === "3" && header.devMajor === 0 && header.devMinor === 0) {
          throw new TarError(`invalid device ${quote(header.name)}: 0:0 means a deleted file to overlay`);
        }
        const type = { "3": S_IFCHR, "4": S_IFBLK, "6": S_IFIFO }[header.type];
        this.#replacing(path, () => this.#fs.mknodSync(at, type | 0o600, header.devMajor, header.devMinor));
        if (chown) this.#fs.lchownSync(at, header.uid, header.gid);
        this.#fs.chmodSync(at, header.mode);
        this.#fs.utimesSync(at, timeOf(header), timeOf(header));
      }
    }
  }

  /** Creates; when something else is there, removes that and creates again. */
  #replacing<T>(path: string, create: () => T): T {
    try {
      return create();
    } catch (cause) {
      if (!isErrno(cause, "EEXIST")) throw cause;
    }
    this.#forget(path);
    this.#fs.rmSync(this.#at(path), { recursive: true, force: true });
    return create();
  }

  #directory(path: string, header: Header): void {
    const at = this.#at(path);
    const info = this.#known.has(path) ? undefined : this.#lstat(path);
    if (info !== undefined && !info.isDirectory()) {
      this.#forget(path);
      this.#fs.rmSync(at, { force: true });
      this.#fs.mkdirSync(at);
      this.#opaqueIfHidden(info, at);
    } else if (info === undefined && !this.#known.has(path)) {
      this.#fs.mkdirSync(at);
    }
    this.#known.add(path);
    if (this.#options.chown) this.#fs.lchownSync(at, header.uid, header.gid);
    this.#fs.chmodSync(at, header.mode);
    this.#attributes(header, path);
    this.#dirTimes.push([path, timeOf(header)]);
  }

  /** A directory in the place of a whiteout: what was below stays hidden. */
  #opaqueIfHidden(info: { isCharacterDevice(): boolean; rdev: number }, at: string | Buffer): void {
    if (this.#options.whiteouts === "overlay" && info.isCharacterDevice() && info.rdev === 0) {
      this.#fs.lsetxattrSync(at, "trusted.overlay.opaque", Buffer.from("y"));
    }
  }

  /** Makes sure that the directory and all above it are directories. */
  #parents(path: string): void {
    if (this.#known.has(path)) return;
    const slash = path.lastIndexOf("/");
    this.#parents(slash < 0 ? "" : path.slice(0, slash));
    const at = this.#at(path);
    const info = this.#lstat(path);
    if (info === undefined) {
      this.#fs.mkdirSync(at, { mode: 0o755 });
    } else if (info.isSymbolicLink()) {
      // In a chroot a link cannot lead out, and layers do go through them (`/lib` → `usr/lib`).
      if (!this.#options.confined)
        throw new TarError(`Cannot unpack through the link ${quote(path)}: unpacking without root follows none`);
      return; // not remembered: it may be replaced
    } else if (!info.isDirectory()) {
      this.#fs.rmSync(at, { force: true });
      this.#fs.mkdirSync(at, { mode: 0o755 });
      this.#opaqueIfHidden(info, at);
    }
    this.#known.add(path);
  }

  /** Without a chroot: no component of the path above the last may be a link. */
  #check(path: string): void {
    if (this.#options.confined) return;
    const parts = path.split("/");
    for (let i = 1; i < parts.length; i++) {
      const above = parts.slice(0, i).join("/");
      if (this.#known.has(above)) continue;
      if (this.#lstat(above)?.isSymbolicLink())
        throw new TarError(`Cannot unpack through the link ${quote(above)}: unpacking without root follows none`);
    }
  }

  /** What is removed is no longer a known directory, nor anything below it. */
  #forget(path: string): void {
    if (!this.#known.has(path)) return;
    for (const known of this.#known) if (known === path || known.startsWith(`${path}/`)) this.#known.delete(known);
  }

  #attributes(header: Header, path: string): void {
    for (const [name, value] of header.xattrs ?? []) {
      // trusted.overlay.* would let a layer forge the driver's own marks; other names belong to the machine.
      const wanted = name.startsWith("user.") || (name === "security.capability" && this.#options.chown);
      if (wanted) this.#fs.lsetxattrSync(this.#at(path), name, value);
    }
  }

  #whiteout(header: Header, parent: string, base: string): void {
    if (base === OPAQUE) {
      this.#opaque(parent);
      return;
    }
    if (base.startsWith(META)) return; // aufs's own bookkeeping
    const hidden = base.slice(WHITEOUT.length);
    if (hidden === "" || hidden === "." || hidden === "..")
      throw new TarError(`invalid whiteout ${quote(header.name)}`);
    const path = parent === "" ? hidden : `${parent}/${hidden}`;
    if (this.#made.has(path)) return;
    if (this.#options.whiteouts === "apply") {
      this.#check(path);
      this.#forget(path);
      this.#fs.rmSync(this.#at(path), { recursive: true, force: true });
      return;
    }
    this.#parents(parent);
    if (this.#known.has(path)) return; // a directory with new content: it was hidden and made anew
    this.#replacing(path, () => this.#fs.mknodSync(this.#at(path), S_IFCHR, 0, 0));
  }

  #opaque(parent: string): void {
    this.#parents(parent);
    if (this.#options.whiteouts === "overlay") {
      this.#fs.lsetxattrSync(this.#at(parent), "trusted.overlay.opaque", Buffer.from("y"));
      return;
    }
    this.#empty(parent);
  }

  /** Removes everything below a directory that this archive did not bring. */
  #empty(dir: string): void {
    for (const name of this.#fs.readdirSync(this.#at(dir), "latin1")) {
      const path = dir === "" ? name : `${dir}/${name}`;
      if (this.#made.has(path)) {
        if (this.#lstat(path)?.isDirectory()) this.#empty(path);
        continue;
      }
      const brings = [...this.#made].some((made) => made.startsWith(`${path}/`));
      if (brings) this.#empty(path);
      else {
        this.#forget(path);
        this.#fs.rmSync(this.#at(path), { recursive: true, force: true });
      }
    }
  }
}

/**
 * The path an entry's name means, relative to the root, without `.`, `..` and slashes at the ends.
 *
 * @throws {TarError} for a name that climbs above the root
 */
export function cleanName(name: string): string {
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (parts.pop() === undefined) throw new TarError(`invalid entry ${quote(name)}: it lies outside the archive`);
    } else parts.push(part);
  }
  return parts.join("/");
}

/** Seconds with fraction, as Node's calls take them. */
function timeOf(header: Header): number {
  return header.mtime + header.mtimeNs / 1e9;
}

function quote(bytes: string): string {
  const name = toText(bytes);
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}
