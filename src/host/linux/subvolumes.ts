/**
 * Subvolumes of btrfs by ioctl(2), laid out as in linux/btrfs.h.
 *
 * @module
 */

import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { join } from "node:path/posix";
import { isErrno } from "../../errdefs/errdefs.ts";
import type { Subvolumes } from "../kernel.ts";
import { callAside } from "./libc.ts";

const SUBVOL_CREATE = 0x5000940e;
const SNAP_DESTROY = 0x5000940f;
const SNAP_CREATE_V2 = 0x50009417;
const SNAP_DESTROY_V2 = 0x5000943f;
const TREE_SEARCH = 0xd0009411;
const INO_LOOKUP = 0xd0009412;

/** Size of every argument here. */
const ARGS_SIZE = 4096;
/** Where the name is in `struct btrfs_ioctl_vol_args` and in `…_v2`. */
const NAME = 8;
const NAME_V2 = 56;
/** Longest name of a directory entry, in bytes. */
const NAME_MAX = 255;

const SPEC_BY_ID = 1n << 4n;
/** The tree that knows all others, and inode of a subvolume's own directory. */
const ROOT_TREE = 1n;
const ROOT_INODE = 256n;
/** Kind of an item of the root tree that says: this tree has that one inside. */
const ROOT_REF = 156;
/** Sizes of `struct btrfs_ioctl_search_key` and `…_header`. */
const KEY_SIZE = 104;
const HEADER_SIZE = 32;
/** As many items as the answer has room for. */
const MANY = 4096;
const ALL = 0xffff_ffff_ffff_ffffn;

/** An argument with a name in it: one that could mean another directory is refused. */
function withName(name: string, at: number): Buffer {
  const bytes = Buffer.from(name);
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name) || bytes.length > NAME_MAX)
    throw new TypeError(`Cannot use ${JSON.stringify(name)} as the name of a subvolume`);
  const args = Buffer.alloc(ARGS_SIZE);
  bytes.copy(args, at);
  return args;
}

/** Opens a directory for as long as the work lasts; a link in its last place is refused. */
async function withDirectory<T>(path: string, work: (fd: number) => Promise<T>): Promise<T> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return await work(fd);
  } finally {
    closeSync(fd);
  }
}

/** Number of the tree that a directory's files are in. */
async function treeOf(fd: number): Promise<bigint> {
  const args = Buffer.alloc(ARGS_SIZE);
  args.writeBigUInt64LE(ROOT_INODE, 8);
  await callAside("ioctl", "BTRFS_IOC_INO_LOOKUP", fd, INO_LOOKUP, args);
  return args.readBigUInt64LE(0);
}

/** Numbers of the trees directly inside a tree: one call's worth of them, which is some seventy. */
async function treesInside(fd: number, tree: bigint): Promise<bigint[]> {
  const args = Buffer.alloc(ARGS_SIZE);
  // tree, first and last object, first and last offset, first and last transaction
  for (const [at, value] of [ROOT_TREE, tree, tree, 0n, ALL, 0n, ALL].entries()) args.writeBigUInt64LE(value, at * 8);
  args.writeUInt32LE(ROOT_REF, 56);
  args.writeUInt32LE(ROOT_REF, 60);
  args.writeUInt32LE(MANY, 64);
  await callAside("ioctl", "BTRFS_IOC_TREE_SEARCH", fd, TREE_SEARCH, args);
  const found: bigint[] = [];
  let at = KEY_SIZE;
  for (let left = args.readUInt32LE(64); left > 0; left--) {
    found.push(args.readBigUInt64LE(at + 16));
    at += HEADER_SIZE + args.readUInt32LE(at + 28);
  }
  return found;
}

/**
 * Deletes the trees inside a tree, innermost first: by number, as whoever made them chose how deep and by which names.
 *
 * @throws `ENOTTY` on Linux before 5.7, which cannot do that
 */
async function destroyInside(fd: number, tree: bigint): Promise<void> {
  const waiting = [tree];
  for (let last = waiting.at(-1); last !== undefined; last = waiting.at(-1)) {
    const inside = await treesInside(fd, last);
    waiting.push(...inside);
    if (inside.length > 0) continue;
    waiting.pop();
    if (waiting.length > 0) await destroyTree(fd, last);
  }
}

async function destroyTree(fd: number, tree: bigint): Promise<void> {
  const args = Buffer.alloc(ARGS_SIZE);
  args.writeBigUInt64LE(SPEC_BY_ID, 16);
  args.writeBigUInt64LE(tree, NAME_V2);
  await callAside("ioctl", "BTRFS_IOC_SNAP_DESTROY_V2", fd, SNAP_DESTROY_V2, args);
}

/** The calls; each waits on a thread of its own until the disk has it. */
export const subvolumes: Subvolumes = {
  async create(dir, name) {
    const args = withName(name, NAME);
    await withDirectory(dir, (fd) => callAside("ioctl", "BTRFS_IOC_SUBVOL_CREATE", fd, SUBVOL_CREATE, args));
  },

  async snapshot(source, dir, name) {
    const args = withName(name, NAME_V2);
    await withDirectory(source, (from) => {
      args.writeBigInt64LE(BigInt(from), 0);
      return withDirectory(dir, (fd) => callAside("ioctl", "BTRFS_IOC_SNAP_CREATE_V2", fd, SNAP_CREATE_V2, args));
    });
  },

  async destroy(dir, name) {
    const args = withName(name, NAME);
    const destroy = () =>
      withDirectory(dir, (fd) => callAside("ioctl", "BTRFS_IOC_SNAP_DESTROY", fd, SNAP_DESTROY, args));
    try {
      await destroy();
    } catch (cause) {
      if (!isErrno(cause, "ENOTEMPTY")) throw cause;
      await withDirectory(join(dir, name), async (fd) => {
        // Of an ordinary directory it would be the tree around it.
        if (fstatSync(fd).ino === Number(ROOT_INODE)) await destroyInside(fd, await treeOf(fd));
      });
      await destroy();
    }
  },
};
