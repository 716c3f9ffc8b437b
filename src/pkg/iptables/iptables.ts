/**
 * The packet filter, by the `iptables` program.
 *
 * {@link Iptables} runs one command at a time, as 1.2.0 does. `Transaction` (in `transaction.ts`) answers the same
 * calls from one `iptables-save` and makes all changes with one `iptables-restore`.
 *
 * @origin pkg/iptables/iptables.go
 * @module
 */

import { isErrno, SystemError } from "../../errdefs/errdefs.ts";
import type { ExecResult, Host } from "../../host/host.ts";
import { KeyedMutex } from "../../sync/keyed-mutex.ts";
import { parseCommand, parseSave } from "./rules.ts";

/** What runs commands: the program itself, or a transaction. */
export interface Runner {
  /** Whether there is such a rule. @origin pkg/iptables/iptables.go Exists */
  exists(...args: string[]): Promise<boolean>;
  /** Runs one command. @returns what it printed @throws {SystemError} `iptables failed: …` @origin pkg/iptables/iptables.go Raw */
  raw(...args: string[]): Promise<string>;
  /** Rules of a chain, each as the arguments that make it; none when they cannot be had. */
  rules(table: string, chain: string): Promise<readonly (readonly string[])[]>;
}

/** @origin pkg/iptables/iptables.go ErrIptablesNotFound @deviation Says what to do about it. */
export const iptablesNotFound = (): SystemError =>
  new SystemError("Iptables not found. Install it (Debian: apt-get install iptables) or use --iptables=false");

/** The `iptables` program of the host. */
export class Iptables implements Runner {
  readonly #host: Pick<Host, "exec" | "env" | "stderr">;
  readonly #lock = new KeyedMutex();
  #waits: Promise<boolean> | undefined;

  /** @param host - programs; `DEBUG` and standard error for the trace of commands */
  constructor(host: Pick<Host, "exec" | "env" | "stderr">) {
    this.#host = host;
  }

  async exists(...args: string[]): Promise<boolean> {
    try {
      await this.raw("-C", ...args);
      return true;
    } catch (cause) {
      if (cause instanceof SystemError) return false;
      throw cause;
    }
  }

  async raw(...args: string[]): Promise<string> {
    const full = await this.prepare(args);
    const end = await this.#run("iptables", full);
    const output = `${end.stdout}${end.stderr}`;
    if (end.code !== 0) throw failed(full, output, end);
    // Only that it waited for its lock.
    return output.includes("waiting for it to exit") ? "" : output;
  }

  async rules(table: string, chain: string): Promise<readonly (readonly string[])[]> {
    return (
      parseSave((await this.save()) ?? "")
        .get(table)
        ?.get(chain) ?? []
    );
  }

  /**
   * Runs changes that belong together with one process.
   *
   * A table's changes happen at once or not at all. When the whole is refused, each command is run by itself, so that
   * the error names the rule; what has happened already is not done twice.
   *
   * @param commands - `-A`, `-I` and `-D` only
   */
  apply(commands: readonly (readonly string[])[]): Promise<void> {
    // One after another: two processes at once would wait for each other's lock, or have the second refused.
    return this.#lock.run("apply", () => this.#apply(commands));
  }

  async #apply(commands: readonly (readonly string[])[]): Promise<void> {
    for (const command of commands) await this.prepare(command);
    if (await this.restore(commands)) return;
    for (const command of commands) {
      const { table, action, chain, rule } = parseCommand(command);
      const there = await this.exists("-t", table, chain, ...rule);
      if (there === (action === "-D")) await this.raw(...command);
    }
  }

  /** Tells `iptables-restore` to run the commands. @returns whether it did */
  async restore(commands: readonly (readonly string[])[]): Promise<boolean> {
    const tables = new Map<string, string[]>();
    for (const command of commands) {
      const { table, action, chain, rule } = parseCommand(command);
      // One command is one line: what would need quotes never comes from us.
      if (command.some((word) => /[\s"'\\]|^$/.test(word))) return false;
      const lines = tables.get(table) ?? [];
      lines.push([action, chain, ...rule].join(" "));
      tables.set(table, lines);
    }
    const input = [...tables].map(([table, lines]) => `*${table}\n${lines.join("\n")}\nCOMMIT\n`).join("");
    if (input === "") return true;
    const wait = (await this.supportsXlock()) ? ["--wait"] : [];
    return (await this.#try("iptables-restore", [...wait, "--noflush"], input)) !== undefined;
  }

  /** @throws {SystemError} `Iptables not found` when there is no such program */
  async check(): Promise<void> {
    if ((await this.#host.exec.lookPath("iptables")) === undefined) throw iptablesNotFound();
  }

  /** The output of `iptables-save`; `undefined` when it cannot be had. */
  save(): Promise<string | undefined> {
    return this.#try("iptables-save", []);
  }

  /** Adds what every command begins with, and writes the trace 1.2.0 writes. @throws {SystemError} `Iptables not found` */
  async prepare(args: readonly string[]): Promise<string[]> {
    const path = await this.#host.exec.lookPath("iptables");
    if (path === undefined) throw iptablesNotFound();
    const full = [...((await this.supportsXlock()) ? ["--wait"] : []), ...args];
    if (this.#host.env["DEBUG"]) await this.#host.stderr.write(`[debug] ${path}, [${full.join(" ")}]\n`);
    return full;
  }

  /**
   * Whether the program knows `--wait`; asked once.
   *
   * @origin pkg/iptables/iptables.go init
   * @deviation By the version (1.4.20 brought it) instead of a trial: asking takes no lock.
   */
  supportsXlock(): Promise<boolean> {
    this.#waits ??= this.#try("iptables", ["--version"]).then((text) => {
      const [, a, b, c] = /v(\d+)\.(\d+)(?:\.(\d+))?/.exec(text ?? "") ?? [];
      return a !== undefined && (Number(a) - 1 || Number(b) - 4 || Number(c ?? 0) - 20) >= 0;
    });
    return this.#waits;
  }

  #run(program: string, args: readonly string[], input?: string): Promise<ExecResult> {
    return this.#host.exec.run(program, args, input === undefined ? {} : { input });
  }

  /** Its output, when the program is there and succeeds. */
  async #try(program: string, args: readonly string[], input?: string): Promise<string | undefined> {
    try {
      const end = await this.#run(program, args, input);
      return end.code === 0 ? end.stdout.toString() : undefined;
    } catch (cause) {
      if (isErrno(cause, "ENOENT", "EACCES")) return undefined;
      throw cause;
    }
  }
}

/** The error of a command that failed. */
export function failed(args: readonly string[], output: string, end: Pick<ExecResult, "code" | "signal">): SystemError {
  const how = end.code === undefined ? `signal: ${end.signal}` : `exit status ${end.code}`;
  return new SystemError(`iptables failed: iptables ${args.join(" ")}: ${output} (${how})`);
}
