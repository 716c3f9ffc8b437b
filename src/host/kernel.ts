/**
 * Linux system calls the engine makes itself.
 *
 * All are synchronous and fast (microseconds); what can take long returns a promise. A failed call throws an error with
 * `code` (`EBUSY`), `errno` and `syscall`, like Node's own.
 *
 * @module
 */

import type { Reader, Writer } from "../sync/io.ts";

/** How a process that we wait for ended. Exactly one of the two is set. */
export interface ProcessEnd {
  readonly code: number | undefined;
  /** Number of the signal. */
  readonly signal: number | undefined;
}

/** Flags of mount(2) by name. */
export type MountFlag =
  | "ro"
  | "nosuid"
  | "nodev"
  | "noexec"
  | "remount"
  | "bind"
  | "rec"
  | "private"
  | "slave"
  | "shared";

/** A line of /proc/self/mountinfo. */
export interface MountInfo {
  readonly id: number;
  readonly parent: number;
  readonly root: string;
  readonly mountpoint: string;
  readonly fstype: string;
  readonly source: string;
  readonly options: string;
  readonly superOptions: string;
}

/** The master end of a pseudo-terminal. */
export interface Console extends Writer {
  readonly output: Reader;
  /** Sets the window size in characters. */
  resize(height: number, width: number): void;
  close(): void;
}

/**
 * Subvolumes of btrfs: directories that are copied in one step, sharing all their blocks.
 *
 * A name is one component of a path. The calls wait for the disk: what they made outlives a power failure.
 */
export interface Subvolumes {
  /** Makes an empty one. @param dir - a directory on btrfs */
  create(dir: string, name: string): Promise<void>;
  /** Makes a writable copy of the subvolume `source`; subvolumes inside it are empty directories in the copy. */
  snapshot(source: string, dir: string, name: string): Promise<void>;
  /** Deletes a subvolume, with every subvolume inside it. @throws `EINVAL` when it is an ordinary directory */
  destroy(dir: string, name: string): Promise<void>;
}

/** Calls into the kernel. */
export interface Kernel {
  /**
   * @param data - options for the file system, comma-separated
   * @param cwd - directory that relative paths in `data` start from: there is only one page for all of them
   */
  mount(source: string, target: string, fstype: string, flags: readonly MountFlag[], data?: string, cwd?: string): void;
  /** Unmounts; `detach` does it lazily (MNT_DETACH). Never follows a symbolic link. */
  unmount(target: string, options?: { detach?: boolean }): void;
  /** The mount table, oldest first. */
  mounts(): MountInfo[];
  /** @param mode - type bits and permissions */
  mknod(path: string, mode: number, major: number, minor: number): void;
  /** `undefined` when the attribute is not there or not supported. Never follows a link. */
  lgetxattr(path: string | Buffer, name: string): Buffer | undefined;
  /** Names of a file's attributes, byte strings; none where they are not supported. Never follows a link. */
  llistxattr(path: string | Buffer): string[];
  lsetxattr(path: string, name: string, value: Uint8Array): void;
  /** Not there where the kernel is none that could have them. */
  readonly subvolumes?: Subvolumes;
  /** Takes an exclusive lock on a file for the life of the process; `false` when another process has it. */
  lockFile(path: string): boolean;
  /** @returns `false` when there is no such process */
  kill(pid: number, signal: number): boolean;
  /** Start time of a process in clock ticks since boot, or `undefined` if it is gone: tells a reused pid. */
  processStartTime(pid: number): string | undefined;
  /** Makes this process adopt the orphans of its descendants (PR_SET_CHILD_SUBREAPER). */
  becomeSubreaper(): void;
  /**
   * Waits for an adopted process and reaps it. Call it before or after the process ended.
   *
   * @throws an `ECHILD` error when `pid` is not a child of this process
   */
  waitPid(pid: number): Promise<ProcessEnd>;
  /** A real pipe (not a socket pair); both ends close on exec. */
  pipe(): { read: number; write: number };
  /** Reads a pipe's end until all writers closed theirs; owns and closes the descriptor. */
  readFd(fd: number): Reader & { destroy(): void };
  /** Writes to a pipe's end with back-pressure; owns and closes the descriptor. A reader that is gone is no error. */
  writeFd(fd: number): Writer & { close(): Promise<void> };
  closeFd(fd: number): void;
  /** Listens on a unix socket for the one descriptor that `runc --console-socket` sends. */
  receiveConsole(socketPath: string): Promise<{ console: Promise<Console>; close(): void }>;
  /** Sends a datagram to a unix socket (sd_notify); a leading `@` is an abstract name. */
  sendDatagram(socketPath: string, data: string): void;
  /** Sets this process's umask; returns the one before. */
  umask(mask: number): number;
  /** Whether the calling process has the capability in its bounding set (`CAP_SYS_RESOURCE` …). */
  hasCapability(name: string): boolean;
}
