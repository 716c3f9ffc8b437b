import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mainDaemon } from "../../src/docker/daemon.ts";
import { Engine } from "../../src/engine/engine.ts";
import { type MemoryHost, memoryHost } from "../../src/host/memory/memory.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { trap } from "../../src/pkg/signal/trap.ts";
import { BufferWriter } from "../../src/sync/io.ts";
import { configure } from "../01-config-flags/main.ts";
import { claim } from "../lib/claim.ts";
import { argsOf, ask, example } from "./arguments.ts";
import { demo, statusOf } from "./demo.ts";
import { live, outcome } from "./live.ts";
import { start } from "./main.ts";
import { follow, type Trace } from "./run.ts";

/** What signals did to the original. */
interface Recorded {
  readonly id: string;
  readonly debug: boolean;
  readonly signals: string[];
  readonly gapSeconds: number | null;
  readonly running: string;
  /** -1: ended by SIGHUP; `null`: not ended. */
  readonly exit: number | null;
  readonly seconds: number;
  readonly log: string[];
  readonly pidFileLeft: boolean;
}

const records: Recorded[] = readFileSync(new URL("../../test/golden/records/signals.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

/** A record of the original. */
function recorded(id: string): Recorded {
  const found = records.find((record) => record.id === id);
  if (found === undefined) throw new Error(`Nothing is recorded under ${id}`);
  return found;
}

const traced = (line: string): Promise<Trace> => follow(ask(line.split(" ")));

/** Runs what a record did, in memory. */
function replay({ debug, signals, gapSeconds, running }: Recorded): Promise<Trace> {
  const words = signals.map((name, i) => `${name}@${Math.round(i * (gapSeconds ?? 0) * 1000)}ms`);
  return follow(ask([...words, ...(running === "none" ? [] : ["--job", "never"]), ...(debug ? ["--debug"] : [])]));
}

const logOf = (trace: Trace) => trace.notes.filter(({ who }) => who === "log").map(({ what }) => what.en);

/** That a run ended as the record says: status, log, pid file. */
async function expectAsRecorded(id: string): Promise<void> {
  const record = recorded(id);
  const trace = await replay(record);
  const status = trace.end.signal === undefined ? (trace.end.status ?? null) : -1;
  const written = record.log.map((line) => line.replace("<time> ", ""));
  const stacks = record.debug && record.signals.includes("QUIT");
  const daemon = (line: string) => line.startsWith("[debug] daemon.go");
  expect({
    id,
    status,
    log: logOf(trace),
    pidFileLeft: !trace.handlers.some(({ name }) => name === "pid file"),
  }).toEqual({
    id,
    status: record.exit,
    // Stacks there are none of, and lines of the daemon's own are its own chapter.
    log: (stacks ? written.slice(0, 1) : written).filter((line) => !daemon(line)),
    pidFileLeft: record.pidFileLeft,
  });
}

/** A process that traps signals, without an engine. */
function trapped(env: Record<string, string> = {}, cleanup: () => Promise<void> | void = () => undefined) {
  const host = memoryHost({ env });
  const lines: string[] = [];
  trap(host, cleanup, (line) => lines.push(line));
  return { host, lines };
}

const never = () => new Promise<void>(() => undefined);

/** A running engine that is told to shut down, and when that is over. */
function stopping(host: MemoryHost, eng: Engine): { ended(): number | undefined } {
  let ended: number | undefined;
  void eng.shutdown().then(() => {
    ended = host.clock.monotonicMs();
  });
  return { ended: () => ended };
}

claim(
  "001/5.3/1",
  "mainDaemon() traps signals before anything is registered, and they shut the engine down",
  async () => {
    const host = memoryHost({ env: { HOME: "/root" } });
    const { flags, set } = configure(["-d"], host);
    const seen: { names: string[]; trapped: string[] }[] = [];
    let engine: Engine | undefined;
    const register = (eng: Engine) => {
      engine = eng;
      seen.push({ names: eng.commands(), trapped: host.signals.trapped });
      eng.register("serveapi", never);
    };
    void mainDaemon(flags, host, new Logger(host), set, { register, newDaemon: () => new Promise(() => undefined) });
    await host.clock.advance(0);
    expect(seen).toEqual([
      { names: ["commands"], trapped: expect.arrayContaining(["SIGINT", "SIGTERM", "SIGQUIT"]) as string[] },
    ]);
    host.signals.raise("SIGTERM");
    expect(engine?.isShutdown()).toBe(true);
  },
);

claim("001/5.3/2", "SIGQUIT is trapped only while DEBUG is empty, and ends with 131 without cleaning up", async () => {
  for (const id of ["idle-QUIT", "idle-QUIT-debug", "job-QUIT"]) await expectAsRecorded(id);
  expect([recorded("idle-QUIT").exit, recorded("idle-QUIT-debug").exit]).toEqual([131, 2]);
  expect((await traced("QUIT@0")).shutdownAt).toBeUndefined();
});

claim("001/5.3/3", "Trap is one function: it is given the clean-up and returns at once", () => {
  let cleaned = false;
  const { host } = trapped({}, () => {
    cleaned = true;
  });
  expect([trap.length, cleaned, host.signals.exits]).toEqual([3, false, []]);
});

claim("001/5.3/4", "signals reach the handler one by one, in the order they arrive", () => {
  const { host, lines } = trapped({}, never);
  for (const name of ["SIGTERM", "SIGINT"]) host.signals.raise(name);
  expect(lines.map((line) => /'(\w+)'/.exec(line)?.[1])).toEqual(["terminated", "interrupt"]);
});

claim("001/5.3/5", "the first signal is an interrupt, number 2, under whatever name", async () => {
  await expectAsRecorded("idle-INT");
  expect(recorded("idle-INT").log[0]).toContain("Received signal 'interrupt'");
  expect((await traced("INT@0 INT@1 INT@2 INT@3 --job never")).end.status).toBe(128 + 2);
});

claim("001/5.3/6", "other signals are not ignored: SIGHUP ends the process, and SIGUSR1 is dropped", async () => {
  for (const id of ["idle-HUP", "idle-USR1", "idle-HUP-debug", "idle-USR1-debug"]) await expectAsRecorded(id);
  expect([recorded("idle-HUP").exit, recorded("idle-USR1").exit]).toEqual([-1, null]);
  expect(trapped().host.signals.trapped).not.toContain("SIGHUP");
});

claim("001/5.3/7", "SIGINT and SIGTERM run the clean-up beside the rest of the program, and once", async () => {
  let cleanups = 0;
  const { host } = trapped({}, () => {
    cleanups++;
    return never();
  });
  host.signals.raise("SIGTERM");
  host.signals.raise("SIGINT");
  await host.clock.advance(0);
  expect([cleanups, host.signals.exits]).toEqual([1, []]);
});

claim(
  "001/5.3/8",
  "the second and third signal are only counted; the fourth ends with 128 and its number",
  async () => {
    const ids = ["job-INTx2", "job-INTx3", "job-INTx4", "job-TERMx4", "job-INT-TERM-INT-TERM", "job-TERM-QUIT"];
    for (const id of ids) await expectAsRecorded(id);
    expect(ids.map((id) => recorded(id).exit)).toEqual([0, 0, 130, 143, 143, 131]);
    const trace = await traced("INT@0 TERM@1 INT@2 TERM@3 --job never");
    expect(trace.arrivals.map(({ effect }) => effect)).toEqual(["begins", "counted", "counted", "forces"]);
  },
);

claim("001/5.3/9", "an engine that shuts down refuses jobs", async () => {
  const eng = new Engine(memoryHost());
  eng.register("ps", () => undefined);
  await eng.job("ps").run();
  const done = eng.shutdown();
  await expect(eng.job("ps").run()).rejects.toThrow("engine is shutdown");
  await done;
});

claim("001/5.3/10", "shutdown waits 5 s for running jobs, and not at all for serveapi", async () => {
  for (const id of ["idle-TERM", "job-TERM"]) await expectAsRecorded(id);
  expect([recorded("idle-TERM").seconds, recorded("job-TERM").seconds]).toEqual([0, 5]);
  const times = ["TERM@0", "TERM@0 --job 2s", "TERM@0 --job never"].map(traced);
  expect((await Promise.all(times)).map(({ handlersAt }) => handlersAt)).toEqual([0, 2_000, 5_000]);
});

claim("001/5.3/11", "all shutdown handlers begin at the same time, whatever the others do", async () => {
  const host = memoryHost();
  const eng = new Engine(host);
  const begun: string[] = [];
  eng.onShutdown(() => {
    begun.push("pid file");
    return never();
  });
  eng.onShutdown(() => void begun.push("containers"));
  stopping(host, eng);
  await host.clock.advance(0);
  expect(begun).toEqual(["pid file", "containers"]);
});

claim("001/5.3/12", "shutdown is over after 15 s at the latest: 5 for the jobs and 10 for the handlers", async () => {
  const host = memoryHost();
  const eng = new Engine(host);
  eng.register("hang", never);
  void eng.job("hang").run();
  eng.onShutdown(never);
  const { ended } = stopping(host, eng);
  await host.clock.advance(14_999);
  expect(ended()).toBeUndefined();
  await host.clock.advance(1);
  expect(ended()).toBe(15_000);
  // A container that does not stop, and a client that waits for it.
  expect(recorded("wait-TERM").seconds).toBe(15);
  expect(recorded("container-ignores-TERM").seconds).toBe(10);
});

claim("001/5.3/13", "after the clean-up the process ends with 0, whatever had been left undone", async () => {
  const trace = await traced("TERM@0 --job never --handler never");
  expect([trace.end, trace.handlers.map(({ name, to }) => [name, to])]).toEqual([
    { at: 15_000, status: 0 },
    [
      ["pid file", 5_000],
      ["containers", undefined],
    ],
  ]);
  expect(recorded("container-ignores-TERM").exit).toBe(0);
});

claim("002/1-8/13", "the signals are the interrupt, SIGTERM and SIGQUIT; what is not listed keeps its default", () => {
  const trappedNames = (env: Record<string, string>) =>
    trapped(env).host.signals.trapped.filter((name) => !/USR/.test(name));
  expect(trappedNames({})).toEqual(["SIGINT", "SIGTERM", "SIGQUIT"]);
});

test.each(records.filter(({ id }) => /^(?:idle|job)-/.test(id)))(
  "every record of an idle daemon and of a running job is repeated here: $id",
  async ({ id }) => {
    await expectAsRecorded(id);
  },
);

test("rule 1: the process ends, whatever hangs", async () => {
  const trace = await traced("TERM@0 --job never --handler never");
  expect(trace.end.at).toBe(15_000);
});

test("rule 2: a shutdown happens once, and is never taken back", async () => {
  const host = memoryHost();
  const eng = new Engine(host);
  let calls = 0;
  eng.onShutdown(() => {
    calls++;
    return never();
  });
  const first = stopping(host, eng);
  const second = stopping(host, eng);
  await host.clock.advance(0);
  expect([first.ended(), second.ended(), calls, eng.isShutdown()]).toEqual([undefined, 0, 1, true]);
});

test("rule 3: no job begins after the first signal", async () => {
  const { notes } = await traced("NEW@0 TERM@1 NEW@2 --job 5s");
  expect(notes.filter(({ who }) => who === "client").map(({ what }) => what.en)).toEqual([
    "wants a job: it runs",
    "wants a job: engine is shutdown",
  ]);
});

test("rule 4: handlers are called when the jobs are done or the time for them is over", async () => {
  const [quick, slow] = await Promise.all([traced("TERM@1 --job 3s"), traced("TERM@1 --job 30s")]);
  expect([quick.handlersAt, slow.handlersAt]).toEqual([3_000, 6_000]);
});

test("rule 5: the exit status tells how it ended, not how much was done", async () => {
  const lines = [
    "TERM@0",
    "TERM@0 --handler never",
    "INT@0 INT@1 INT@2 INT@3 --job never",
    "QUIT@0",
    "QUIT@0 --debug",
    "HUP@0",
  ];
  expect((await Promise.all(lines.map(traced))).map(statusOf)).toEqual([0, 0, 130, 131, 2, 129]);
});

test("start() gives an engine whose signals are trapped, and nothing when arguments are left over", () => {
  const host = memoryHost({ env: { HOME: "/root" } });
  expect(start(["-d"], host)?.eng.commands()).toEqual(["commands"]);
  expect(host.signals.trapped).toContain("SIGTERM");
  expect(start(["-d", "extra"], memoryHost({ env: { HOME: "/root" } }))).toBeUndefined();
});

test("-D sets DEBUG before the trap looks at it", () => {
  const host = memoryHost({ env: { HOME: "/root" } });
  start(["-d", "-D"], host);
  expect(() => host.signals.raise("SIGQUIT")).toThrow("exit status 2");
});

/** What the demonstration prints. */
async function printed(...args: string[]): Promise<{ text: string; status: number }> {
  const out = new BufferWriter();
  const status = await demo(args, out);
  return { text: out.toString(), status };
}

test("the demonstration prints what happens when", async () => {
  expect(await printed()).toEqual(await printed(...example));
  expect(await printed()).toEqual({
    status: 0,
    text: `TERM@0 INT@2s --job 7s --handler 12s

 0 s  SIGTERM     arrives: begins the shutdown
      log         Received signal 'terminated', starting shutdown of docker...
      engine      takes no new jobs, waits for build, 5 s at most
 2 s  SIGINT      arrives: is counted, no more
      log         Received signal 'interrupt', starting shutdown of docker...
 5 s  engine      waits no longer for build
      engine      calls the handlers, 10 s at most
      pid file    is removed
      containers  are told to stop
 7 s  build       ends
15 s  engine      waits no longer for containers
      process     exit status 0; not done: containers, ports, storage, database
`,
  });
});

test.each([
  [["USR1@0"], 0, "process  lives on"],
  [["HUP@0"], 129, "ended by SIGHUP"],
  [["QUIT@0"], 131, "exit status 131"],
  [["sigterm@300ms"], 0, "0.3 s  SIGTERM"],
  [["KILL@0"], 2, "Cannot read KILL@0: see --help"],
  [["--job", "7x"], 2, "Not a time: 7x (7s, 300ms, 2.5s)"],
  [["--job"], 2, 'Not a time: "" (7s, 300ms, 2.5s)'],
  [["TERM@never"], 2, "Not a time: never (7s, 300ms, 2.5s)"],
  [["TERM@601s"], 2, "Too long: 601s (600s at most, or never)"],
  [["--help"], 0, "SIGNAL is one of: INT TERM QUIT HUP USR1 USR2."],
])("the demonstration answers %j with %i", async (args, status, text) => {
  const told = await printed(...args);
  expect([told.status, told.text]).toEqual([status, expect.stringContaining(text)]);
});

test("ask() and argsOf() are each other's opposite", () => {
  for (const { args } of live.presets) expect(argsOf(ask(args))).toEqual(args);
  expect(argsOf(ask(["INT@2", "TERM@0", "--handler", "1500ms", "--job", "never"]))).toEqual([
    "TERM@0",
    "INT@2s",
    "--job",
    "never",
    "--handler",
    "1.5s",
  ]);
});

test("live.draw() shows signals, limits, what was cut off, and the end", async () => {
  const en = await live.draw(example, "en");
  for (const part of ["SIGTERM: begins the shutdown", "limit: 5 s", "build ✓", "containers ✗", "exit status 0"])
    expect(en).toContain(part);
  const zh = await live.draw(["QUIT@1s"], "zh");
  for (const part of ["SIGQUIT: 立即终止进程", "退出状态 131", "到达：立即终止进程"]) expect(zh).toContain(part);
  await expect(live.draw(["FOO@1"], "en")).rejects.toThrow("Cannot read FOO@1: see --help");
});

test("live: nothing is drawn that happens after the end", async () => {
  const trace = await traced("INT@0 INT@1 INT@2 INT@3 --job 4s");
  expect([trace.handlersAt, trace.end.at, trace.jobs.every(({ to }) => to === undefined)]).toEqual([
    undefined,
    3_000,
    true,
  ]);
  expect(outcome(trace, "en")).toBe("exit status 130");
});

test("live: the controls rewrite the arguments, and every preset can be drawn", async () => {
  for (const { args } of live.presets) expect(await live.draw(args, "zh")).toContain("<svg");
  const named = (label: string) => live.controls.find((control) => control.label.en === label);
  const [int, back, job, containers, debug] = [
    "+ SIGINT",
    "take the last one back",
    "job takes",
    "containers take",
    "DEBUG",
  ].map(named);
  if (int?.kind !== "button" || back?.kind !== "button") return expect.unreachable();
  if (job?.kind !== "range" || containers?.kind !== "range" || debug?.kind !== "switch") return expect.unreachable();
  expect(int.press(["TERM@0"])).toEqual(["TERM@0", "INT@1s"]);
  expect(back.press(["TERM@0"])).toEqual(["--job", "0"]);
  expect([job.read(example), containers.read(example), debug.read(example)]).toEqual([7, 12, false]);
  expect(job.write(["TERM@0"], 2.5)).toEqual(["TERM@0", "--job", "2.5s"]);
  expect(containers.write(["TERM@0", "--handler", "never"], 0)).toEqual(["TERM@0"]);
  expect(debug.write(["nonsense"], true)).toContain("--debug");
});
