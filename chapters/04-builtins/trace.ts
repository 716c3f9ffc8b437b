/**
 * A start, step by step, as it really happens: the engine's own `register` is watched.
 *
 * @module
 */

import { ROUTES } from "../../src/api/server/routes.ts";
import { Daemon, type DaemonParts } from "../../src/daemon/daemon.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { messageOf } from "../../src/errdefs/errdefs.ts";
import { TagStore } from "../../src/graph/tags.ts";
import type { MemoryHost } from "../../src/host/memory/memory.ts";
import { ExitError } from "../../src/host/memory/process.ts";
import { BufferWriter } from "../../src/sync/io.ts";
import { start, type Trapped } from "../03-signal-trap/main.ts";
import { CATALOGUE, type Entry, namesOf, type Part } from "./catalogue.ts";
import { type Machine, machine, rulesOf } from "./machine.ts";
import { initNetwork, load } from "./main.ts";
import type { Wishes, Word } from "./wishes.ts";

/** The steps of a start that register. */
export const STEPS: readonly { readonly call: string; readonly parts: readonly Part[] }[] = [
  { call: "engine.New()", parts: ["engine"] },
  { call: "builtins.Register(eng)", parts: ["daemon", "remote", "events", "version", "registry"] },
  { call: "the job init_networkdriver", parts: ["bridge"] },
  { call: "Daemon.Install(eng)", parts: ["install"] },
  { call: "TagStore.Install(eng)", parts: ["tagstore"] },
];

/** What one step did to the table. */
export interface Step {
  readonly call: string;
  readonly parts: readonly Part[];
  /** What it registered, in order. */
  readonly added: readonly string[];
  /** What it registers in 1.2.0 and not here, yet. */
  readonly missing: readonly string[];
  /** Names in our table after it, and in that of 1.2.0. */
  readonly size: number;
  readonly original: number;
  /** Why it did nothing. */
  readonly skipped: boolean;
}

/** What the network driver did to the machine. */
export interface Network {
  readonly bridge: string;
  readonly address: string;
  readonly rules: readonly string[];
  readonly forwarding: boolean;
  /** What it left in the engine for others: `httpapi.bridgeIP`. */
  readonly bridgeIP: string;
}

/** A job that was asked for at the end, and its answer. */
export interface Answer {
  readonly word: Word;
  readonly text: string;
}

/** Everything that happened. */
export interface Trace {
  readonly steps: readonly Step[];
  readonly network: Network | undefined;
  readonly answers: readonly Answer[];
  /** What the engine and its jobs logged while the daemon started. */
  readonly log: string;
  /** The call that failed, and why; both "" if none did. */
  readonly failed: string;
  readonly end: string;
  readonly status: number;
}

/** What is known about a name: where it comes from, and what leads to it from outside. */
export interface Detail extends Entry {
  /** `GET /events`, as in the table of routes. */
  readonly routes: readonly string[];
}

/** Looks a name up. */
export function detailOf(name: string): Detail | undefined {
  const entry = CATALOGUE.find((one) => one.name === name);
  if (entry === undefined) return undefined;
  const routes = ROUTES.filter(({ jobs }) => jobs.includes(name)).map(({ method, path }) => `${method} ${path}`);
  return { ...entry, routes };
}

/** Watches the table of an engine that exists. */
class Watch {
  readonly steps: Step[] = [];
  readonly #eng: Engine;
  #added: string[];
  #original = 0;

  constructor(eng: Engine) {
    this.#eng = eng;
    this.#added = eng.commands();
    const register = eng.register.bind(eng);
    eng.register = (name, handler) => {
      register(name, handler);
      this.#added.push(name);
    };
  }

  /** Ends a step: what was registered since the last one is its doing. */
  end(skipped = false): void {
    const { call, parts } = STEPS[this.steps.length] as (typeof STEPS)[number];
    const added = this.#added.splice(0);
    const expected = skipped ? [] : namesOf(...parts);
    this.#original += expected.length;
    this.steps.push({
      call,
      parts,
      added,
      missing: expected.filter((name) => !added.includes(name)),
      size: this.#eng.commands().length,
      original: this.#original,
      skipped,
    });
  }
}

/** Starts a daemon as far as wished, then runs what was asked for. */
export async function follow(wishes: Wishes): Promise<Trace> {
  const world = machine(wishes);
  const { host } = world;
  let started: Trapped | undefined;
  try {
    started = start(["-d", ...wishes.flags], host);
  } catch (cause) {
    if (!(cause instanceof ExitError)) throw cause;
  }
  if (started === undefined) {
    return { steps: [], network: undefined, answers: [], log: "", failed: "", end: complaint(host), status: 2 };
  }
  const watch = new Watch(started.eng);
  let [failed, end] = ["", ""];
  try {
    await boot(started, host, watch, wishes);
  } catch (cause) {
    const next = watch.steps.length === 2 && wishes.twice ? 1 : watch.steps.length;
    failed = STEPS[next]?.call ?? "";
    end = messageOf(cause);
  }
  // What both streams got, in the order of the streams: nothing here depends on more.
  const logged = host.stdout.text + host.stderr.text;
  const network = watch.steps[2]?.skipped === false ? networkOf(world, started) : undefined;
  const answers = end === "" ? await ask(started.eng, host, wishes.words) : [];
  return { steps: watch.steps, network, answers, log: logged, failed, end, status: end === "" ? 0 : 1 };
}

/** What is wrong with the flags, in a line; the usage screen is left out. */
function complaint(host: MemoryHost): string {
  const [line = ""] = host.stderr.text.trimStart().split("\n");
  return line.startsWith("Usage") ? "There is a word that is neither a flag nor one of ours: see --help" : line;
}

async function boot(started: Trapped, host: MemoryHost, watch: Watch, wishes: Wishes): Promise<void> {
  const { eng, flags, log } = started;
  watch.end();
  if (wishes.steps < 2) return;
  load(started, host);
  watch.end();
  if (wishes.twice) load(started, host);
  if (wishes.steps < 3) return;
  watch.end(!(await initNetwork(eng, flags.config)));
  if (wishes.steps < 4) return;
  install(eng, host, log, watch, wishes.steps);
}

/** A daemon that has nothing in it: enough to see what it installs. Its tag store installs last. */
function install(eng: Engine, host: MemoryHost, log: Trapped["log"], watch: Watch, steps: number): void {
  const repositories = {
    install(engine: Engine): void {
      watch.end();
      if (steps < 5) return;
      TagStore.prototype.install.call({} as TagStore, engine);
      watch.end();
    },
  };
  const parts = { config: { root: "/" }, eng, host, log, repositories } as unknown as DaemonParts;
  new Daemon(parts).install(eng);
}

function networkOf({ host, links }: Machine, { eng, flags }: Trapped): Network {
  const bridge = flags.config.bridgeIface || "docker0";
  const index = links.list().find(({ name }) => name === bridge)?.index;
  const address = links.addresses().find((one) => one.index === index);
  return {
    bridge,
    address: address === undefined ? "" : `${address.address}/${address.prefix}`,
    rules: rulesOf(host),
    forwarding: host.volume.readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8") === "1\n",
    bridgeIP: String(eng.hackGetGlobalVar("httpapi.bridgeIP")),
  };
}

/** Runs jobs, one after another. */
async function ask(eng: Engine, host: MemoryHost, words: readonly Word[]): Promise<Answer[]> {
  eng.logging = false;
  const answers: Answer[] = [];
  for (const word of words) answers.push({ word, text: await answerTo(eng, host, word) });
  return answers;
}

async function answerTo(eng: Engine, host: MemoryHost, { job: name, value }: Word): Promise<string> {
  const now = String(Math.floor(host.clock.now() / 1000));
  switch (name) {
    case "log": {
      for (let i = 1; i <= Number(value); i++) await run(eng, "log", ["start", `c${i}`, "busybox"]);
      return `${value} events are logged.\n`;
    }
    case "events":
      // Without an end it would wait for the next event for ever.
      return run(eng, "events", [], { since: value, until: now });
    case "search":
      return run(eng, "search", [value]);
    case "auth": {
      const [username = "", ...password] = value.split(":");
      return run(eng, "auth", [], { authConfig: JSON.stringify({ username, password: password.join(":") }) });
    }
    default:
      return run(eng, name, []);
  }
}

/** The output of a job, or its error. */
async function run(eng: Engine, name: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const job = eng.job(name, ...args);
  for (const [key, value] of Object.entries(env)) job.setenv(key, value);
  const out = new BufferWriter();
  job.stdout.add(out);
  try {
    await job.run();
  } catch (cause) {
    return `${messageOf(cause)}\n`;
  }
  return out.toString();
}
