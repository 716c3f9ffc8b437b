/**
 * Runs one line as a job on a real engine: its log, the tree of jobs it led to, its streams and its status.
 *
 * @module
 */

import type { Engine } from "../../src/engine/engine.ts";
import { Env } from "../../src/engine/env.ts";
import type { Job } from "../../src/engine/job.ts";
import { type MemoryHost, memoryHost } from "../../src/host/memory/memory.ts";
import type { Writer } from "../../src/sync/io.ts";
import { type Call, CallBook, everyCall, valuesOf } from "./calls.ts";
import { install, start } from "./main.ts";

/** Used when the reader gives no line. */
export const example = ["VERBOSE=1", "SECONDS=2", "shout", "hello", "aboard"];

/** A value of the environment, read in every way there is. */
export interface Reading {
  readonly name: string;
  /** The one that counts is the last. */
  readonly values: readonly string[];
  readonly bool: boolean;
  readonly int: number;
  /** `undefined` is Go's nil. */
  readonly list: readonly string[] | undefined;
  /** As it leaves the engine. */
  readonly json: string;
}

/** Everything a line leads to; text and picture are made from it. */
export interface Trace {
  /** The line that parseJob() read. */
  readonly line: string;
  readonly name: string;
  readonly args: readonly string[];
  readonly env: readonly Reading[];
  /** Names the engine knows, sorted. */
  readonly commands: readonly string[];
  /** What the engine wrote to its standard error. */
  readonly log: readonly string[];
  /** One call; two when the job was run twice. */
  readonly calls: readonly Call[];
}

/** Arguments nobody can make sense of. */
export class ArgumentError extends Error {}

const HELP = `npm run chapter 02 -- [--twice] [--show N] [NAME=VALUE...] JOB [WORD...]

JOB is one of: commands echo shout upper; any other name is a job nobody registered.
  SECONDS=N     echo waits N seconds before it writes
  VERBOSE=YES   echo says on standard error how many words it got
  --twice       run the same job a second time
  --show N      also show everything about the job that began as number N
`;
const DAY = 86_400_000;

/** What the demonstration was asked for. */
export interface Asked {
  readonly twice: boolean;
  /** Number of the call to show; 0: none. */
  readonly show: number;
  readonly words: readonly string[];
}

/** Reads the arguments. @throws ArgumentError */
export function ask(args: readonly string[]): Asked {
  let [twice, show, at] = [false, 0, 0];
  for (; args[at]?.startsWith("--"); at++) {
    if (args[at] === "--twice") twice = true;
    else if (args[at] === "--show" && /^[1-9]\d?$/.test(args[at + 1] ?? "")) show = Number(args[++at]);
    else throw new ArgumentError(`Cannot read ${[args[at], args[at + 1]].join(" ").trim()}: see --help`);
  }
  const words = args.slice(at);
  return { twice, show, words: words.length > 0 ? words : example };
}

/** An engine with the three handlers, in a world of its own. */
export function stage(host: MemoryHost = memoryHost({ env: { HOME: "/root" } })): {
  host: MemoryHost;
  eng: Engine;
  calls: CallBook;
} {
  const started = start(["-d"], host);
  if (started === undefined) throw new TypeError("docker -d leaves no argument over");
  const calls = new CallBook(host.clock);
  install(started.eng, calls, host.clock);
  return { host, eng: started.eng, calls };
}

/** Every value of an environment, read in every way. */
export function readings(env: Env): Reading[] {
  return valuesOf(env).map(([name, values]) => {
    const only = new Env();
    only.set("", env.get(name));
    return {
      name,
      values,
      bool: env.getBool(name),
      int: env.getInt(name),
      list: env.getList(name),
      json: only.encode().slice('{"":'.length, -"}\n".length),
    };
  });
}

/** Runs a line. @throws ArgumentError when it is none, or takes longer than a day */
export async function follow(asked: Asked): Promise<Trace> {
  const { host, eng, calls } = stage();
  const line = asked.words.join(" ");
  let job: Job;
  try {
    job = eng.parseJob(line);
  } catch (cause) {
    throw new ArgumentError(cause instanceof Error ? cause.message : String(cause));
  }
  const env = readings(job.env());
  for (let turn = 0; turn < (asked.twice ? 2 : 1); turn++) {
    let ended = false;
    const end = () => {
      ended = true;
    };
    calls.run(job).then(end, end);
    await host.clock.advance(0);
    if (!ended) await host.clock.advance(DAY);
    if (!ended) throw new ArgumentError("The job takes longer than a day: give it fewer SECONDS");
  }
  const { name, args } = job;
  return { line, name, args, env, commands: eng.commands(), log: host.stderr.lines, calls: calls.roots };
}

/** `2 s`, `0.5 s`. */
export function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

const quoted = (text: string): string => (text === "" ? '""' : text);

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)) + 2);
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("")
      .trimEnd(),
  );
}

function envLines(env: readonly Reading[]): string[] {
  if (env.length === 0) return [];
  const rows = env.map(({ name, values, bool, int, list, json }) => [
    name,
    values.map(quoted).join(", then "),
    String(bool),
    String(int),
    list === undefined ? "nil" : JSON.stringify(list),
    json,
  ]);
  return ["environment", ...columns([["name", "text", "bool", "int", "list", "as JSON"], ...rows]).map(indent), ""];
}

const indent = (line: string): string => `  ${line}`.trimEnd();
const linesOf = (text: string): string[] => (text === "" ? ["(nothing)"] : text.replace(/\n$/, "").split("\n"));

/** The tree as text; every line with what stands behind it. */
function treeLines(calls: readonly Call[], before = ""): [string, string][] {
  return calls.flatMap((call, i) => {
    const last = i === calls.length - 1;
    const [mark, deeper] = before === "" ? ["", " "] : [last ? "└─ " : "├─ ", last ? "   " : "│  "];
    const below = `${before === "" ? "" : before}${deeper}`;
    const head = `${before.slice(1)}${mark}${call.id} ${call.call}${call.status}`;
    const note = call.refused ? "not run" : seconds(call.end - call.begin);
    return [[head, note] as [string, string], ...treeLines(call.children, below)];
  });
}

function detail(call: Call): string[] {
  return [
    `job ${call.id}`,
    ...columns([
      ["name", call.name],
      ["args", `[${call.args.join(", ")}]`],
      ["env", call.env.flatMap(([name, values]) => values.map((value) => `${name}=${value}`)).join(" ") || "(nothing)"],
      ["stdin", JSON.stringify(call.stdin)],
      ["stdout", JSON.stringify(call.stdout)],
      ["stderr", JSON.stringify(call.stderr)],
      ["status", String(call.code)],
    ]).map(indent),
    "",
  ];
}

/** Writes what a line leads to. */
export async function demo(args: readonly string[], out: Writer): Promise<number> {
  if (args[0] === "--help") {
    await out.write(HELP);
    return 0;
  }
  try {
    const asked = ask(args);
    const trace = await follow(asked);
    const last = trace.calls.at(-1);
    const shown = everyCall(trace.calls).find(({ id }) => id === asked.show);
    if (asked.show > 0 && shown === undefined) throw new ArgumentError(`There is no job number ${asked.show}`);
    const lines = [
      trace.line,
      "",
      ...envLines(trace.env),
      "log",
      ...(trace.log.length > 0 ? trace.log : ["(nothing)"]).map(indent),
      "",
      "jobs",
      ...columns(treeLines(trace.calls)).map(indent),
      "",
      ...(shown === undefined ? [] : detail(shown)),
      "standard output",
      ...linesOf(trace.calls.map(({ stdout }) => stdout).join("")).map(indent),
      "",
      ...trace.calls.map(({ error }) => (error === undefined ? "run() returned" : `run() failed: ${error}`)),
      `statusCode() is ${last?.code ?? 0}`,
    ];
    await out.write(`${lines.join("\n")}\n`);
    return last?.code || (last?.error === undefined ? 0 : 1);
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause;
    await out.write(`${cause.message}\n`);
    return 2;
  }
}
