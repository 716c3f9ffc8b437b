/**
 * A directory tree to read from: names are byte strings, links are never followed.
 *
 * @module
 */

import { isErrno } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import { fromText, toPath } from "./byte-string.ts";

/** What reading a tree needs. */
export type TreeHost = Pick<Host, "fs" | "kernel">;

/** What `lstat` tells, in plain numbers. */
export interface Stats {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly dev: number;
  readonly ino: number;
  readonly nlink: number;
  readonly rdev: number;
  readonly size: number;
  readonly mtimeMs: number;
  isDirectory(): boolean;
  isFile(): boolean;
  isCharacterDevice(): boolean;
}

/** How many calls run at once: more than the threads there are, so that none waits for us. */
const AT_ONCE = 32;

/** What an archive carries of a file's attributes; `trusted.*` is the storage driver's own. */
const CARRIED = /^(?:security\.(?!selinux$)|user\.(?!overlay\.|fuseoverlayfs\.)|system\.posix_acl_)/;

const CAPABILITY = "security.capability";
const NANO = 1_000_000_000n;

/** Reads below one directory. Paths are relative to it; "" is the directory itself. */
export class Tree {
  readonly #host: TreeHost;
  readonly #root: string;

  /** @param root - absolute path, as text */
  constructor(host: TreeHost, root: string) {
    this.#host = host;
    this.#root = fromText(root);
  }

  /** A path as the kernel takes it. */
  at(path: string): string | Buffer {
    return toPath(path === "" ? this.#root : `${this.#root}/${path}`);
  }

  /** @returns `undefined` when there is nothing, or nothing any more */
  async lstat(path: string): Promise<Stats | undefined> {
    try {
      return await this.#host.fs.lstat(this.at(path));
    } catch (cause) {
      if (isErrno(cause, "ENOENT", "ENOTDIR")) return undefined;
      throw cause;
    }
  }

  /**
   * The time of the last change, in whole seconds, rounded down.
   *
   * Milliseconds as a number lack the last digits: 127 ns before a second they have reached it. So what seems to be a
   * whole second is asked for once more.
   */
  async seconds(path: string, { mtimeMs }: Stats): Promise<number> {
    if (mtimeMs % 1000 !== 0) return Math.floor(mtimeMs / 1000);
    try {
      const { mtimeNs } = await this.#host.fs.lstat(this.at(path), { bigint: true });
      const part = ((mtimeNs % NANO) + NANO) % NANO;
      return Number((mtimeNs - part) / NANO);
    } catch (cause) {
      if (isErrno(cause, "ENOENT", "ENOTDIR")) return mtimeMs / 1000;
      throw cause;
    }
  }

  /** What is in a directory, in the order of the bytes of the names. Nothing for what is no directory. */
  async list(path: string): Promise<[name: string, info: Stats][]> {
    let names: string[];
    try {
      names = (await this.#host.fs.readdir(this.at(path), "latin1" as BufferEncoding)) as string[];
    } catch (cause) {
      if (isErrno(cause, "ENOENT", "ENOTDIR")) return [];
      throw cause;
    }
    names.sort();
    const found: [string, Stats][] = [];
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const some = names.slice(at, at + AT_ONCE);
      const infos = await Promise.all(some.map((name) => this.lstat(below(path, name))));
      for (const [index, info] of infos.entries()) if (info !== undefined) found.push([some[index]!, info]);
    }
    return found;
  }

  /** Where a link points, as a byte string; `undefined` when it is gone. */
  async readlink(path: string): Promise<string | undefined> {
    try {
      return (await this.#host.fs.readlink(this.at(path), "latin1" as BufferEncoding)) as string;
    } catch (cause) {
      if (isErrno(cause, "ENOENT", "ENOTDIR", "EINVAL")) return undefined;
      throw cause;
    }
  }

  /** One attribute, if it is there, and the file still is. */
  xattr(path: string, name: string): Buffer | undefined {
    return ifThere(() => this.#host.kernel.lgetxattr(this.at(path), name));
  }

  /** The one attribute that 1.2.0 carries. */
  capability(path: string): Map<string, Buffer> | undefined {
    const value = this.xattr(path, CAPABILITY);
    return value && new Map([[CAPABILITY, value]]);
  }

  /** The attributes that an archive carries, sorted: file systems have them in orders of their own. */
  xattrs(path: string): Map<string, Buffer> | undefined {
    let found: Map<string, Buffer> | undefined;
    for (const name of ifThere(() => this.#host.kernel.llistxattr(this.at(path)))?.sort() ?? []) {
      if (!CARRIED.test(name)) continue;
      const value = this.xattr(path, name);
      if (value === undefined) continue;
      found ??= new Map();
      found.set(name, value);
    }
    return found;
  }
}

/** Asks about a file in a tree that is in use. */
function ifThere<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (cause) {
    if (isErrno(cause, "ENOENT", "ENOTDIR")) return undefined;
    throw cause;
  }
}

/** A path in a directory. */
export function below(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** Bytes of everything below a directory but directories and marks of overlay, each inode once. @origin utils/utils.go TreeSize */
export async function treeSize(host: TreeHost, root: string): Promise<number> {
  const tree = new Tree(host, root);
  const seen = new Set<string>();
  let size = 0;
  const visit = async (path: string): Promise<void> => {
    for (const [name, info] of await tree.list(path)) {
      if (info.isDirectory()) await visit(below(path, name));
      else if (info.size > 0) {
        const inode = `${info.dev}:${info.ino}`;
        if (info.nlink > 1 && seen.has(inode)) continue;
        if (info.nlink > 1) seen.add(inode);
        size += info.size;
      }
    }
  };
  await visit("");
  return size;
}
