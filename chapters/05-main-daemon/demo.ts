/**
 * Boots a daemon on a slow machine, lets clients come, and shows log and timeline of both halves.
 *
 * @module
 */

import type { Writer } from "../../src/sync/io.ts";
import { type Fault, faults, paths } from "./machine.ts";
import { stepTexts } from "./steps.ts";
import { follow, type Plan, type Step, type Trace } from "./trace.ts";

/** What the reader asked for. */
export interface Request extends Plan {
  /** A step to look into. */
  readonly step?: string | undefined;
}

/** A boot that takes about a second, with one client before, one while and one after. */
export const example = ["--clients", "30,250,700"];

/** What is asked for when an argument is missing. */
export const defaults = { disk: 10, containers: 2, clients: [30, 250, 700] };

/** What can be given. */
export const help = `Boots a daemon on a machine with a slow disk. All times are milliseconds after the start.

  --disk MS          what each file operation and each program takes (default 10, at most 1000)
  --containers N     containers that an earlier daemon left (default 2, at most 50)
  --clients A,B,…    when clients come (default 30,250,700); each asks for the list of containers
  --fail WHAT        what goes wrong: ${faults.join(", ")}
  --signal NAME@MS   a signal while it boots or after: INT@200, TERM@200
  --step NAME        show what happened in one step: ${Object.keys(stepTexts).join(", ")}
`;

/** A mistake in the arguments. */
export class UsageError extends Error {}

function whole(name: string, text: string | undefined, most: number): number {
  if (text === undefined || !/^\d{1,5}$/.test(text) || Number(text) > most) {
    throw new UsageError(`${name} wants a whole number from 0 to ${most}, not ${text ?? "nothing"}`);
  }
  return Number(text);
}

function signalOf(text: string | undefined): NonNullable<Plan["signal"]> {
  const [, name, at] = /^(INT|TERM)@(\d{1,5})$/.exec(text ?? "") ?? [];
  if (name === undefined) throw new UsageError(`--signal wants INT@MS or TERM@MS, not ${text ?? "nothing"}`);
  return { name: name as "INT" | "TERM", at: Number(at) };
}

function oneOf<T extends string>(name: string, text: string | undefined, known: readonly T[]): T {
  const found = known.find((one) => one === text);
  if (found === undefined) throw new UsageError(`${name} wants one of ${known.join(", ")}, not ${text ?? "nothing"}`);
  return found;
}

/** Reads the arguments. @throws {UsageError} */
export function read(args: readonly string[]): Request {
  let plan: Request = { ...defaults };
  const words = [...args];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const value = words.shift();
    if (word === "--disk") plan = { ...plan, disk: whole(word, value, 1000) };
    else if (word === "--containers") plan = { ...plan, containers: whole(word, value, 50) };
    else if (word === "--clients") plan = { ...plan, clients: clientsOf(value) };
    else if (word === "--fail") plan = { ...plan, fault: oneOf<Fault>(word, value, faults) };
    else if (word === "--signal") plan = { ...plan, signal: signalOf(value) };
    else if (word === "--step") plan = { ...plan, step: oneOf(word, value, Object.keys(stepTexts)) };
    else throw new UsageError(`There is no ${word}`);
  }
  return plan;
}

function clientsOf(text: string | undefined): number[] {
  const parts = (text ?? "").split(",").filter((part) => part !== "");
  if (text === undefined || parts.length > 6) throw new UsageError("--clients wants up to 6 times: 30,250,700");
  return parts.map((part) => whole("--clients", part.trim(), 60_000)).sort((a, b) => a - b);
}

/** The command line of a request, without what is as by default. */
export function write(request: Request): string[] {
  const { disk, containers, clients, fault, signal, step } = request;
  return [
    ...(disk === defaults.disk ? [] : ["--disk", String(disk)]),
    ...(containers === defaults.containers ? [] : ["--containers", String(containers)]),
    "--clients",
    clients.join(","),
    ...(fault === undefined ? [] : ["--fail", fault]),
    ...(signal === undefined ? [] : ["--signal", `${signal.name}@${signal.at}`]),
    ...(step === undefined ? [] : ["--step", step]),
  ];
}

/** Columns of the axis. */
const width = 48;

/** The whole of what is shown ends a little after the last thing that happened. */
export function axisEnd({ until, steps, clients, ended }: Trace): number {
  const last = Math.max(until, ended?.at ?? 0, ...steps.map(({ to }) => to ?? 0), ...clients.map(({ to }) => to));
  return Math.max(last, 10);
}

function timeline(trace: Trace): string[] {
  const end = axisEnd(trace);
  const column = (at: number) => Math.round((at / end) * width);
  const bar = (from: number, to: number, mark: string, tail: string) =>
    " ".repeat(column(from)) + mark.repeat(Math.max(1, column(to) - column(from))) + tail;
  const row = (head: string, name: string, drawn: string) => `${head.padEnd(7)}${name.padEnd(25)}${drawn}`.trimEnd();
  const step = ({ lane, name, from, to }: Step, i: number): string => {
    const title = stepTexts[name]?.name.en ?? name;
    const stop = trace.ended?.at ?? end;
    const tail = to !== undefined ? ` ${to - from}` : trace.ended === undefined ? ">" : "x";
    return row(i === 0 ? lane : "", title, bar(from, to ?? stop, to === from ? "|" : "=", tail));
  };
  const lane = (name: Step["lane"]) => trace.steps.filter((one) => one.lane === name).map(step);
  const clients = trace.clients.map(({ from, to, end: how, text }, i) => {
    const took = how === "answered" ? `* ${text} after ${to - from} ms` : how === "refused" ? `x ${text}` : `x ${how}`;
    const wait = to > from ? bar(from, to, ".", "") : " ".repeat(column(from));
    return row(i === 0 ? "client" : "", `comes at ${from} ms`, wait + took);
  });
  const moment = (at: number | undefined, what: string) =>
    at === undefined ? [] : [row("", "", `${" ".repeat(column(at))}^ ${what} at ${at} ms`)];
  return [
    ...lane("main"),
    ...moment(trace.listening, "the socket is there"),
    ...lane("loader"),
    ...clients,
    ...moment(trace.gate, "the gate opens"),
    ...moment(trace.ended?.at, `the process ends with ${trace.ended?.status}`),
  ];
}

/** The files that are there afterwards; the pid file of a daemon that was there before is not ours. */
export function leftText({ left, plan }: Trace, others: string): string {
  const name = (path: string) => (plan.fault === "pidfile" && path === paths.pidfile ? `${path} (${others})` : path);
  return left.map(name).join(", ");
}

/** The text of a trace. */
export function report(trace: Trace, step?: string): string[] {
  const { plan, log, handlers, ended } = trace;
  const [builtin, network, all] = handlers;
  const looked = step === undefined ? undefined : trace.steps.find(({ name }) => name === step);
  const clock = (at: number) => String(at).padStart(5);
  return [
    `Each file operation takes ${plan.disk} ms; containers from before: ${plan.containers}.`,
    "",
    "   ms  log of the daemon",
    ...log.map(({ at, text }) => `${clock(at)}  ${text}`.trimEnd()),
    "",
    ...timeline(trace),
    "",
    `handlers: ${builtin ?? 1} after the builtins${network === undefined ? "" : `, ${network} with the network`}${all === undefined ? "" : `, ${all} installed`}`,
    ...(ended === undefined ? [] : [`left behind: ${leftText(trace, "of another daemon") || "nothing"}`]),
    ...(step === undefined ? [] : ["", ...stepReport(step, looked)]),
  ];
}

function stepReport(name: string, step: Step | undefined): string[] {
  const { go = "" } = stepTexts[name] ?? {};
  if (step === undefined) return [`${name} (${go}): it did not come to that`];
  return [`${name} (${go}), from ${step.from} ms:`, ...step.touched.map((what) => `  ${what}`)];
}

/** Boots, and writes what happened. */
export async function demo(args: readonly string[], out: Writer): Promise<number> {
  if (args.includes("--help")) {
    await out.write(help);
    return 0;
  }
  let request: Request;
  try {
    request = read(args);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    await out.write(`${cause.message}.\n\n${help}`);
    return 2;
  }
  const trace = await follow(request);
  await out.write(`${report(trace, request.step).join("\n")}\n`);
  return 0;
}
