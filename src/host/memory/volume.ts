/**
 * The files of a world in memory.
 *
 * @module
 */

import { type DirectoryJSON, Volume } from "memfs";

/** A file below memfs's public calls. */
interface Inode {
  uid: number;
  gid: number;
  mode: number;
  rdev: number;
  size: number;
  canRead(): boolean;
  canWrite(): boolean;
  canExecute(): boolean;
  makeSymlink(target: string): void;
}

interface Core {
  readonly root: { getNode(): Inode };
  createNode(mode?: number): Inode;
  getLink(steps: string[]): { getNode(): Inode } | null;
  rm(path: string, force?: boolean, recursive?: boolean): void;
  unlink(path: string): void;
}

const coreOf = (volume: Volume): Core => (volume as unknown as { _core: Core })._core;

/** What is at a path, links for themselves. */
export function inodeOf(volume: Volume, path: string): Inode | undefined {
  return coreOf(volume).getLink(path.split("/").filter(Boolean))?.getNode();
}

/**
 * Makes a volume that belongs to root of the world in memory.
 *
 * memfs would ask whether the user who runs this process may do what is done, would tell no size for a symbolic link,
 * and would delete what a link points to in its place.
 *
 * @param files - by path; `null` is an empty directory
 */
export function memoryVolume(files: DirectoryJSON): Volume {
  const volume = new Volume();
  const core = coreOf(volume);
  const allow = (inode: Inode): Inode => {
    const makeSymlink = inode.makeSymlink.bind(inode);
    return Object.assign(inode, {
      uid: 0,
      gid: 0,
      canRead: () => true,
      canWrite: () => true,
      canExecute: () => true,
      makeSymlink(target: string) {
        makeSymlink(target);
        inode.size = Buffer.byteLength(target);
      },
    });
  };
  const createNode = core.createNode.bind(core);
  const rm = core.rm.bind(core);
  allow(core.root.getNode());
  core.createNode = (mode) => allow(createNode(mode));
  core.rm = (path, force, recursive) => {
    const isLink = ((inodeOf(volume, path)?.mode ?? 0) & 0o170000) === 0o120000;
    if (isLink) core.unlink(path);
    else rm(path, force, recursive);
  };
  volume.fromJSON(files, "/");
  return volume;
}
