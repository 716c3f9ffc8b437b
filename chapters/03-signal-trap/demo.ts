/**
 * Sends signals to a process that exists in memory only, and tells what happens when, up to its exit status.
 *
 * @module
 */

import type { Writer } from "../../src/sync/io.ts";
import { ArgumentError, ask, example, SIGNALS } from "./arguments.ts";
import { follow, type Trace } from "./run.ts";

const HELP = `npm run chapter 03 -- [SIGNAL@TIME...] [NEW@TIME...] [--job TIME] [--handler TIME] [--debug]

SIGNAL is one of: ${SIGNALS.join(" ")}. NEW is a client that asks for a job.
TIME is 2s, 300ms or 2.5s since everything was running; for --job and --handler also: never.
  --job TIME      a job is running and takes so long; without it, only serveapi is
  --handler TIME  the containers take so long to stop, once they are told to
  --debug         DEBUG is set in the environment of the process
`;
/** `0 s`, `2.5 s`. */
export function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

/** A line for each note: when, who, what. */
function lines({ notes }: Trace): string[] {
  const when = Math.max(...notes.map(({ at }) => seconds(at).length), 0);
  const who = Math.max(...notes.map((note) => note.who.length), 0);
  return notes.map(({ at, who: name, what }, i) => {
    const time = notes[i - 1]?.at === at ? "" : seconds(at);
    return `${time.padStart(when)}  ${name.padEnd(who)}  ${what.en}`;
  });
}

/** The status a shell would show. */
export function statusOf({ end }: Pick<Trace, "end">): number {
  return end.status ?? (end.signal === undefined ? 0 : 128 + HUP);
}

/** Number of the only signal here whose default action ends a process. */
const HUP = 1;

/** Writes what happens when. */
export async function demo(args: readonly string[], out: Writer): Promise<number> {
  if (args[0] === "--help") {
    await out.write(HELP);
    return 0;
  }
  try {
    const trace = await follow(ask(args));
    const line = (args.length > 0 ? args : example).join(" ");
    await out.write(`${[line, "", ...lines(trace)].join("\n")}\n`);
    return statusOf(trace);
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause;
    await out.write(`${cause.message}\n`);
    return 2;
  }
}
