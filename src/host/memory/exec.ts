/**
 * Programs that do not run: each call is written down and answered from a script.
 *
 * @module
 */

import { BufferWriter, type Reader, readAll } from "../../sync/io.ts";
import type { Exec, ExecOptions, ExecResult } from "../host.ts";

/** A call that was made. */
export interface ExecCall {
  readonly command: string;
  readonly args: readonly string[];
  readonly options: ExecOptions;
  /** What it was given on its standard input. */
  readonly input: Buffer;
}

/** What a program answers; missing parts are success and silence. */
export interface CannedResult {
  code?: number;
  signal?: string;
  stdout?: Uint8Array | string;
  stderr?: Uint8Array | string;
}

/** A fixed answer, or one that depends on the call. */
export type Answer = CannedResult | ((call: ExecCall) => CannedResult | Promise<CannedResult>);

/** Records calls; a program without an answer does not exist. */
export class RecordedExec implements Exec {
  /** Every call, in order. */
  readonly calls: ExecCall[] = [];
  readonly #answers: Map<string, Answer>;

  /** @param answers - by the program's name as it is called */
  constructor(answers: Readonly<Record<string, Answer>>) {
    this.#answers = new Map(Object.entries(answers));
  }

  /** Installs a program, or replaces it. */
  answer(command: string, answer: Answer): void {
    this.#answers.set(command, answer);
  }

  async run(command: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    options.signal?.throwIfAborted();
    const call = { command, args, options, input: await inputOf(options.input) };
    this.calls.push(call);
    const answer = this.#answers.get(command);
    if (answer === undefined) {
      throw Object.assign(new Error(`spawn ${command} ENOENT`), {
        code: "ENOENT",
        errno: -2,
        syscall: `spawn ${command}`,
      });
    }
    const { code = 0, signal, stdout = "", stderr = "" } = typeof answer === "function" ? await answer(call) : answer;
    return {
      code: signal === undefined ? code : undefined,
      signal,
      stdout: Buffer.from(stdout as Uint8Array),
      stderr: Buffer.from(stderr as Uint8Array),
    };
  }

  async *pipe(command: string, args: readonly string[], input: Reader): AsyncGenerator<Uint8Array> {
    const { code, stdout, stderr } = await this.run(command, args, { input });
    if (stdout.length > 0) yield stdout;
    if (code !== 0) throw new Error(`${command}: ${stderr.toString().trim() || `exit status ${code}`}`);
  }

  async lookPath(command: string): Promise<string | undefined> {
    if (!this.#answers.has(command)) return undefined;
    return command.includes("/") ? command : `/usr/bin/${command}`;
  }
}

async function inputOf(input: ExecOptions["input"]): Promise<Buffer> {
  if (input === undefined) return Buffer.alloc(0);
  if (typeof input !== "string" && !(input instanceof Uint8Array)) return readAll(input);
  const buffer = new BufferWriter();
  buffer.write(input);
  return buffer.bytes();
}
