/**
 * The mount table of the machine in memory, and what a path leads to through it.
 *
 * Unions of aufs and bind mounts change what is seen; every other mount is remembered and shows what was there before.
 * A path that crosses no such mount belongs to the volume alone.
 *
 * @module
 */

import type { Volume } from "memfs";
import type { MountFlag, MountInfo } from "../kernel.ts";
import { type ErrorCode, failure } from "./errno.ts";
import { lstat, PlainTree, SubTree, split, type Tree } from "./tree.ts";
import { parseBranch, Union } from "./union.ts";

/** mount(2) copies one page of options, and ends it with a zero. */
const MAX_DATA = 4095;
const MAX_LINKS = 40;
/** Device numbers of file systems without a device begin here. */
const FIRST_DEVICE = 0x20;

/** A mount that is there. */
export interface Mount {
  info: MountInfo;
  /** `undefined`: shows what was there before. */
  tree: Tree | undefined;
  readOnly: boolean;
  /** Open files in it. */
  users: number;
}

/** Where a path leads. */
export interface Place {
  readonly mount: Mount;
  readonly tree: Tree;
  /** In the tree. */
  readonly inner: string;
  /** Absolute, without links. */
  readonly path: string;
  /** On the volume; `undefined` when nothing is there (but the directory is). */
  readonly real: string | undefined;
  /** Whether the volume alone would have led to the same. */
  readonly plain: boolean;
}

/** How far to go along a path. */
export interface WalkOptions {
  /** Whether a link at the very end is followed. */
  readonly follow: boolean;
  /** For the message. */
  readonly syscall: string;
}

/** The table. */
export class MountTable {
  readonly #volume: Volume | undefined;
  readonly #now: () => number;
  readonly #mounts: Mount[];
  #nextId = 2;
  #nextDevice = FIRST_DEVICE;

  /** @param volume - where the files are; without it mounts are only remembered */
  constructor(volume?: Volume, now: () => number = Date.now) {
    this.#volume = volume;
    this.#now = now;
    const root = { id: 1, parent: 0, root: "/", mountpoint: "/", fstype: "memfs", source: "memfs" };
    const tree = volume && new PlainTree(volume, "");
    this.#mounts = [{ info: { ...root, options: "rw", superOptions: "rw" }, tree, readOnly: false, users: 0 }];
  }

  /** Whether any path is seen through something else than the volume. */
  get changesView(): boolean {
    return this.#mounts.length > 1 && this.#mounts.some(({ tree, info }) => tree !== undefined && info.id !== 1);
  }

  list(): MountInfo[] {
    return this.#mounts.map(({ info }) => info);
  }

  /** @throws `ENOENT`, `EINVAL` */
  mount(source: string, target: string, fstype: string, flags: readonly MountFlag[], data = ""): void {
    const access = flags.includes("ro") ? "ro" : "rw";
    const limits = flags.filter((flag) => flag === "nosuid" || flag === "nodev" || flag === "noexec");
    const options = [access, ...limits].join(",");
    const path = this.#resolve(target, true);
    if (flags.includes("remount")) {
      this.#remount(path, options, data.slice(0, MAX_DATA));
      return;
    }
    const bind = flags.includes("bind");
    // Changing how mounts spread makes no new one.
    if (!bind && flags.some((flag) => ["private", "slave", "shared"].includes(flag))) return;
    const readOnly = access === "ro";
    const tree = bind ? this.#bound(source, path, readOnly) : this.#mounted(fstype, path, data.slice(0, MAX_DATA));
    const info = {
      id: this.#nextId++,
      parent: this.#at(path).info.id,
      root: bind ? source : "/",
      mountpoint: path,
      fstype: bind ? (tree?.fstype ?? "memfs") : fstype,
      source,
      options,
      superOptions: data === "" ? access : `${access},${data}`,
    };
    this.#mounts.push({ info, tree, readOnly, users: 0 });
  }

  /** @throws `EINVAL` when nothing is mounted there, `EBUSY` when it is in use and not to be detached */
  unmount(target: string, detach: boolean): void {
    const path = this.#resolve(target, false);
    const mount = this.#mounts.findLast(({ info }) => info.mountpoint === path);
    if (mount === undefined || mount.info.id === 1) throw failure("EINVAL", "umount2", target);
    const above = this.#mounts.filter(({ info }) => info.parent === mount.info.id);
    if (!detach && (above.length > 0 || mount.users > 0)) throw failure("EBUSY", "umount2", target);
    for (const { info } of above) this.unmount(info.mountpoint, true);
    this.#mounts.splice(this.#mounts.indexOf(mount), 1);
  }

  /** The union that a path lies in, and where in it; for those who want to look behind the view. */
  unionAt(path: string): { union: Union; inner: string } | undefined {
    const { tree, inner } = this.walk(path, { follow: true, syscall: "stat" });
    return tree instanceof Union ? { union: tree, inner } : undefined;
  }

  /** Whether something that changes the view is mounted below a directory. */
  hasBelow(path: string): boolean {
    const prefix = path === "/" ? path : `${path}/`;
    return this.#mounts.some(({ tree, info }) => tree !== undefined && info.mountpoint.startsWith(prefix));
  }

  /** Goes along a path. @throws `ENOENT` when a directory on the way is missing, `ENOTDIR`, `ELOOP` */
  walk(given: string, { follow, syscall }: WalkOptions): Place {
    const fail = (code: ErrorCode) => failure(code, syscall, given);
    const todo = given.split("/").reverse();
    let place = this.#place("");
    let plain = place.plain;
    let links = 0;
    while (todo.length > 0) {
      const name = todo.pop() ?? "";
      if (place.real === undefined) {
        if (name === "" && todo.every((rest) => rest === "")) break;
        throw fail("ENOENT");
      }
      if (!this.#isDirectory(place.real)) throw fail("ENOTDIR");
      if (name === "" || name === ".") continue;
      const next = this.#place(name === ".." ? split(place.path)[0] : `${place.path}/${name}`);
      const info = next.real === undefined ? undefined : lstat(this.#files, next.real);
      if (info?.isSymbolicLink() && (follow || todo.some((rest) => rest !== ""))) {
        if (++links > MAX_LINKS) throw fail("ELOOP");
        const text = this.#files.readlinkSync(next.real as string) as string;
        todo.push(...text.split("/").reverse());
        if (text.startsWith("/")) place = this.#place("");
        continue;
      }
      place = next;
      plain &&= place.plain;
    }
    return { ...place, path: place.path || "/", plain };
  }

  get #files(): Volume {
    if (this.#volume === undefined) throw new TypeError("a mount table without files has no paths");
    return this.#volume;
  }

  #isDirectory(real: string): boolean {
    return lstat(this.#files, real)?.isDirectory() ?? false;
  }

  /** The mount that a path without links is in: goes from the root, each time into what was mounted last. */
  #at(path: string): Mount {
    return this.#seen(path).mount;
  }

  #seen(path: string): { mount: Mount; shown: Mount; base: string } {
    const parts = path.split("/").filter((part) => part !== "");
    let mount = this.#mounts[0] as Mount;
    let [shown, base] = [mount, ""];
    for (let length = 0; length <= parts.length; length++) {
      const prefix = `/${parts.slice(0, length).join("/")}`;
      for (;;) {
        const { id } = mount.info;
        const next = this.#mounts.find(({ info }) => info.parent === id && info.mountpoint === prefix && info.id !== 1);
        if (next === undefined) break;
        mount = next;
        if (next.tree !== undefined) [shown, base] = [next, prefix === "/" ? "" : prefix];
      }
    }
    return { mount, shown, base };
  }

  /** @param path - without links; "" is the root */
  #place(path: string): Place {
    const { shown, base } = this.#seen(path);
    const tree = shown.tree as Tree;
    const inner = path.slice(base.length + 1);
    return { mount: shown, tree, inner, path, real: tree.find(inner), plain: shown.info.id === 1 };
  }

  /** A mount point without links; as given when it is not there: such mounts are only remembered. */
  #resolve(target: string, follow: boolean): string {
    if (this.#volume === undefined) return target;
    try {
      return this.walk(target, { follow, syscall: "mount" }).path;
    } catch {
      return target;
    }
  }

  #remount(path: string, options: string, data: string): void {
    const mount = this.#mounts.findLast(({ info }) => info.mountpoint === path);
    if (mount === undefined) throw failure("EINVAL", "mount", path);
    const { info, tree } = mount;
    const [, appended] = /^append[:=](.*?)(?:,context=.*)?$/.exec(data) ?? [];
    if (appended !== undefined && tree instanceof Union) {
      tree.append(parseBranch(appended, false));
      const all = tree.branches.map(({ path, writable }) => `${path}=${writable ? "rw" : "ro+wh"}`);
      mount.info = { ...info, superOptions: info.superOptions.replace(/br[:=][^,]*/, `br:${all.join(":")}`) };
      return;
    }
    mount.readOnly = options.startsWith("ro");
    if (mount.readOnly && tree === undefined && info.fstype === "memfs")
      mount.tree = this.#bound(info.source, path, true);
    mount.info = { ...info, options };
  }

  /** What a bind mount shows; `undefined` when that is what was there before. */
  #bound(source: string, target: string, readOnly: boolean): Tree | undefined {
    if (this.#volume === undefined || (source === target && !readOnly)) return undefined;
    try {
      const from = this.walk(source, { follow: true, syscall: "mount" });
      const to = this.walk(target, { follow: true, syscall: "mount" });
      if (from.real === undefined || to.real === undefined) return undefined;
      if (from.tree instanceof PlainTree) return new PlainTree(this.#volume, from.real === "/" ? "" : from.real);
      return from.inner === "" ? from.tree : new SubTree(from.tree, from.inner);
    } catch {
      return undefined;
    }
  }

  /** A new file system: one of aufs is modelled. */
  #mounted(fstype: string, target: string, data: string): Tree | undefined {
    if (fstype !== "aufs" || this.#volume === undefined) return undefined;
    const walk = (path: string) => this.walk(path, { follow: true, syscall: "mount" });
    if (!this.#isDirectory(walk(target).real ?? "")) throw failure("ENOENT", "mount", target);
    const [, list] = /^br[:=]([^,]*)/.exec(data) ?? [];
    if (list === undefined) throw failure("EINVAL", "mount", target);
    const texts = list.split(":").filter((text) => text !== "");
    const branches = texts.map((text, at) => {
      const branch = parseBranch(text, at === 0);
      const { tree, real } = walk(branch.path);
      if (real === undefined) throw failure("ENOENT", "mount", branch.path);
      // aufs does not lie upon aufs.
      if (!(tree instanceof PlainTree)) throw failure("EINVAL", "mount", branch.path);
      return { ...branch, path: real };
    });
    return new Union(this.#volume, branches, this.#nextDevice++, this.#now);
  }
}
