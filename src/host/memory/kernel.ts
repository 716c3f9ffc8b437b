/**
 * A kernel that is a table: mounts, locks, processes and sent datagrams are remembered. Only mounts of aufs and binds
 * have an effect: the files of the memory host are seen through them.
 *
 * @module
 */

import type { Kernel, MountFlag, MountInfo } from "../kernel.ts";
import { MountTable } from "./mounts.ts";

/** The mode bits a fresh process has. */
const DEFAULT_UMASK = 0o022;

function failure(code: string, errno: number, syscall: string): Error {
  return Object.assign(new Error(`${code}: ${syscall}`), { code, errno: -errno, syscall });
}

/** What the memory host has no model of. */
function missing(call: string): never {
  throw Object.assign(new Error(`Cannot call ${call}: the memory host has no such kernel call`), {
    code: "ENOSYS",
    errno: -38,
    syscall: call,
  });
}

/** Models the calls that need nothing but memory; all others fail with `ENOSYS` and their name. */
export class MemoryKernel implements Kernel {
  /** Start times by process id: who is in here is alive. */
  readonly processes = new Map<number, string>();
  /** What {@link kill} was asked to send. */
  readonly kills: { pid: number; signal: number }[] = [];
  /** What {@link sendDatagram} was given. */
  readonly datagrams: { socketPath: string; data: string }[] = [];
  /** Files that another process has locked. */
  readonly locked = new Set<string>();
  /** What is mounted, and what is seen through it. */
  readonly table: MountTable;
  #umask = DEFAULT_UMASK;

  /** @param table - default: one that only remembers */
  constructor(table = new MountTable()) {
    this.table = table;
  }

  mount(source: string, target: string, fstype: string, flags: readonly MountFlag[], data = ""): void {
    this.table.mount(source, target, fstype, flags, data);
  }

  unmount(target: string, options: { detach?: boolean } = {}): void {
    this.table.unmount(target, options.detach ?? false);
  }

  mounts(): MountInfo[] {
    return this.table.list();
  }

  lockFile(path: string): boolean {
    return !this.locked.has(path);
  }

  kill(pid: number, signal: number): boolean {
    this.kills.push({ pid, signal });
    if (signal === 9) return this.processes.delete(pid);
    return this.processes.has(pid);
  }

  processStartTime(pid: number): string | undefined {
    return this.processes.get(pid);
  }

  sendDatagram(socketPath: string, data: string): void {
    this.datagrams.push({ socketPath, data });
  }

  /** What the next {@link umask} returns. */
  get currentUmask(): number {
    return this.#umask;
  }

  umask(mask: number): number {
    const before = this.#umask;
    this.#umask = mask;
    return before;
  }

  becomeSubreaper(): void {
    // Nobody here has children.
  }

  hasCapability(): boolean {
    return false;
  }

  lgetxattr(): Buffer | undefined {
    return undefined;
  }

  llistxattr(): string[] {
    return [];
  }

  lsetxattr(): void {
    missing("lsetxattr");
  }

  mknod(): void {
    missing("mknod");
  }

  async waitPid(): Promise<never> {
    throw failure("ECHILD", 10, "waitpid");
  }

  pipe(): { read: number; write: number } {
    return missing("pipe");
  }

  readFd(): never {
    return missing("read");
  }

  writeFd(): never {
    return missing("write");
  }

  closeFd(): void {
    missing("close");
  }

  async receiveConsole(): Promise<never> {
    return missing("recvmsg");
  }
}
