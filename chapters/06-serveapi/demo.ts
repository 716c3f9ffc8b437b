/**
 * Boots a daemon that takes its time, sends it requests before and after its gate opens, and shows what comes back.
 *
 * @module
 */

import { ROUTES } from "../../src/api/server/routes.ts";
import type { Writer } from "../../src/sync/io.ts";
import { type Ask, follow, type Plan, type Trace, type Visit } from "./trace.ts";

/** What the reader asked for. */
export interface Request extends Plan {
  /** Show the daemon's log, too. */
  readonly log: boolean;
}

/** Two clients that come too early, and two that come in time. */
export const example = [
  "--before-gate",
  "GET",
  "/_ping",
  "GET",
  "/version",
  "--after-gate",
  "GET",
  "/containers/json",
  "DELETE",
  "/containers/nobody",
];

/** What can be given. */
export const help = `Sends requests to a daemon that boots. Its machine has one image, busybox, and no containers.

  METHOD PATH [BODY]   a request; BODY is JSON and begins with { or [
  --before-gate        the requests that follow come while the daemon boots
  --after-gate         … half a second after it is ready, one after the other (that is how it begins)
  --via ADDRESS        the requests that follow go to this address: unix:///var/run/docker.sock
  --boot SECONDS       how long the daemon takes (default 3, at most 60)
  --log                show the daemon's log
  --routes             list the routes, and the jobs behind them

  -H ADDRESS, -G GROUP, --tls, --tlsverify, --api-enable-cors     flags of the daemon
`;

/** A mistake in the arguments. */
export class UsageError extends Error {}

const daemonFlags: Readonly<Record<string, boolean>> = {
  "-H": true,
  "-G": true,
  "--tls": false,
  "--tlsverify": false,
  "--api-enable-cors": false,
};
const mostAsks = 12;

function seconds(text: string | undefined): number {
  if (text === undefined || !/^\d{1,2}(\.\d)?$/.test(text) || Number(text) > 60) {
    throw new UsageError(`--boot wants seconds from 0 to 60, not ${text ?? "nothing"}`);
  }
  return Number(text) * 1000;
}

/** Reads the arguments. @throws {UsageError} */
export function read(args: readonly string[]): Request {
  const flags: string[] = [];
  const asks: Ask[] = [];
  let boot = 3000;
  let log = false;
  let early = false;
  let via: string | undefined;
  const words = [...args];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const takesValue = daemonFlags[word];
    if (takesValue !== undefined) {
      const value = takesValue ? words.shift() : undefined;
      if (takesValue && value === undefined) throw new UsageError(`${word} wants a value`);
      flags.push(word, ...(value === undefined ? [] : [value]));
    } else if (word === "--boot") boot = seconds(words.shift());
    else if (word === "--log") log = true;
    else if (word === "--before-gate" || word === "--after-gate") early = word === "--before-gate";
    else if (word === "--via") {
      via = words.shift();
      if (!/^(unix|tcp):\/\/./.test(via ?? "")) throw new UsageError("--via wants unix://PATH or tcp://HOST:PORT");
    } else if (/^[A-Z]+$/.test(word)) {
      const target = words.shift();
      if (!target?.startsWith("/")) throw new UsageError(`${word} wants a path that begins with /`);
      const body = /^[{[]/.test(words[0] ?? "") ? words.shift() : undefined;
      asks.push({ method: word, target, body, early, via });
    } else throw new UsageError(`There is no ${word}: a request is METHOD PATH [BODY]`);
  }
  if (asks.length > mostAsks) throw new UsageError(`At most ${mostAsks} requests, not ${asks.length}`);
  return { flags, boot, asks, log };
}

/** The arguments of a request, without what is as by default; a reader can type them. */
export function write({ flags, boot, asks, log }: Request): string[] {
  const words = [...flags, ...(boot === 3000 ? [] : ["--boot", String(boot / 1000)]), ...(log ? ["--log"] : [])];
  let early = false;
  let via: string | undefined;
  for (const ask of asks) {
    if (ask.early !== early) words.push(ask.early ? "--before-gate" : "--after-gate");
    if (ask.via !== via && ask.via !== undefined) words.push("--via", ask.via);
    words.push(ask.method, ask.target, ...(ask.body === undefined ? [] : [ask.body]));
    ({ early, via } = ask);
  }
  return words;
}

const clock = (at: number): string => String(at).padStart(6);

/** How a request fared at the gate. */
export function gateText({ at, letIn, failure }: Visit): string {
  if (letIn === undefined) return failure;
  return letIn > at ? `waited at the gate for ${letIn - at} ms` : "let in at once";
}

/** Everything that happened at the doors, in its order. */
function diary({ doors, visits, opened, told, ended }: Trace): string[] {
  const events: { at: number; text: string }[] = doors.map(({ address, given, file }) => ({
    at: 0,
    text: `listens on ${address}${file === "" ? "" : `  ${file}`}${given === address ? "" : `  (${given})`}`,
  }));
  if (ended?.at === 0) events.length = 0;
  visits.forEach((visit, i) => {
    const name = `${i + 1} ${visit.ask.method} ${visit.ask.target}`;
    const { at, letIn, failure } = visit;
    if (letIn === at) events.push({ at, text: `${name}: let in at once` });
    else
      events.push({ at, text: `${name}: ${letIn === undefined && visit.to === at ? failure : "connects, and waits"}` });
    if (letIn !== undefined && letIn > at) events.push({ at: letIn, text: `${name}: let in after ${letIn - at} ms` });
    else if (letIn === undefined && visit.to > at) events.push({ at: visit.to, text: `${name}: ${failure}` });
  });
  if (opened !== undefined) events.push({ at: opened - 0.5, text: "acceptconnections: the gate opens" });
  for (const text of told) events.push({ at: (opened ?? 0) - 0.4, text: `init is told: ${text}` });
  if (ended !== undefined) {
    events.push({ at: ended.at, text: `the daemon ends with status ${ended.status}: ${ended.text}` });
  }
  return events.sort((a, b) => a.at - b.at).map(({ at, text }) => `${clock(Math.ceil(at))}  ${text}`);
}

const widest = 100;

/** A body in lines that fit a terminal; what is no text is escaped. */
export function bodyLines(body: string): string[] {
  if (body === "") return [];
  const printable = body.replace(
    /[\x00-\x09\x0b-\x1f\x7f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  const lines = printable.replace(/\n$/, "").split("\n");
  const short = lines.slice(0, 8).map((line) => (line.length > widest ? `${line.slice(0, widest)}…` : line));
  return [...short, ...(lines.length > 8 ? ["…"] : [])];
}

/** The route that fitted, as the table has it. */
export function routeText({ route }: Visit): string {
  if (route === undefined) return "no route";
  return `route ${`${route.method} ${route.path}`.trim()}${route.version === undefined ? "" : `, version ${route.version}`}`;
}

function visitLines(visit: Visit, i: number): string[] {
  const { ask, via, jobs, answer, failure } = visit;
  const head = `${i + 1}  ${ask.method} ${ask.target} HTTP/1.1   ${via}`;
  const how = `${gateText(visit)} · ${routeText(visit)} · ${jobs.length === 0 ? "no job" : `job ${jobs.join(", ")}`}`;
  if (answer === undefined) return [head, `   ${failure}`];
  return [
    head,
    `   ${how}`,
    ...[answer.statusLine, ...answer.headers, ...(answer.body === "" ? [] : ["", ...bodyLines(answer.body)])].map(
      (line) => `   ${line}`.trimEnd(),
    ),
    ...(failure === "" ? [] : ["", `   (${failure})`]),
  ];
}

/** The text of a trace. */
export function report(trace: Trace, log = false): string[] {
  const { plan, visits } = trace;
  const line = ["docker", "-d", ...plan.flags].join(" ");
  return [
    `${line}   (its own half takes ${plan.boot / 1000} s)`,
    "",
    "    ms",
    ...diary(trace),
    ...visits.flatMap((visit, i) => ["", ...visitLines(visit, i)]),
    ...(log ? ["", "    ms  log of the daemon", ...trace.log.map(({ at, text }) => `${clock(at)}  ${text}`)] : []),
  ];
}

/** The table of routes as text. */
export function routeTable(): string[] {
  const width = Math.max(...ROUTES.map(({ path }) => path.length)) + 2;
  return ROUTES.map(
    ({ method, path, jobs }) => `${method.padEnd(9)}${(path || "any path").padEnd(width)}${jobs.join(" ") || "-"}`,
  );
}

/** Boots, sends, and writes what happened. */
export async function demo(args: readonly string[], out: Writer): Promise<number> {
  const write = (lines: readonly string[]) => out.write(`${lines.join("\n")}\n`);
  if (args.includes("--help")) {
    await out.write(help);
    return 0;
  }
  if (args.includes("--routes")) {
    await write(routeTable());
    return 0;
  }
  try {
    const request = read(args.length === 0 ? example : args);
    await write(report(await follow(request), request.log));
    return 0;
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    await out.write(`${cause.message}.\n\n${help}`);
    return 2;
  }
}
