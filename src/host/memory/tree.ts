/**
 * What is mounted somewhere: a tree of files, each of which lies at a real path of the volume.
 *
 * @module
 */

import type { Volume } from "memfs";
import { inodeOf } from "./volume.ts";

/**
 * A tree. Paths in it are relative to its root, clean, without links on the way; "" is the root. Whoever calls has
 * checked that what is asked for can be done: that the parent is a directory, that a name is free, that a directory is
 * empty.
 */
export interface Tree {
  /** Device number; `undefined`: the volume's own. */
  readonly dev: number | undefined;
  /** As mount tables name it. */
  readonly fstype: string;
  /** The real path of what is shown at a path; `undefined` when nothing is. */
  find(path: string): string | undefined;
  /** Names in a directory, sorted. */
  list(path: string): string[];
  /** The real path at which a file that is there may be changed. */
  change(path: string): string;
  /** Makes something new; `make` is given its real path. @throws `EPERM` for names the tree keeps to itself */
  create(path: string, make: (real: string) => void, kind: "file" | "directory"): void;
  /** Removes a file, a link or an empty directory. */
  remove(path: string): void;
  /** Moves something to a place where nothing is, or something that may be replaced. @throws `EXDEV` */
  rename(from: string, to: string): void;
}

/** What the volume tells of a file. */
export interface Info {
  dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly rdev: number;
  readonly uid: number;
  readonly gid: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  isDirectory(): boolean;
  isFile(): boolean;
  isSymbolicLink(): boolean;
}

/** A path in a directory. */
export const below = (directory: string, name: string): string => (directory === "" ? name : `${directory}/${name}`);

/** The directory of a path, and the last part of it. */
export function split(path: string): [directory: string, name: string] {
  const slash = path.lastIndexOf("/");
  return [slash < 0 ? "" : path.slice(0, slash), path.slice(slash + 1)];
}

/** What a real path is, a link for itself. */
export function lstat(volume: Volume, real: string): Info | undefined {
  // memfs would make an error, with its stack, to throw it away.
  if (inodeOf(volume, real) === undefined) return undefined;
  return volume.lstatSync(real, { throwIfNoEntry: false }) as Info | undefined;
}

/** Deletes what is at a real path, links for themselves. */
export function removeAll(volume: Volume, real: string): void {
  if (lstat(volume, real)?.isDirectory()) volume.rmSync(real, { recursive: true });
  else volume.unlinkSync(real);
}

/** Moves what is at a real path to one where nothing is: a link for itself, which the volume would follow. */
export function move(volume: Volume, from: string, to: string): void {
  if (lstat(volume, from)?.isSymbolicLink()) {
    volume.linkSync(from, to);
    volume.unlinkSync(from);
  } else volume.renameSync(from, to);
}

/** Gives a file times in milliseconds; a link for itself. */
export function setTimes(volume: Volume, real: string, atimeMs: number, mtimeMs: number): void {
  volume.lutimesSync(real, atimeMs / 1000, mtimeMs / 1000);
}

/** A directory of the volume, or all of it, as it is: bind mounts. */
export class PlainTree implements Tree {
  readonly dev = undefined;
  readonly fstype = "memfs";
  readonly #volume: Volume;
  readonly #root: string;

  /** @param root - real path without a slash at the end; "" is everything */
  constructor(volume: Volume, root: string) {
    this.#volume = volume;
    this.#root = root;
  }

  find(path: string): string | undefined {
    const real = this.#real(path);
    return lstat(this.#volume, real) === undefined ? undefined : real;
  }

  list(path: string): string[] {
    return this.#volume.readdirSync(this.#real(path)) as string[];
  }

  change(path: string): string {
    return this.#real(path);
  }

  create(path: string, make: (real: string) => void): void {
    make(this.#real(path));
  }

  remove(path: string): void {
    removeAll(this.#volume, this.#real(path));
  }

  rename(from: string, to: string): void {
    if (this.find(to) !== undefined) this.remove(to);
    move(this.#volume, this.#real(from), this.#real(to));
  }

  #real(path: string): string {
    return path === "" ? this.#root || "/" : `${this.#root}/${path}`;
  }
}

/** A directory of another tree: bind mounts of something in a union. */
export class SubTree implements Tree {
  readonly dev: number | undefined;
  readonly fstype: string;
  readonly #tree: Tree;
  readonly #root: string;

  /** @param root - path in the tree, not "" */
  constructor(tree: Tree, root: string) {
    this.dev = tree.dev;
    this.fstype = tree.fstype;
    this.#tree = tree;
    this.#root = root;
  }

  find(path: string): string | undefined {
    return this.#tree.find(this.#at(path));
  }

  list(path: string): string[] {
    return this.#tree.list(this.#at(path));
  }

  change(path: string): string {
    return this.#tree.change(this.#at(path));
  }

  create(path: string, make: (real: string) => void, kind: "file" | "directory"): void {
    this.#tree.create(this.#at(path), make, kind);
  }

  remove(path: string): void {
    this.#tree.remove(this.#at(path));
  }

  rename(from: string, to: string): void {
    this.#tree.rename(this.#at(from), this.#at(to));
  }

  #at(path: string): string {
    return path === "" ? this.#root : `${this.#root}/${path}`;
  }
}
