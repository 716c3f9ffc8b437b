/**
 * Other programs, as child processes.
 *
 * @module
 */

import type { ChildProcess } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { Readable } from "node:stream";
import { isErrno } from "../../errdefs/errdefs.ts";
import type { Reader } from "../../sync/io.ts";
import type { Exec, ExecOptions, ExecResult } from "../host.ts";
import { builtin } from "./lazy.ts";

/** Where programs are looked for when the environment does not say. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What a program may write to a captured stream before it is stopped: our memory is not its to fill. */
const CAPTURE_LIMIT = 64 << 20;

/** What is kept of a failed program's complaints. */
const STDERR_LIMIT = 64 << 10;

/**
 * What `xz` may take: four times of what its highest level needs. A file of some bytes can ask for gigabytes. Through the
 * environment, as a small machine's xz knows no such option.
 */
const XZ_MEMORY = { XZ_DEFAULTS: "--memlimit-decompress=256MiB" };

/** Makes the {@link Exec} of a host with this environment. */
export function linuxExec(env: Record<string, string | undefined>): Exec {
  const path = () => env["PATH"] || DEFAULT_PATH;

  /** @throws the error of Go's `exec.LookPath`, with the code of Node's */
  function resolve(command: string): string {
    const found = find(command, path());
    if (found !== undefined) return found;
    const reason = command.includes("/") ? "no such file or directory" : "executable file not found in $PATH";
    const error: NodeJS.ErrnoException = new Error(`exec: "${command}": ${reason}`);
    throw Object.assign(error, { code: "ENOENT", errno: -2, syscall: "spawn", path: command });
  }

  return {
    async lookPath(command) {
      return find(command, path());
    },

    async run(command, args, options = {}) {
      options.signal?.throwIfAborted();
      const child = builtin("child_process").spawn(resolve(command), args, {
        argv0: command,
        env: options.env ?? { PATH: path() },
        stdio: stdioOf(options),
        detached: options.group === true,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      });
      return await finish(child, options);
    },

    async *pipe(command, args, input) {
      const env = { PATH: path(), ...XZ_MEMORY };
      const child = builtin("child_process").spawn(resolve(command), args, { argv0: command, env });
      const ended = exitOf(child);
      ended.catch(() => {}); // awaited below, unless the consumer leaves first
      const complaints = capture(child.stderr, STDERR_LIMIT, () => {});
      const fed = feed(child, input);
      fed.catch(() => {}); // likewise
      let whole = false;
      try {
        for await (const chunk of child.stdout) yield chunk as Buffer;
        const end = await ended;
        await fed;
        whole = true;
        if (end.code !== 0) {
          const how = end.code === undefined ? `signal ${end.signal}` : `exit status ${end.code}`;
          // On one line: of an error with several, only the last one reaches some clients.
          const text = (await complaints)
            .toString("utf8")
            .trim()
            .replace(/\s*\n\s*/g, "; ");
          throw new Error(`${command} failed: ${text === "" ? how : `${text} (${how})`}`);
        }
      } finally {
        if (!whole) child.kill("SIGKILL");
      }
    },
  };
}

/** Finds a program as a shell does, but never through a relative entry of the list. */
function find(command: string, list: string): string | undefined {
  if (command.includes("/")) return runnable(command) ? command : undefined;
  for (const directory of list.split(delimiter)) {
    const candidate = join(directory, command);
    if (isAbsolute(directory) && runnable(candidate)) return candidate;
  }
  return undefined;
}

/** Whether it is a file that may be executed. */
function runnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The three descriptors for spawn. */
function stdioOf(options: ExecOptions): ("ignore" | "pipe" | number)[] {
  const wanted = options.stdio ?? [];
  return [0, 1, 2].map((index) => {
    const one = wanted[index];
    if (index === 0 && options.input !== undefined) return "pipe";
    if (one === undefined) return index === 0 ? "ignore" : "pipe";
    return one === "capture" ? "pipe" : one;
  });
}

/** How the process ended, after its streams closed. @throws when it never started */
function exitOf(child: ChildProcess): Promise<Pick<ExecResult, "code" | "signal">> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
  });
}

/** Waits for a child's end, collecting what it says. */
async function finish(child: ChildProcess, options: ExecOptions): Promise<ExecResult> {
  const kill = () => (options.group === true ? killGroup(child) : void child.kill("SIGKILL"));
  let overflow = false;
  const full = () => {
    overflow = true;
    kill();
  };
  options.signal?.addEventListener("abort", kill, { once: true });
  try {
    const [end, stdout, stderr] = await Promise.all([
      exitOf(child),
      capture(child.stdout, CAPTURE_LIMIT, full),
      capture(child.stderr, CAPTURE_LIMIT, full),
      options.input === undefined
        ? undefined
        : feed(child, options.input).catch((cause: unknown) => {
            kill();
            throw cause;
          }),
    ]);
    options.signal?.throwIfAborted();
    if (overflow)
      throw new RangeError(`Cannot run ${child.spawnargs[0]}: its output is longer than ${CAPTURE_LIMIT} bytes`);
    return { ...end, stdout, stderr };
  } finally {
    options.signal?.removeEventListener("abort", kill);
  }
}

/** Kills a process and all that it has started, unless they went to a group of their own. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch (cause) {
    if (!isErrno(cause, "ESRCH")) throw cause;
  }
}

/** Collects up to `limit` bytes; drops the rest, calling `full` once. */
async function capture(stream: Readable | null, limit: number, full: () => void): Promise<Buffer> {
  const parts: Buffer[] = [];
  let room = limit;
  if (stream !== null) {
    stream.on("data", (chunk: Buffer) => {
      if (room > 0 && chunk.length > 0) parts.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
      if (room >= 0 && chunk.length > room) full();
      room = chunk.length > room ? -1 : room - chunk.length;
    });
    await new Promise<void>((resolve) => {
      stream.once("close", resolve);
      stream.once("error", () => resolve());
    });
  }
  return Buffer.concat(parts);
}

/** Feeds a child's standard input. A child that does not want it all is no error. */
async function feed(child: ChildProcess, input: Uint8Array | string | Reader): Promise<void> {
  const stdin = child.stdin;
  if (stdin === null) return;
  stdin.on("error", () => {}); // seen below as `destroyed`
  if (typeof input === "string" || input instanceof Uint8Array) {
    stdin.end(input);
    return;
  }
  try {
    for await (const chunk of input) {
      if (stdin.destroyed) return;
      if (!stdin.write(chunk)) {
        await new Promise<void>((resolve) => {
          const settle = () => {
            stdin.off("drain", settle);
            stdin.off("close", settle);
            resolve();
          };
          stdin.once("drain", settle);
          stdin.once("close", settle);
        });
      }
    }
    stdin.end();
  } catch (cause) {
    if (isErrno(cause, "EPIPE", "ECONNRESET")) return;
    // Half an input must not look like a whole one.
    child.kill("SIGKILL");
    throw cause;
  }
}
