/**
 * What happens at the daemon's doors while it boots and after: the record that the text and the picture are made from.
 *
 * The real `mainDaemon` boots on the machine of `machine.ts`, its API server listens in memory, and every request goes
 * over a connection of its own as bytes. Nothing here answers anything.
 *
 * @module
 */

import type { Server } from "node:http";
import type { Duplex } from "node:stream";
import { Router } from "../../src/api/server/router.ts";
import { ROUTES } from "../../src/api/server/routes.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { isErrno, messageOf } from "../../src/errdefs/errdefs.ts";
import type { MemoryHost } from "../../src/host/memory/memory.ts";
import { inheritedDoors, machine, paths } from "./machine.ts";
import { boot, slowParts } from "./main.ts";

/** A request that the reader wants to see. */
export interface Ask {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  /** Sent as JSON. */
  readonly body?: string | undefined;
  /** Whether it comes while the daemon still boots. */
  readonly early: boolean;
  /** `unix:///var/run/docker.sock`; default: the first address that can be dialled. */
  readonly via?: string | undefined;
}

/** What the reader can change. */
export interface Plan {
  /** Flags of the daemon besides `-d`. */
  readonly flags: readonly string[];
  /** How long the daemon's own half takes, milliseconds. */
  readonly boot: number;
  readonly asks: readonly Ask[];
}

/** An answer as it came over the wire, its chunks joined. */
export interface Answer {
  readonly statusLine: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** What became of a request. */
export interface Visit {
  readonly ask: Ask;
  readonly via: string;
  /** When the connection was made, when somebody began to read it, and when the answer was there. */
  readonly at: number;
  readonly letIn: number | undefined;
  readonly to: number;
  /** The line of the table that fits; `undefined`: none. */
  readonly route: { readonly method: string; readonly path: string; readonly version: string | undefined } | undefined;
  /** Jobs that it made the engine run, with their arguments. */
  readonly jobs: readonly string[];
  /** `undefined`: there was none, and `failure` says why. */
  readonly answer: Answer | undefined;
  readonly failure: string;
}

/** A socket of the daemon. */
export interface Door {
  readonly address: string;
  /** The address as the daemon was told it, when that is another: `fd://`. */
  readonly given: string;
  /** Mode, owner and group of a socket file: `srw-rw---- 0:106`. */
  readonly file: string;
}

/** Everything that happened. */
export interface Trace {
  readonly plan: Plan;
  readonly doors: readonly Door[];
  readonly visits: readonly Visit[];
  /** `GET /version`: the routes whose jobs the engine has in the end. */
  readonly served: ReadonlySet<string>;
  /** When the gate opened. */
  readonly opened: number | undefined;
  /** What the init process was told. */
  readonly told: readonly string[];
  /** How the process ended, if it did. */
  readonly ended: { readonly at: number; readonly status: number; readonly text: string } | undefined;
  /** The daemon's log, line by line. */
  readonly log: readonly { readonly at: number; readonly text: string }[];
  readonly until: number;
}

/** Between two requests of the same kind, milliseconds. */
export const pace = 500;
/** A request that has no answer after so long is left alone. */
const patience = 15_000;

const hostsOf = (flags: readonly string[]): string[] =>
  flags.filter((_, i) => flags[i - 1] === "-H" || flags[i - 1] === "--host");

/** The bytes of a request. */
export function requestText({ method, target, body }: Ask): string {
  const lines = [`${method} ${target} HTTP/1.1`, "Host: docker", "Connection: close"];
  if (body !== undefined) lines.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`);
  else if (method === "POST") lines.push("Content-Length: 0");
  return `${lines.join("\r\n")}\r\n\r\n${body ?? ""}`;
}

/** Joins the chunks of a body. */
function unchunked(text: string): string {
  let body = "";
  for (let rest = text; ; ) {
    const end = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (end < 0 || !(size > 0)) return body;
    body += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 2 + size + 2);
  }
}

/** Takes an answer apart; `undefined`: not even its head came. */
export function readAnswer(bytes: Buffer): Answer | undefined {
  const text = bytes.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [statusLine = "", ...headers] = text.slice(0, end).split("\r\n");
  const raw = text.slice(end + 4);
  const chunked = headers.some((line) => /^transfer-encoding: *chunked$/i.test(line));
  return { statusLine, headers, body: Buffer.from(chunked ? unchunked(raw) : raw, "latin1").toString("utf8") };
}

/** The log so far, in lines with their times. */
class Log {
  readonly lines: { at: number; text: string }[] = [];
  #open = "";

  watch(host: MemoryHost): void {
    for (const stream of [host.stdout, host.stderr]) {
      const write = stream.write.bind(stream);
      stream.write = (chunk) => {
        write(chunk);
        const parts = (this.#open + Buffer.from(chunk as Uint8Array).toString()).split("\n");
        this.#open = parts.pop() ?? "";
        for (const text of parts) this.lines.push({ at: host.clock.monotonicMs(), text });
      };
    }
  }
}

/** Jobs that the log tells of, each handed out once. */
class JobLines {
  readonly #log: Log;
  readonly #taken = new Set<object>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** The first runs of these jobs after a line of the log. */
  take(names: readonly string[], from: number): string[] {
    return names.flatMap((name) => {
      const line = this.#log.lines
        .slice(from)
        .find((one) => !this.#taken.has(one) && one.text.includes(` +job ${name}(`));
      if (line === undefined) return [];
      this.#taken.add(line);
      return [line.text.slice(line.text.indexOf("+job ") + 5)];
    });
  }
}

interface Running {
  readonly ask: Ask;
  readonly via: string;
  readonly at: number;
  /** Lines of the log before it. */
  readonly logged: number;
  bytes: Buffer;
  to: number | undefined;
  failure: string;
}

/** Everything that ends when the process ends: the kernel closes it. */
class Process {
  readonly host: MemoryHost;
  readonly #sockets: Duplex[] = [];
  readonly #servers: Server[] = [];

  constructor(host: MemoryHost) {
    const { net } = host;
    this.host = {
      ...host,
      net: {
        ...net,
        listen: async (server, address) => {
          await net.listen(server, address);
          this.#servers.push(server);
        },
      },
    };
  }

  /** Connects to it. */
  async dial(via: string): Promise<Duplex> {
    const [proto = "", addr = ""] = via.split("://");
    const socket = await this.host.net.dial(proto as "unix" | "tcp", addr);
    this.#sockets.push(socket);
    return socket;
  }

  /** Its end. */
  end(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Sends a request over a connection of its own, and notes what comes back. */
async function send(process: Process, running: Running): Promise<void> {
  try {
    const socket = await process.dial(running.via);
    socket.write(requestText(running.ask));
    for await (const chunk of socket) running.bytes = Buffer.concat([running.bytes, chunk as Buffer]);
    socket.destroy();
    if (running.bytes.length === 0) running.failure = "the connection was cut";
  } catch (cause) {
    running.failure = isErrno(cause, "ERR_STREAM_PREMATURE_CLOSE") ? "the connection was cut" : messageOf(cause);
  }
  running.to ??= process.host.clock.monotonicMs();
}

/** Lets time pass until something is true, or nothing more can happen in time. */
async function until(host: MemoryHost, done: () => boolean): Promise<void> {
  const limit = host.clock.monotonicMs() + patience;
  while (!done()) {
    for (let turns = 0; turns < 30 && !done(); turns++) await host.clock.advance(0);
    const next = host.clock.next;
    if (done() || next === undefined || host.clock.monotonicMs() + next > limit) return;
    await host.clock.advance(next);
  }
}

/** Boots a daemon, sends the requests, and writes down what happens. */
export async function follow(plan: Plan): Promise<Trace> {
  const hosts = hostsOf(plan.flags);
  const byInit = hosts.some((at) => at.startsWith("fd://"));
  const process = new Process(await machine(byInit ? { inherited: inheritedDoors } : {}));
  const { host } = process;
  const log = new Log();
  log.watch(host);
  let engine: Engine | undefined;
  let ended: Trace["ended"];
  const now = () => host.clock.monotonicMs();
  const parts = slowParts(plan.boot, host, (eng) => {
    engine = eng;
  });
  void boot(["-d", ...plan.flags], host, parts)
    .catch(() => 2)
    .then((status) => {
      const text = log.lines.findLast((line) => /^\d{4}\//.test(line.text))?.text.slice(20) ?? "";
      ended ??= { at: now(), status, text };
      process.end();
    });
  const wait = (done: () => boolean) => until(host, () => done() || ended !== undefined);
  const said = (part: string) => log.lines.find(({ text }) => text.includes(part));
  const listening = () => log.lines.filter(({ text }) => text.includes("Listening for HTTP on")).length;
  await host.clock.advance(0);
  await turns(host, () => listening() >= Math.max(hosts.length, 1));
  const doors = await doorsOf(host, hosts.length === 0 ? [`unix://${paths.socket}`] : hosts);

  const running: Running[] = [];
  const start = (ask: Ask) => {
    const via = ask.via ?? doors[0]?.address ?? `unix://${paths.socket}`;
    const one = { ask, via, at: now(), logged: log.lines.length, bytes: Buffer.alloc(0), to: undefined, failure: "" };
    running.push(one);
    void send(process, one);
    return one;
  };
  const early = plan.asks.filter((ask) => ask.early);
  const step = Math.min(pace, Math.floor(plan.boot / (early.length + 1)));
  for (const ask of early) {
    await host.clock.advance(step);
    start(ask);
  }
  await wait(() => said("-job acceptconnections") !== undefined);
  await wait(() => running.every(({ to }) => to !== undefined));
  for (const ask of plan.asks.filter(({ early: before }) => !before)) {
    await host.clock.advance(pace);
    const one = start(ask);
    await wait(() => one.to !== undefined);
  }
  const opened = said("+job acceptconnections")?.at;
  const jobs = new JobLines(log);
  const router = engine && new Router(ROUTES, engine);
  const visits = running.map((one) => visitOf(one, router, jobs, opened, now()));
  const served = new Set(router?.served().map(({ method, path }) => `${method} ${path}`));
  const told = host.kernel.datagrams.map(({ data }) => data);
  return { plan, doors, visits, served, opened, told, ended, log: log.lines, until: now() };
}

/** Gives the event loop some turns; no time passes. */
async function turns(host: MemoryHost, done: () => boolean): Promise<void> {
  for (let i = 0; i < 30 && !done(); i++) await host.clock.advance(0);
  for (let i = 0; i < 5; i++) await host.clock.advance(0);
}

async function doorsOf(host: MemoryHost, given: readonly string[]): Promise<Door[]> {
  const all = given.flatMap((address) => {
    if (!address.startsWith("fd://")) return [{ address, given: address }];
    return inheritedDoors.map((kind, i) => ({
      address: kind === "unix" ? `unix://${paths.socket}` : "tcp://127.0.0.1:2375",
      given: `${address}, descriptor ${3 + i}`,
    }));
  });
  const doors: Door[] = [];
  for (const door of all) {
    const [proto, path = ""] = door.address.split("://");
    const stat = proto === "unix" ? await host.fs.lstat(path).catch(() => undefined) : undefined;
    doors.push({ ...door, file: stat === undefined ? "" : `${modeText(stat.mode)} ${stat.uid}:${stat.gid}` });
  }
  return doors;
}

/** The mode of a socket as ls(1) has it. */
function modeText(mode: number): string {
  return `s${[...Array(9).keys()].map((i) => ((mode >> (8 - i)) & 1 ? "rwx"[i % 3] : "-")).join("")}`;
}

function visitOf(
  one: Running,
  router: Router | undefined,
  jobs: JobLines,
  opened: number | undefined,
  end: number,
): Visit {
  const path = one.ask.target.split("?")[0] ?? "";
  const match = router?.match(one.ask.method, path);
  const answer = readAnswer(one.bytes);
  const open = one.to === undefined && answer !== undefined ? "the answer goes on: the connection is still open" : "";
  return {
    ask: one.ask,
    via: one.via,
    at: one.at,
    letIn: opened === undefined || one.failure !== "" ? undefined : Math.max(opened, one.at),
    to: one.to ?? end,
    route:
      match && one.failure === ""
        ? { method: match.route.method, path: match.route.path, version: match.version }
        : undefined,
    jobs: match ? jobs.take(match.route.jobs, one.logged) : [],
    answer,
    failure: one.failure || open || (one.to === undefined ? "no answer" : ""),
  };
}
