/**
 * One boot, followed from the command line to the end of the process: what the text and the picture are made from.
 *
 * Nothing here is told in advance. The real `mainDaemon` and the real `newDaemon` run on the machine in `machine.ts`;
 * what they do at their border (files, programs, signals, log lines, jobs) is written down with its time, and the steps
 * of the two halves are cut out of that record afterwards.
 *
 * @module
 */

import { DryDriver } from "../../src/daemon/execdriver/dry/driver.ts";
import { newGraphDriver } from "../../src/daemon/graphdriver/graphdriver.ts";
import type { DaemonParts } from "../../src/docker/daemon.ts";
import type { Engine, Installer } from "../../src/engine/engine.ts";
import { messageOf } from "../../src/errdefs/errdefs.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { memoryNames } from "../lib/memory-names.ts";
import { type Fault, type Happening, type Machine, machine, paths, port } from "./machine.ts";
import { boot, parts } from "./main.ts";

/** What the reader can change. */
export interface Plan {
  readonly disk: number;
  readonly containers: number;
  /** When clients come, milliseconds after the start. */
  readonly clients: readonly number[];
  readonly fault?: Fault | undefined;
  readonly signal?: { readonly name: "INT" | "TERM"; readonly at: number } | undefined;
}

/** A line of the log. */
export interface LogLine {
  readonly at: number;
  readonly text: string;
}

/** A piece of work of one of the two halves. */
export interface Step {
  readonly lane: "main" | "loader";
  /** A short name; prose and picture have texts for it. */
  readonly name: string;
  readonly from: number;
  /** `undefined`: still at it when the process ended. */
  readonly to: number | undefined;
  /** File operations, programs and log lines between its begin and that of the next. */
  readonly touched: readonly string[];
}

/** What became of a client. */
export interface Client {
  readonly from: number;
  /** When it had its answer, or knew that there would be none. */
  readonly to: number;
  readonly end: "answered" | "refused" | "cut off";
  /** Status of the answer, or the error. */
  readonly text: string;
}

/** Everything that happened. */
export interface Trace {
  readonly plan: Plan;
  readonly log: readonly LogLine[];
  readonly steps: readonly Step[];
  readonly clients: readonly Client[];
  /** When the gate opened. */
  readonly gate: number | undefined;
  /** When the first socket was there. */
  readonly listening: number | undefined;
  /** Handlers in the engine: after the builtins, when the network is there, and when the daemon has installed its own. */
  readonly handlers: readonly number[];
  /** When the process ended, if it did. */
  readonly ended: { readonly at: number; readonly status: number } | undefined;
  /** Files that the daemon's process leaves behind. */
  readonly left: readonly string[];
  /** When the record stops. */
  readonly until: number;
}

/** The request of every client: a job of the daemon's own answers it. */
const request = "GET /v1.14/containers/json HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n";

/** How the steps of the two halves are found: each begins with the first event that fits, in this order. */
const cuts: Record<Step["lane"], readonly (readonly [name: string, begins: (event: Happening) => boolean])[]> = {
  main: [
    ["engine", ({ kind, what }) => kind === "random" && what === "32 bytes"], // its id
    ["trap", ({ kind }) => kind === "trap"],
    ["builtins", ({ kind, what }) => kind === "step" && what === "builtins"],
    ["banner", ({ kind, what }) => kind === "log" && what.includes(" docker daemon: ")],
    ["serveapi", ({ kind, what }) => kind === "log" && what.includes("+job serveapi(")],
  ],
  loader: [
    ["pidfile", ({ kind, what }) => kind === "step" && what === "newDaemon"],
    ["root", ({ kind, what }) => kind === "file" && what === `mkdir ${paths.root}`],
    ["graphdriver", ({ kind, what }) => kind === "step" && what === "graphDriver"],
    ["images", ({ kind, what }) => kind === "step" && what.includes("Using graph driver")],
    ["volumes", ({ kind, what }) => kind === "step" && what.includes("Creating volumes graph")],
    ["tags", ({ kind, what }) => kind === "step" && what.includes("Creating repository list")],
    ["network", ({ kind, what }) => kind === "log" && what.includes("+job init_networkdriver(")],
    ["names", ({ kind, what }) => kind === "step" && what === "openGraph"],
    ["execdriver", ({ kind, what }) => kind === "file" && what.includes("/memory.limit_in_bytes")],
    ["dns", ({ kind, what }) => kind === "file" && what === "readFile /etc/resolv.conf"],
    ["containers", ({ kind, what }) => kind === "file" && what === `readdir ${paths.root}/containers`],
    ["install", ({ kind, what }) => kind === "step" && what === "install"],
    ["acceptconnections", ({ kind, what }) => kind === "log" && what.includes("+job acceptconnections(")],
  ],
};

/** Cuts the steps of one half out of the record; what a step begins with counts only after the step before. */
function stepsOf(lane: Step["lane"], events: readonly Happening[], ended: Trace["ended"]): Step[] {
  const begun: { name: string; at: number; index: number }[] = [];
  events.forEach((event, index) => {
    const [name, begins] = cuts[lane][begun.length] ?? [];
    if (name !== undefined && begins?.(event)) begun.push({ name, at: event.at, index });
  });
  return begun.map(({ name, at, index }, i) => {
    const next = begun[i + 1];
    const endless = name === "serveapi" || (next === undefined && ended !== undefined);
    // The last step ends, too, where its job says so.
    const done =
      name !== "acceptconnections" ? undefined : events.find(({ what }) => what.includes(`-job ${name}`))?.at;
    const touched = events
      .slice(index, next?.index)
      .filter(({ kind }) => kind === "file" || kind === "program" || kind === "log")
      .flatMap(({ what }) => what.split("\n").filter((line) => line !== ""));
    return { lane, name, from: at, to: done ?? (endless ? undefined : (next?.at ?? at)), touched };
  });
}

/** A turn of the event loop; in a page there is only the slower kind. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });

/** How many handlers the engine had at a moment. */
interface Count {
  readonly at: number;
  readonly handlers: number;
}

/** The parts of the daemon, with a note at each border between them. */
function observed({ note, memory }: Machine, counts: Count[]): DaemonParts {
  const count = (eng: Engine) => counts.push({ at: memory.clock.monotonicMs(), handlers: eng.commands().length });
  return {
    register(eng, ...given) {
      note("step", "builtins");
      parts().register(eng, ...given);
      count(eng);
    },
    async newDaemon(config, eng, host, log): Promise<Installer> {
      note("step", "newDaemon");
      // Its debug lines say where it is. They are for the record; the log has them only with -D.
      const watched = new Logger({
        clock: host.clock,
        env: { DEBUG: "1" },
        stdout: host.stdout,
        stderr: {
          write(chunk) {
            if (String(chunk).startsWith("[debug]")) note("step", String(chunk));
            if (!String(chunk).startsWith("[debug]") || log.debugging) void host.stderr.write(chunk);
          },
          isTerminal: false,
        } as typeof host.stderr,
      });
      const overrides: Parameters<typeof parts>[0] = {
        graphDriver: (root) => {
          note("step", "graphDriver");
          return newGraphDriver(root, { name: "vfs", env: {} }, host, watched);
        },
        openGraph: async (path) => {
          note("step", "openGraph");
          await host.fs.stat(path).catch(() => undefined); // the only time it costs: SQLite is not here
          return memoryNames();
        },
        execDriver: async (root) => new DryDriver(`${root}/execdriver/dry`, host),
      };
      const daemon = await parts(overrides).newDaemon(config, eng, host, watched);
      return {
        install(engine) {
          note("step", "install");
          count(engine);
          daemon.install(engine);
          count(engine);
        },
      };
    },
  };
}

/** The command line of a plan. */
export function commandLine({ fault }: Pick<Plan, "fault">): string[] {
  const tcp = fault === "listen" ? ["-H", `tcp://127.0.0.1:${port}`] : [];
  return ["-d", "-H", `unix://${paths.socket}`, ...tcp];
}

/** Whoever has not been served by then never will be. */
const limit = 120_000;

/** Boots a daemon on a machine of its own, sends the clients, and writes down what happens. */
export async function follow(plan: Plan): Promise<Trace> {
  const world = await machine(plan);
  const { host, memory, happened } = world;
  const now = () => memory.clock.monotonicMs();
  const counts: Count[] = [];
  let ended: Trace["ended"];

  const daemon = boot(commandLine(plan), host, observed(world, counts)).then((status) => {
    ended ??= { at: now(), status };
  });
  const clients: Client[] = [];
  const visit = async (from: number): Promise<void> => {
    await memory.clock.sleep(from);
    try {
      const connection = await host.net.dial("unix", paths.socket);
      if (ended !== undefined) throw new Error(`connect ECONNREFUSED ${paths.socket}`); // nobody is behind it any more
      connection.write(request);
      let answer = "";
      for await (const chunk of connection) answer += String(chunk);
      const text = answer.split("\r\n")[0] ?? "";
      clients.push({ from, to: now(), end: text === "" ? "cut off" : "answered", text });
    } catch (cause) {
      clients.push({ from, to: now(), end: "refused", text: messageOf(cause) });
    }
  };
  const visits = plan.clients.map(visit);
  const { signal } = plan;
  if (signal !== undefined) void memory.clock.sleep(signal.at).then(() => memory.signals.raise(`SIG${signal.name}`));

  const opened = () => happened.find(({ what }) => what.includes("-job acceptconnections"));
  const finished = () => {
    const [status] = memory.signals.exits;
    if (status !== undefined) ended ??= { at: now(), status };
    if (ended !== undefined) return now() >= Math.max(ended.at, ...plan.clients);
    return signal === undefined && clients.length === plan.clients.length && opened() !== undefined;
  };
  let left: string[] | undefined;
  while (now() < limit) {
    for (let quiet = 0; quiet < 4; quiet = world.idle() ? quiet + 1 : 0) await turn();
    const over = finished();
    // What goes on after that would not: a process that has ended does nothing more.
    if (ended !== undefined) left ??= leftBy(world);
    if (over || memory.clock.next === undefined) break;
    await memory.clock.advance(memory.clock.next);
  }
  void daemon;
  void visits;
  return summary(plan, world, {
    counts,
    clients,
    ended,
    gate: opened()?.at,
    left: left ?? leftBy(world),
    until: now(),
  });
}

const leftBy = ({ memory }: Machine): string[] =>
  [paths.pidfile, paths.socket].filter((path) => memory.volume.existsSync(path));

/** Puts the record together. */
function summary(
  plan: Plan,
  { happened }: Machine,
  seen: Pick<Trace, "clients" | "ended" | "gate" | "left" | "until"> & { counts: readonly Count[] },
): Trace {
  const { ended, until, gate } = seen;
  const events = happened.filter(({ at }) => at <= (ended?.at ?? until));
  // The kernel closes the connections of a process that is gone; a machine in memory has none that does.
  const waiting = plan.clients
    .filter((from) => !seen.clients.some((client) => client.from === from))
    .map((from): Client => ({ from, to: ended?.at ?? until, end: "cut off", text: "the process ended" }));
  const text = events.filter(({ kind }) => kind === "log").map(({ at, what }) => ({ at, text: what }));
  return {
    plan,
    log: inOrder(lines(text)),
    steps: [...stepsOf("main", events, ended), ...stepsOf("loader", events, ended)],
    clients: [...seen.clients, ...waiting].sort((a, b) => a.from - b.from),
    gate,
    listening: events.find(({ kind }) => kind === "listening")?.at,
    // What the loader still does after the end of the process would not happen.
    handlers: seen.counts.filter(({ at }) => at <= (ended?.at ?? until)).map(({ handlers }) => handlers),
    ended,
    left: seen.left,
    until: Math.max(until, ended?.at ?? 0),
  };
}

/**
 * Lines of one moment that different threads wrote have no order, and get one that is the same in Node and in a page:
 * the boot's own, then the requests'.
 */
function inOrder(log: readonly LogLine[]): LogLine[] {
  const ofRequest = ({ text }: LogLine) => Number(/\[info\] GET |job containers\(/.test(text));
  return [...log].sort((a, b) => a.at - b.at || ofRequest(a) - ofRequest(b));
}

/** Pieces of text become lines; dots have no line end of their own. */
function lines(pieces: readonly LogLine[]): LogLine[] {
  const whole: LogLine[] = [];
  let open: LogLine | undefined;
  for (const { at, text } of pieces) {
    const [first = "", ...others] = text.split("\n");
    const all = [open === undefined ? first : open.text + first, ...others];
    const rest = all.pop() ?? "";
    for (const line of all) whole.push({ at: open?.at ?? at, text: line });
    open = rest === "" ? undefined : { at: open?.at ?? at, text: rest };
  }
  return open === undefined ? whole : [...whole, open];
}
