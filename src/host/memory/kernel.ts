/**
 * A kernel that is a table: mounts, locks, processes and sent datagrams are remembered, nothing happens.
 *
 * @module
 */

import type { Kernel, MountFlag, MountInfo } from "../kernel.ts";

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
  readonly #mounts: MountInfo[] = [
    {
      id: 1,
      parent: 0,
      root: "/",
      mountpoint: "/",
      fstype: "memfs",
      source: "memfs",
      options: "rw",
      superOptions: "rw",
    },
  ];
  #nextId = 2;
  #umask = DEFAULT_UMASK;

  mount(source: string, target: string, fstype: string, flags: readonly MountFlag[], data = ""): void {
    const access = flags.includes("ro") ? "ro" : "rw";
    const options = [access, ...flags.filter((flag) => flag === "nosuid" || flag === "nodev" || flag === "noexec")];
    if (flags.includes("remount")) {
      const at = this.#mounts.findLastIndex((mount) => mount.mountpoint === target);
      const old = this.#mounts[at];
      if (old === undefined) throw failure("EINVAL", 22, "mount");
      this.#mounts[at] = { ...old, options: options.join(",") };
      return;
    }
    // Changing how mounts spread makes no new one.
    if (!flags.includes("bind") && flags.some((flag) => ["private", "slave", "shared"].includes(flag))) return;
    this.#mounts.push({
      id: this.#nextId++,
      parent: 1,
      root: flags.includes("bind") ? source : "/",
      mountpoint: target,
      fstype: flags.includes("bind") ? "memfs" : fstype,
      source,
      options: options.join(","),
      superOptions: [access, ...(data === "" ? [] : [data])].join(","),
    });
  }

  unmount(target: string): void {
    const at = this.#mounts.findLastIndex((mount) => mount.mountpoint === target);
    if (at <= 0) throw failure("EINVAL", 22, "umount2");
    this.#mounts.splice(at, 1);
  }

  mounts(): MountInfo[] {
    return [...this.#mounts];
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
