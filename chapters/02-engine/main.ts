/**
 * Chapter 02: an engine, and three handlers that call each other.
 *
 * The engine knows nothing of Docker, so the handlers need not either. They are shaped like small Unix programs: `echo`
 * writes its arguments, `upper` is a filter, and `shout` runs the two with a pipe between them.
 *
 * @module
 */

import { Engine } from "../../src/engine/engine.ts";
import type { Job, Status } from "../../src/engine/job.ts";
import type { Host } from "../../src/host/host.ts";
import { type Command, configure } from "../01-config-flags/main.ts";
import type { CallBook } from "./calls.ts";

/** What the chapters after this one begin with: flags that were read, and an engine. */
export interface Started extends Command {
  readonly eng: Engine;
}

/**
 * The first steps of mainDaemon(): no argument may be left over, then the engine is made.
 *
 * @returns `undefined` when the usage screen was all there was to do
 */
export function start(args: readonly string[], host: Host): Started | undefined {
  const command = configure(args, host);
  if (command.set.nArg() > 0) {
    command.set.usage();
    return undefined;
  }
  return { ...command, eng: new Engine(host) };
}

/** Adds the three handlers. @param calls - runs their jobs, and notes who called whom: the engine does not */
export function install(eng: Engine, calls: CallBook, clock: Host["clock"]): void {
  eng.register("echo", (job) => echo(job, clock));
  eng.register("upper", upper);
  eng.register("shout", (job) => shout(job, calls));
}

/** Writes its arguments. `SECONDS` makes it slow, `VERBOSE` makes it talk on standard error. */
export async function echo(job: Job, clock: Host["clock"]): Promise<Status | undefined> {
  if (job.getenvBool("VERBOSE")) job.errorf(`${job.name}: words: ${job.args.length}`);
  if (job.args.length === 0) return job.errorf(`Usage: ${job.name} WORD...`);
  await clock.sleep(job.getenvInt("SECONDS") * 1000);
  await job.printf(`${job.args.join(" ")}\n`);
  return undefined;
}

/** Copies standard input to standard output, in capitals. */
export async function upper(job: Job): Promise<void> {
  for await (const chunk of job.stdin) await job.printf(Buffer.from(chunk).toString("utf8").toUpperCase());
}

/** Runs `echo` and `upper` side by side, the output of one the input of the other. */
export async function shout(job: Job, calls: CallBook): Promise<void> {
  const talk = job.eng.job("echo", ...job.args);
  // A job inherits nothing: what the other one is to know must be handed over.
  talk.env().init(job.env());
  const loud = job.eng.job("upper");
  calls.connect(talk, loud);
  // Not job.stdout itself: at its end a job closes whatever it writes to.
  loud.stdout.add({ write: (chunk) => job.stdout.write(chunk) });
  const both = [calls.run(talk, job), calls.run(loud, job)];
  await Promise.allSettled(both);
  await Promise.all(both);
}
