/**
 * Notes which job was run by whom, and what went through its streams.
 *
 * The engine's log has a line for each beginning and each end, and nothing says to which other job they belong. Whoever
 * wants the tree must write it down where the jobs are run: here.
 *
 * @module
 */

import type { Env } from "../../src/engine/env.ts";
import type { Job } from "../../src/engine/job.ts";
import type { Clock } from "../../src/host/clock.ts";
import { BufferWriter } from "../../src/sync/io.ts";

/** One call of `job.run()`. */
export interface Call {
  /** From 1, in the order they began. */
  readonly id: number;
  /** `echo(hello, aboard)` */
  readonly call: string;
  readonly name: string;
  readonly args: readonly string[];
  /** Every value under its name, the last one first looked at. */
  readonly env: readonly (readonly [name: string, values: readonly string[]])[];
  readonly children: readonly Call[];
  /** Milliseconds since the demonstration began. */
  readonly begin: number;
  readonly end: number;
  /** ` = OK (0)`, as the log has it; empty for a job without a handler. */
  readonly status: string;
  readonly code: number;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  /** What `run()` threw; `undefined` when it did not. */
  readonly error: string | undefined;
  /** Whether the engine did not even begin: the job had ended before. */
  readonly refused: boolean;
}

type Draft = { -readonly [K in keyof Call]: Call[K] } & { children: Draft[] };

/** Runs jobs and keeps a record of it. */
export class CallBook {
  /** The calls that no job made. */
  readonly roots: Call[] = [];
  readonly #open = new Map<Job, Draft>();
  readonly #inputs = new Map<Job, BufferWriter>();
  readonly #clock: Pick<Clock, "monotonicMs">;
  #count = 0;

  /** @param clock - when jobs begin and end */
  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Makes the standard output of one job the standard input of another. */
  connect(from: Job, to: Job): void {
    const seen = new BufferWriter();
    const pipe = from.stdout.addPipe();
    this.#inputs.set(to, seen);
    to.stdin.add(
      (async function* () {
        for await (const chunk of pipe) {
          seen.write(chunk);
          yield chunk;
        }
      })(),
    );
  }

  /** Runs a job. @param parent - the job whose handler asks for it @throws what the job throws */
  async run(job: Job, parent?: Job): Promise<void> {
    const [stdout, stderr] = [new BufferWriter(), new BufferWriter()];
    job.stdout.add(stdout);
    job.stderr.add(stderr);
    const draft = this.#begin(job, parent);
    try {
      await job.run();
    } catch (cause) {
      draft.error = cause instanceof Error ? cause.message : String(cause);
      throw cause;
    } finally {
      this.#open.delete(job);
      draft.end = this.#clock.monotonicMs();
      draft.status = draft.refused ? "" : job.statusString();
      draft.code = job.statusCode();
      draft.stdin = this.#inputs.get(job)?.toString() ?? "";
      draft.stdout = stdout.toString();
      draft.stderr = stderr.toString();
    }
  }

  #begin(job: Job, parent: Job | undefined): Draft {
    const now = this.#clock.monotonicMs();
    const draft: Draft = {
      id: ++this.#count,
      call: job.callString(),
      name: job.name,
      args: [...job.args],
      env: valuesOf(job.env()),
      children: [],
      begin: now,
      end: now,
      status: "",
      code: 0,
      stdin: "",
      stdout: "",
      stderr: "",
      error: undefined,
      refused: job.statusString() !== "",
    };
    const above = parent && this.#open.get(parent);
    (above?.children ?? (this.roots as Draft[])).push(draft);
    this.#open.set(job, draft);
    return draft;
  }
}

/** Names in the order they first appeared, each with all its values. */
export function valuesOf(env: Env): [name: string, values: string[]][] {
  const all = env.multiMap();
  return [...env.map().keys()].map((name) => [name, all.get(name) ?? []]);
}

/** A call and everything it led to, in the order they began. */
export function everyCall(calls: readonly Call[]): Call[] {
  return calls.flatMap((call) => [call, ...everyCall(call.children)]).sort((a, b) => a.id - b.id);
}
