/**
 * The arguments of the demonstration: which signals, when, and how long everything takes.
 *
 * @module
 */

/** Signals the demonstration can send. */
export const SIGNALS = ["INT", "TERM", "QUIT", "HUP", "USR1", "USR2"] as const;
export type SignalName = (typeof SIGNALS)[number];

/** What happens from outside, and when. */
export interface Happening {
  /** `NEW`: a client asks for a job. */
  readonly what: SignalName | "NEW";
  /** Milliseconds since everything was running. */
  readonly at: number;
}

/** What the demonstration was asked for. */
export interface Asked {
  readonly happenings: readonly Happening[];
  /** How long the running job takes, in milliseconds; `undefined`: no job is running. */
  readonly job: number | undefined;
  /** How long the containers take to stop, in milliseconds. */
  readonly handler: number;
  readonly debug: boolean;
}

/** Arguments nobody can make sense of. */
export class ArgumentError extends Error {}

/** Used when the reader gives no arguments. */
export const example = ["TERM@0", "INT@2s", "--job", "7s", "--handler", "12s"];

/** Ten minutes: nothing that can be asked for happens later. */
const LONGEST = 600_000;

/** `7s`, `300ms`, `2.5`, `never` → milliseconds. */
function readTime(text: string, allowNever: boolean): number {
  if (allowNever && text === "never") return Number.POSITIVE_INFINITY;
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text) ?? [];
  const ms = Math.round(Number(digits) * (unit === "ms" ? 1 : 1000));
  if (digits === undefined) throw new ArgumentError(`Not a time: ${text || '""'} (7s, 300ms, 2.5s)`);
  if (ms > LONGEST) throw new ArgumentError(`Too long: ${text} (600s at most, or never)`);
  return ms;
}

/** A time as the arguments have it. */
export function timeText(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return "never";
  if (ms === 0) return "0";
  return ms >= 1000 ? `${ms / 1000}s` : `${ms}ms`;
}

function readHappening(word: string): Happening {
  const [, name = "", at = ""] = /^(?:SIG)?([A-Z0-9]+)@(.*)$/.exec(word.toUpperCase()) ?? [];
  const what = [...SIGNALS, "NEW" as const].find((known) => known === name);
  if (what === undefined) throw new ArgumentError(`Cannot read ${word}: see --help`);
  return { what, at: readTime(at.toLowerCase(), false) };
}

/** Reads the arguments. @throws ArgumentError */
export function ask(args: readonly string[]): Asked {
  const happenings: Happening[] = [];
  let job: number | undefined;
  let [handler, debug] = [0, false];
  const words = [...(args.length > 0 ? args : example)];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--debug") debug = true;
    else if (word === "--job") job = readTime(words.shift() ?? "", true);
    else if (word === "--handler") handler = readTime(words.shift() ?? "", true);
    else happenings.push(readHappening(word));
  }
  return { happenings: happenings.sort((a, b) => a.at - b.at), job, handler, debug };
}

/** The arguments that ask for this. */
export function argsOf({ happenings, job, handler, debug }: Asked): string[] {
  return [
    ...happenings.map(({ what, at }) => `${what}@${timeText(at)}`),
    ...(job === undefined ? [] : ["--job", timeText(job)]),
    ...(handler === 0 ? [] : ["--handler", timeText(handler)]),
    ...(debug ? ["--debug"] : []),
  ];
}
