/**
 * Directories laid over each other, as aufs does it.
 *
 * ```text
 * .wh.<name>     in a branch: hides <name> of this branch and of those below
 * .wh..wh..opq   in a directory of a branch: hides what the branches below have in it
 * .wh..wh.aufs   at the root of the writable branch: the file of which whiteouts are hard links
 * ```
 *
 * Invariant: branches that are not writable are never written to. What is changed is copied up first, with all the
 * directories on the way; what is deleted but still there below gets a whiteout.
 *
 * @module
 */

import type { Volume } from "memfs";
import { failure } from "./errno.ts";
import { below, lstat, move, removeAll, setTimes, split, type Tree } from "./tree.ts";
import { inodeOf } from "./volume.ts";

/** Before the name of what is hidden. */
const WHITEOUT = ".wh.";
/** In a directory that shows nothing of the branches below. */
const OPAQUE = ".wh..wh..opq";
/** What every whiteout is a hard link of. */
const BASE = ".wh..wh.aufs";
/** Where aufs keeps files that are deleted but open, and second names of files it copied up. */
const OWN_DIRECTORIES = [".wh..wh.orph", ".wh..wh.plnk"];

/** As many as a kernel is usually built for (CONFIG_AUFS_BRANCH_MAX_127). */
const MAX_BRANCHES = 127;

/** One of the directories. */
export interface Branch {
  /** Real path. */
  readonly path: string;
  readonly writable: boolean;
  /** Whether whiteouts in it mean anything: always where it is writable. */
  readonly whiteouts: boolean;
}

/** Where something is found: the topmost branch, and for directories all that take part, topmost first. */
interface Found {
  readonly branch: number;
  readonly directories: readonly number[];
}

/** Parses `<path>=<permissions>` of a mount's data; the first branch is writable unless it says otherwise. */
export function parseBranch(text: string, first: boolean): Branch {
  const equals = text.lastIndexOf("=");
  const path = equals < 0 ? text : text.slice(0, equals);
  const permissions = equals < 0 ? (first ? "rw" : "ro") : text.slice(equals + 1);
  const match = /^(rw|ro|rr)(\+wh)?(\+nolwh)?$/.exec(permissions);
  if (match === null || !path.startsWith("/")) throw failure("EINVAL", "mount");
  const writable = match[1] === "rw";
  return { path, writable, whiteouts: writable || match[2] !== undefined };
}

/** The view of them. */
export class Union implements Tree {
  readonly dev: number;
  readonly fstype = "aufs";
  readonly #volume: Volume;
  readonly #branches: Branch[] = [];
  readonly #now: () => number;

  /** @param now - milliseconds since 1970, for the times of what is made */
  constructor(volume: Volume, branches: readonly Branch[], dev: number, now: () => number) {
    this.#volume = volume;
    this.dev = dev;
    this.#now = now;
    for (const branch of branches) this.append(branch);
  }

  get branches(): readonly Branch[] {
    return this.#branches;
  }

  /**
   * Adds a branch at the bottom.
   *
   * @throws `ENOENT` when it is no directory, `EINVAL` when it lies in another branch, holds one, or is one too many
   */
  append(branch: Branch): void {
    if (!lstat(this.#volume, branch.path)?.isDirectory()) throw failure("ENOENT", "mount", branch.path);
    const inside = (a: string, b: string) => `${a}/`.startsWith(`${b.replace(/\/$/, "")}/`);
    const overlaps = this.#branches.some(({ path }) => inside(path, branch.path) || inside(branch.path, path));
    if (overlaps || this.#branches.length === MAX_BRANCHES) throw failure("EINVAL", "mount", branch.path);
    this.#branches.push(branch);
    if (!branch.writable) return;
    const base = below(branch.path, BASE);
    if (lstat(this.#volume, base) === undefined) {
      this.#volume.writeFileSync(base, "");
      this.#volume.chmodSync(base, 0o444);
      this.#stamp(base);
    }
    for (const name of OWN_DIRECTORIES) {
      const own = below(branch.path, name);
      if (lstat(this.#volume, own) !== undefined) continue;
      this.#volume.mkdirSync(own, { mode: 0o700 });
      this.#stamp(own);
    }
    this.#stamp(branch.path);
  }

  /** Which branch shows what is at a path; for those who want to look behind the view. */
  branchOf(path: string): Branch | undefined {
    const found = this.#locate(path);
    return found && this.#branches[found.branch];
  }

  find(path: string): string | undefined {
    const found = this.#locate(path);
    return found && this.#real(found.branch, path);
  }

  list(path: string): string[] {
    const shown = new Set<string>();
    const hidden = new Set<string>();
    for (const at of this.#locate(path)?.directories ?? []) {
      const names = this.#volume.readdirSync(this.#real(at, path)) as string[];
      if (this.#branches[at]?.whiteouts) {
        for (const name of names) if (name.startsWith(WHITEOUT)) hidden.add(name.slice(WHITEOUT.length));
      }
      for (const name of names) if (!name.startsWith(WHITEOUT) && !hidden.has(name)) shown.add(name);
      for (const name of shown) hidden.add(name);
    }
    return [...shown].sort();
  }

  change(path: string): string {
    const top = this.#top();
    const found = this.#locate(path);
    if (found === undefined) throw failure("ENOENT", "open", path);
    if (found.branch !== top) this.#copyUp(path, found.branch, top);
    return this.#real(top, path);
  }

  create(path: string, make: (real: string) => void, kind: "file" | "directory"): void {
    const [directory, name] = split(path);
    if (name.startsWith(WHITEOUT)) throw failure("EPERM", "open", path);
    const parent = this.change(directory);
    const whited = this.#uncover(path);
    const real = below(parent, name);
    if (whited && lstat(this.#volume, real) !== undefined) removeAll(this.#volume, real); // hidden by its own branch
    make(real);
    if (kind === "directory") {
      if (whited) this.#whiteBase(below(path, OPAQUE));
      this.#stamp(real);
    }
    this.#stamp(parent);
  }

  remove(path: string): void {
    const covers = this.#isBelow(path);
    const parent = this.change(split(path)[0]);
    const real = this.#real(this.#top(), path);
    if (lstat(this.#volume, real) !== undefined) removeAll(this.#volume, real);
    if (covers) this.#cover(path);
    this.#stamp(parent);
  }

  rename(from: string, to: string): void {
    const top = this.#top();
    const found = this.#locate(from);
    if (found === undefined) throw failure("ENOENT", "rename", from, to);
    // What is in it would have to be copied up; whoever renames copies it himself, as between file systems.
    if (found.directories.some((at) => at !== top)) throw failure("EXDEV", "rename", from, to);
    if (split(to)[1].startsWith(WHITEOUT)) throw failure("EPERM", "rename", from, to);
    const [leavesHole, covers] = [this.#isBelow(from), this.#isBelow(to)];
    const source = this.change(from);
    const parent = this.change(split(to)[0]);
    const whited = this.#uncover(to);
    const real = this.#real(top, to);
    if (lstat(this.#volume, real) !== undefined) removeAll(this.#volume, real);
    move(this.#volume, source, real);
    if (found.directories.length > 0 && (whited || covers)) this.#whiteBase(below(to, OPAQUE));
    if (leavesHole) this.#cover(from);
    this.#stamp(parent);
    this.#stamp(this.change(split(from)[0]));
  }

  #real(branch: number, path: string): string {
    const root = this.#branches[branch]?.path ?? "";
    return path === "" ? root : `${root}/${path}`;
  }

  /** The branch that takes what is written. */
  #top(): number {
    const at = this.#branches.findIndex(({ writable }) => writable);
    if (at < 0) throw failure("EROFS", "open");
    return at;
  }

  #locate(path: string): Found | undefined {
    if (path === "") return { branch: 0, directories: this.#branches.map((_, at) => at) };
    const [directory, name] = split(path);
    if (name.startsWith(WHITEOUT)) return undefined;
    const parent = this.#locate(directory);
    return parent && this.#lookup(parent.directories, directory, name);
  }

  /** Looks for a name in some branches of a directory, as far down as nothing hides it. */
  #lookup(among: readonly number[], directory: string, name: string): Found | undefined {
    const directories: number[] = [];
    for (const at of among) {
      const branch = this.#branches[at];
      const base = this.#real(at, directory);
      if (branch?.whiteouts && lstat(this.#volume, below(base, WHITEOUT + name)) !== undefined) break;
      const info = lstat(this.#volume, below(base, name));
      if (info === undefined) continue;
      if (!info.isDirectory()) {
        if (directories.length === 0) return { branch: at, directories };
        break;
      }
      directories.push(at);
      if (branch?.whiteouts && lstat(this.#volume, `${base}/${name}/${OPAQUE}`) !== undefined) break;
    }
    return directories[0] === undefined ? undefined : { branch: directories[0], directories };
  }

  /** Whether a path would still show something if the writable branch had nothing there. */
  #isBelow(path: string): boolean {
    const [directory, name] = split(path);
    const among = this.#locate(directory)?.directories.filter((at) => at !== this.#top()) ?? [];
    return this.#lookup(among, directory, name) !== undefined;
  }

  #copyUp(path: string, from: number, to: number): void {
    const volume = this.#volume;
    const [directory] = split(path);
    const parent = this.change(directory);
    const before = lstat(volume, parent);
    const [source, target] = [this.#real(from, path), this.#real(to, path)];
    const info = lstat(volume, source);
    if (info === undefined) throw failure("ENOENT", "open", path);
    if (info.isDirectory()) volume.mkdirSync(target);
    else if (info.isSymbolicLink()) volume.symlinkSync(volume.readlinkSync(source) as string, target);
    else volume.writeFileSync(target, info.isFile() ? volume.readFileSync(source) : "");
    const special = info.isDirectory() || info.isFile() || info.isSymbolicLink() ? undefined : inodeOf(volume, target);
    if (special !== undefined) Object.assign(special, { mode: info.mode, rdev: info.rdev });
    volume.lchownSync(target, info.uid, info.gid);
    if (!info.isSymbolicLink()) volume.chmodSync(target, info.mode & 0o7777);
    setTimes(volume, target, info.atimeMs, info.mtimeMs);
    // Nobody has changed the directory as far as the view goes.
    if (before !== undefined) setTimes(volume, parent, before.atimeMs, before.mtimeMs);
  }

  /** Puts a whiteout where something below is to be seen no more. */
  #cover(path: string): void {
    const [directory, name] = split(path);
    this.#whiteBase(below(directory, WHITEOUT + name));
  }

  /** Takes a whiteout away. @returns whether there was one */
  #uncover(path: string): boolean {
    const [directory, name] = split(path);
    const whiteout = this.#real(this.#top(), below(directory, WHITEOUT + name));
    if (lstat(this.#volume, whiteout) === undefined) return false;
    this.#volume.unlinkSync(whiteout);
    return true;
  }

  #whiteBase(path: string): void {
    const top = this.#top();
    const real = this.#real(top, path);
    if (lstat(this.#volume, real) === undefined) this.#volume.linkSync(this.#real(top, BASE), real);
  }

  /** Has been changed now. */
  #stamp(real: string): void {
    setTimes(this.#volume, real, this.#now(), this.#now());
  }
}
