/**
 * Waiting for processes that are not our children by birth.
 *
 * `runc create` exits and leaves the container's first process to the nearest subreaper: us. libuv reaps only the
 * processes it started itself, each by its id, so the others are ours to reap, also by id: no thread waits anywhere,
 * SIGCHLD starts a sweep of the few ids somebody asked for.
 *
 * What nobody asked for (yet) must be reaped too, or zombies pile up. Such a process must not be mistaken for one of
 * libuv's that ended a moment ago: a zombie counts as abandoned only when it is still there after the event loop has
 * gone round once, because libuv handles its SIGCHLD in that round. How it ended is kept for a while, for a caller who
 * learns the id late.
 *
 * Adopted processes belong to the main thread. What another thread has started is never looked at: its event loop may be
 * busy for longer than a round of ours.
 *
 * @module
 */

import { type Deferred, deferred } from "../../sync/deferred.ts";
import type { ProcessEnd } from "../kernel.ts";
import { ERRNO, lastErrno, SystemCallError, tryCall } from "./libc.ts";

const P_ALL = 0;
const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
/** Only children of this thread. */
const WNOTHREAD = 0x2000_0000;

/** `si_code` of a process that ended by itself. */
const CLD_EXITED = 1;

/** A sweep without a signal now and then. It is also what keeps the event loop, and so the process, alive meanwhile. */
const SWEEP_MS = 10_000;

/** How many ends are remembered for late callers. */
const REMEMBERED = 4096;

/** Reaps adopted processes. One per thread group: two would steal from each other. */
export class Reaper {
  readonly #waiting = new Map<number, Deferred<ProcessEnd>>();
  readonly #ended = new Map<number, ProcessEnd>();
  readonly #info = Buffer.alloc(128);
  #timer: NodeJS.Timeout | undefined;
  #listening = false;
  #collecting = false;

  /** Starts to collect what this process adopts. */
  start(): void {
    if (this.#listening) return;
    this.#listening = true;
    process.on("SIGCHLD", () => this.#sweep());
    this.#collect();
  }

  /**
   * Waits for the end of an adopted process.
   *
   * @throws {SystemCallError} `ECHILD` when it is not a child of this process
   */
  async wait(pid: number): Promise<ProcessEnd> {
    if (!Number.isInteger(pid) || pid <= 0) throw new RangeError(`Cannot wait for process ${pid}: not a process id`);
    this.start();
    const already = this.#waiting.get(pid);
    if (already !== undefined) return await already.promise;
    const state = this.#ask(P_PID, pid, WEXITED | WNOHANG);
    if (state === "none") {
      const before = this.#ended.get(pid);
      this.#ended.delete(pid);
      if (before === undefined) throw new SystemCallError("waitid", ERRNO.ECHILD, String(pid));
      return before;
    }
    // It exists, so what may be remembered under this id was another process.
    this.#ended.delete(pid);
    if (state !== "running") return state.end;
    const waiter = deferred<ProcessEnd>();
    this.#waiting.set(pid, waiter);
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS);
    return await waiter.promise;
  }

  /** Settles the waits whose process has ended. */
  #sweep(): void {
    for (const [pid, waiter] of this.#waiting) {
      const state = this.#ask(P_PID, pid, WEXITED | WNOHANG);
      if (state === "running") continue;
      this.#waiting.delete(pid);
      if (state === "none") waiter.reject(new SystemCallError("waitid", ERRNO.ECHILD, String(pid)));
      else waiter.resolve(state.end);
    }
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.#collect();
  }

  /** Reaps zombies nobody waits for, each after one round of the event loop (see the module's comment). */
  #collect(): void {
    if (this.#collecting) return;
    this.#collecting = true;
    let suspect = 0;
    const look = () => {
      const state = this.#ask(P_ALL, 0, WEXITED | WNOHANG | WNOWAIT);
      if (state === "none" || state === "running") {
        this.#collecting = false;
        return;
      }
      if (this.#waiting.has(state.pid)) {
        this.#collecting = false; // ended just now: its SIGCHLD is on the way
        setImmediate(() => this.#sweep());
        return;
      }
      if (state.pid === suspect) {
        this.#ask(P_PID, state.pid, WEXITED | WNOHANG);
        this.#remember(state.pid, state.end);
        suspect = 0;
      } else {
        suspect = state.pid;
      }
      setImmediate(look);
    };
    setImmediate(look);
  }

  /** Keeps an end for a late caller, forgetting the oldest. */
  #remember(pid: number, end: ProcessEnd): void {
    this.#ended.delete(pid);
    this.#ended.set(pid, end);
    if (this.#ended.size > REMEMBERED) this.#ended.delete(this.#ended.keys().next().value!);
  }

  /** One waitid(2) without waiting. */
  #ask(idType: number, id: number, options: number): "none" | "running" | { pid: number; end: ProcessEnd } {
    const info = this.#info.fill(0);
    while (tryCall("waitid", idType, id, info, options | WNOTHREAD) < 0) {
      const errno = lastErrno();
      if (errno === ERRNO.ECHILD) return "none";
      if (errno !== 4 /* EINTR */) throw new SystemCallError("waitid", errno, String(id));
    }
    const pid = info.readInt32LE(16);
    if (pid === 0) return "running";
    const status = info.readInt32LE(24);
    const exited = info.readInt32LE(8) === CLD_EXITED;
    return { pid, end: exited ? { code: status, signal: undefined } : { code: undefined, signal: status } };
  }
}

let reaper: Reaper | undefined;

/** The one reaper of this process. */
export function theReaper(): Reaper {
  reaper ??= new Reaper();
  return reaper;
}
