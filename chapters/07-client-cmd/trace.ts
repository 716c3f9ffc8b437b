/**
 * One command line, followed from its words to its exit status: what the text and the picture are made from.
 *
 * @module
 */

import { commands } from "../../src/api/client/commands.ts";
import type { ManualClock } from "../../src/host/memory/clock.ts";
import { memoryHost } from "../../src/host/memory/memory.ts";
import { declare } from "../01-config-flags/main.ts";
import { type Exchange, runClient, type Sight } from "./main.ts";
import { type Message, readMessage } from "./messages.ts";
import { makeWorld } from "./world.ts";

/** Who takes a word of the command line. */
export type Taker = "main" | "command" | "flags" | "arguments" | "help" | "nobody";

/** Neighbouring words that the same one takes. */
export interface Words {
  readonly taker: Taker;
  readonly words: readonly string[];
}

/** What the client decided about TLS. */
export interface TlsChoice {
  readonly mode: "off" | "unchecked" | "verified";
  /** Whether it has a certificate of its own to show. */
  readonly certificate: boolean;
}

/** One connection. */
export interface Round {
  readonly to: string;
  readonly tls: boolean;
  /** `undefined`: the connection was not opened. */
  readonly request: Message | undefined;
  /** `undefined`: nothing came back; a text: what came back is no HTTP. */
  readonly answer: Message | string | undefined;
}

/** Everything that a command line leads to. */
export interface Trace {
  readonly env: Readonly<Record<string, string>>;
  readonly words: readonly Words[];
  /** Where the daemon is, and who said so; `undefined`: the program ended before that mattered. */
  readonly host: { readonly source: "-H" | "DOCKER_HOST" | "default"; readonly address: string } | undefined;
  readonly tls: TlsChoice | undefined;
  /** The words that were looked up, and the names they were looked up by. */
  readonly methods: readonly { readonly word: string; readonly name: string; readonly found: boolean }[];
  /** What a command read of the words it was given; the last one, when there were several. */
  readonly command:
    | { readonly name: string; readonly given: readonly string[]; readonly left: readonly string[] }
    | undefined;
  readonly rounds: readonly Round[];
  /** The daemon's log: requests, jobs and their ends. */
  readonly daemon: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  /** `undefined`: it goes on until somebody stops it. */
  readonly status: number | undefined;
}

/** Takes the variables off the front of a command line, as a shell does: `DOCKER_HOST=… ps`. */
export function splitEnv(args: readonly string[]): { env: Record<string, string>; line: string[] } {
  const env: Record<string, string> = {};
  let at = 0;
  for (let word = args[at]; word !== undefined && /^[A-Z_]+=/.test(word); word = args[++at]) {
    const equals = word.indexOf("=");
    env[word.slice(0, equals)] = word.slice(equals + 1);
  }
  return { env, line: args.slice(at) };
}

/** How many words `main` takes before it stops at a command, and whether a `-H` was among them. */
function readByMain(line: readonly string[], env: Readonly<Record<string, string>>) {
  const { set, flags } = declare({ ...memoryHost(), env: { HOME: "/root", ...env } });
  try {
    set.parse(line);
  } catch {
    // What was wrong is on standard error of the real run.
  }
  return { taken: line.length - set.nArg(), hosts: flags.hosts.value.getAll() };
}

function wordsOf(line: readonly string[], taken: number, sights: readonly Sight[]): Words[] {
  const rest = line.slice(taken);
  const [word, ...others] = rest;
  const read = sights.find((sight) => sight.kind === "flags" && sight.given.join("\0") === others.join("\0"));
  const known = sights.some((sight) => sight.kind === "method" && sight.word === word && sight.found);
  const groups: Words[] = [{ taker: "main", words: line.slice(0, taken) }];
  if (!sights.some(({ kind }) => kind === "client")) groups.push({ taker: "nobody", words: rest });
  else if (word !== undefined) {
    groups.push({ taker: "command", words: [word] });
    if (read?.kind === "flags" && known) {
      const own = others.length - read.left.length;
      groups.push({ taker: "flags", words: others.slice(0, own) }, { taker: "arguments", words: others.slice(own) });
    } else groups.push({ taker: known && word.toLowerCase() !== "help" ? "arguments" : "help", words: others });
  }
  return groups.filter(({ words }) => words.length > 0);
}

function roundOf({ proto, addr, tls, sent, received }: Exchange): Round {
  const request = readMessage(sent);
  return {
    to: `${proto}://${addr}`,
    tls: tls !== undefined,
    request: typeof request === "object" ? request : undefined,
    answer: readMessage(received),
  };
}

/** Times in the reader's zone as they are in Greenwich: the same text everywhere. */
function inGreenwich(text: string, now: number): string {
  const [date = "", time = ""] = new Date(now).toISOString().split(/[T.]/);
  return text
    .replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/gm, `${date.replaceAll("-", "/")} ${time}`)
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d/g, (t) => new Date(t).toISOString().replace(".000", ""));
}

/** Turns of the event loop in which nothing may happen before time passes, and seconds before nobody waits longer. */
const [TURNS, SECONDS] = [100, 60];

/** Lets everything run that can, then lets time pass. @returns `undefined` when it does not end */
async function untilEnd(status: Promise<number>, clock: ManualClock): Promise<number | undefined> {
  let ended: number | undefined;
  const done = status.then((code) => {
    ended = code;
  });
  for (let turn = 0; turn < TURNS + SECONDS && ended === undefined; turn++) {
    await Promise.race([done, clock.advance(turn < TURNS ? 0 : 1000)]);
  }
  return ended;
}

/** Runs a command line in a world of its own. @param args - with its variables in front */
export async function follow(args: readonly string[]): Promise<Trace> {
  const { env, line } = splitEnv(args);
  const { machine, shell } = await makeWorld(env);
  const sights: Sight[] = [];
  const now = machine.clock.now();
  // A module takes as long to load as it takes: only what the command does then is waited for in turns.
  await Promise.all(line.map((word) => commands.get(methodName(word))?.load()));
  const running = runClient(line, shell, (sight) => sights.push(sight));
  const status = await untilEnd(running, machine.clock);
  const { taken, hosts } = readByMain(line, env);
  const client = sights.find((sight) => sight.kind === "client");
  const cli = client?.kind === "client" ? client.cli : undefined;
  const read = sights.findLast((sight) => sight.kind === "flags");
  const given = hosts.length > 0 ? "-H" : env["DOCKER_HOST"] ? "DOCKER_HOST" : "default";
  return {
    env,
    words: wordsOf(line, taken, sights),
    host: cli && { source: given, address: `${cli.proto}://${cli.addr}` },
    tls: cli && {
      mode: cli.tls === undefined ? "off" : cli.tls.verify ? "verified" : "unchecked",
      certificate: cli.tls?.cert !== undefined,
    },
    methods: sights.flatMap((sight) =>
      sight.kind === "method" ? [{ word: sight.word, name: methodName(sight.word), found: sight.found }] : [],
    ),
    command: read?.kind === "flags" ? { name: read.name, given: read.given, left: read.left } : undefined,
    rounds: sights.flatMap((sight) => (sight.kind === "exchange" ? [roundOf(sight.exchange)] : [])),
    daemon: [...machine.stdout.lines, ...machine.stderr.lines],
    stdout: inGreenwich(shell.stdout.text, now),
    stderr: inGreenwich(shell.stderr.text, now),
    status,
  };
}

/** The name a command word is looked up by. */
export function methodName(word: string): string {
  return `Cmd${word.slice(0, 1).toUpperCase()}${word.slice(1).toLowerCase()}`;
}

/** What can be called here: 1.2.0 has more. */
export const known: readonly string[] = [...commands.values()].map(({ name }) => name);
