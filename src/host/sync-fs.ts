/**
 * Files as an unpacker needs them: without waiting, because it owns its thread, or because everything is in memory.
 *
 * @module
 */

import type fs from "node:fs";

/** The synchronous calls an extractor makes; paths are absolute. */
export type SyncFs = Pick<
  typeof fs,
  | "chmodSync"
  | "closeSync"
  | "fchmodSync"
  | "fchownSync"
  | "fstatSync"
  | "ftruncateSync"
  | "lchownSync"
  | "linkSync"
  | "lstatSync"
  | "mkdirSync"
  | "openSync"
  | "readdirSync"
  | "readlinkSync"
  | "rmSync"
  | "statfsSync"
  | "symlinkSync"
  | "writeSync"
> & {
  /** @param mode - type bits and permissions */
  mknodSync(path: string | Buffer, mode: number, major: number, minor: number): void;
  /** Never follows a link. */
  lsetxattrSync(path: string | Buffer, name: string, value: Uint8Array): void;
  /**
   * Sets the time of the last change to the nanosecond and leaves that of the last access; never follows a link.
   *
   * @param file - a path, or the descriptor of an open file
   */
  utimensSync(file: string | Buffer | number, seconds: number, nanoseconds: number): void;
  /** Waits until everything written to the file system of this directory is on the disk. */
  syncfsSync(path: string | Buffer): void;
};
