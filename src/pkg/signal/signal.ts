/**
 * Signals by name.
 *
 * @origin pkg/signal/signal.go
 * @module
 */

import type { Host } from "../../host/host.ts";

/**
 * Names without `SIG` → numbers on Linux, on all processors Go 1.3 knew as `amd64`.
 *
 * @origin pkg/signal/signal_linux.go SignalMap
 */
export const signalMap: ReadonlyMap<string, number> = new Map([
  ["ABRT", 6],
  ["ALRM", 14],
  ["BUS", 7],
  ["CHLD", 17],
  ["CLD", 17],
  ["CONT", 18],
  ["FPE", 8],
  ["HUP", 1],
  ["ILL", 4],
  ["INT", 2],
  ["IO", 29],
  ["IOT", 6],
  ["KILL", 9],
  ["PIPE", 13],
  ["POLL", 29],
  ["PROF", 27],
  ["PWR", 30],
  ["QUIT", 3],
  ["SEGV", 11],
  ["STKFLT", 16],
  ["STOP", 19],
  ["SYS", 31],
  ["TERM", 15],
  ["TRAP", 5],
  ["TSTP", 20],
  ["TTIN", 21],
  ["TTOU", 22],
  ["UNUSED", 31],
  ["URG", 23],
  ["USR1", 10],
  ["USR2", 12],
  ["VTALRM", 26],
  ["WINCH", 28],
  ["XCPU", 24],
  ["XFSZ", 25],
]);

/** Linux's real-time signals. */
const RTMIN = 34;
const RTMAX = 64;

/**
 * The number of a signal that a client of today names: in capitals or not, with or without `SIG`, real-time ones too.
 *
 * @param text - a name, or a number, which is not looked at
 * @returns `undefined` for a name that none has
 * @since Docker 1.9
 */
export function parseSignal(text: string): number | undefined {
  if (/^[+-]?\d+$/.test(text)) return Number(text) === 0 ? undefined : Number(text);
  const name = text.toUpperCase().replace(/^SIG/, "");
  const [, end, digits = "0"] = /^RT(MIN|MAX)(?:[+-](\d{1,2}))?$/.exec(name) ?? [];
  const steps = Number(digits);
  if (end === "MIN" && !name.includes("-") && steps <= 15) return RTMIN + steps;
  if (end === "MAX" && !name.includes("+") && steps <= 14) return RTMAX - steps;
  return signalMap.get(name);
}

/** Whether Linux has a signal of this number for programs to use. @since Docker 1.9 */
export function validSignalForPlatform(signal: number): boolean {
  return (signal >= 1 && signal < 32) || (signal >= RTMIN && signal <= RTMAX);
}

/** Second names of signals that have another one above. */
const ALIASES: ReadonlySet<string> = new Set(["CLD", "IOT", "POLL", "UNUSED"]);

/**
 * Signals that no handler may have: two the kernel does not allow, four that say that the program itself went wrong
 * and would come back at once, and one the runtime keeps for its profiler.
 */
const UNTRAPPABLE: ReadonlySet<string> = new Set(["KILL", "STOP", "BUS", "FPE", "ILL", "SEGV", "PROF"]);

/** The name of a signal, the first of two. */
export function signalName(number: number): string | undefined {
  for (const [name, value] of signalMap) if (value === number && !ALIASES.has(name)) return name;
  return undefined;
}

/**
 * Calls `handler` for every signal this process may handle.
 *
 * @param handler - told the name without `SIG`; of two names always the same one, where 1.2.0 picks at random
 * @returns gives the signals their default actions back
 * @origin pkg/signal/signal.go CatchAll, StopCatch
 */
export function catchAll(host: Pick<Host, "signals">, handler: (name: string) => void): () => void {
  const stops = [...signalMap.keys()]
    .filter((name) => !ALIASES.has(name) && !UNTRAPPABLE.has(name))
    .map((name) => host.signals.on(`SIG${name}`, () => handler(name)));
  return () => {
    for (const stop of stops) stop();
  };
}
