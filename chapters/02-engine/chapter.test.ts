import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Daemon } from "../../src/daemon/daemon.ts";
import { mainDaemon } from "../../src/docker/daemon.ts";
import { Engine, register } from "../../src/engine/engine.ts";
import { Env } from "../../src/engine/env.ts";
import { type Job, Status } from "../../src/engine/job.ts";
import { memoryHost } from "../../src/host/memory/memory.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { deferred } from "../../src/sync/deferred.ts";
import { BufferWriter } from "../../src/sync/io.ts";
import { configure } from "../01-config-flags/main.ts";
import { claim } from "../lib/claim.ts";
import { everyCall } from "./calls.ts";
import { ask, demo, example, follow, readings, stage } from "./demo.ts";
import { live } from "./live.ts";
import { start } from "./main.ts";

/** The fields of `Engine` at v1.2.0, in their order, and what stands for each here. */
const fields120: Record<string, string> = {
  handlers: "register",
  catchall: "registerCatchall",
  hack: "hackSetGlobalVar",
  id: "id",
  Stdout: "stdout",
  Stderr: "stderr",
  Stdin: "stdin",
  Logging: "logging",
  tasks: "track",
  l: "shutdown",
  shutdown: "isShutdown",
  onShutdown: "onShutdown",
};

/** A new engine that nobody has added anything to. */
const fresh = () => {
  const host = memoryHost();
  return { host, eng: new Engine(host) };
};

/** Runs a job and gives what it wrote to standard output. */
async function output(job: Job): Promise<string> {
  const out = new BufferWriter();
  job.stdout.add(out);
  await job.run();
  return out.toString();
}

/** What `run()` throws, as text. */
const failure = (run: Promise<void>) =>
  run.then(
    () => "",
    (cause: Error) => cause.message,
  );

claim(
  "001/5.2/1",
  "mainDaemon() makes the engine when no argument is left over, and nothing is in it yet",
  async () => {
    const host = memoryHost({ env: { HOME: "/root" } });
    const { flags, set } = configure(["-d"], host);
    const seen: string[][] = [];
    const registered = (eng: Engine) => {
      seen.push(eng.commands());
      eng.register("serveapi", () => undefined);
    };
    const newDaemon = () => new Promise<never>(() => undefined);
    await mainDaemon(flags, host, new Logger(host), set, { register: registered, newDaemon });
    expect(seen).toEqual([["commands"]]);
    expect(start(["-d"], memoryHost({ env: { HOME: "/root" } }))?.eng.commands()).toEqual(["commands"]);
    expect(start(["-d", "extra"], memoryHost({ env: { HOME: "/root" } }))).toBeUndefined();
  },
);

claim("001/5.2/2", "the engine holds handlers and no containers: those are in a map of the daemon", () => {
  const { eng } = fresh();
  expect(Object.keys(eng).sort()).toEqual(["id", "logging", "stderr", "stdin", "stdout"]);
  expect([...Object.keys(eng), ...Object.getOwnPropertyNames(Engine.prototype)].join(" ")).not.toMatch(/container/i);
  const root = { root: "/", dns: [], dnsSearch: [] };
  const parts = { config: root, host: memoryHost(), eng, log: new Logger(memoryHost()) } as unknown;
  expect(new Daemon(parts as ConstructorParameters<typeof Daemon>[0]).containers).toEqual(new Map());
});

claim("001/5.2/3", "each of the twelve fields of Engine has its counterpart", () => {
  const names = Object.keys(fields120);
  expect(names).toHaveLength(12);
  const { eng } = fresh();
  expect(Object.values(fields120).filter((name) => !(name in eng))).toEqual([]);
});

claim("001/5.2/4", "a handler is a function of the job to its status, and the status is the job's", async () => {
  const { eng } = fresh();
  const got: Job[] = [];
  eng.register("seven", (job) => {
    got.push(job);
    return 7;
  });
  const job = eng.job("seven");
  await failure(job.run());
  expect([got, job.statusCode(), job.statusString()]).toEqual([[job], 7, " = ERR (7)"]);
  expect(Status).toEqual({ OK: 0, ERR: 1, NOT_FOUND: 127 });
});

claim("001/5.2/5", "a new engine has commands and the global handlers, of which the daemon has none", () => {
  expect(fresh().eng.commands()).toEqual(["commands"]);
  const take = register("everywhere", () => undefined);
  try {
    expect(fresh().eng.commands()).toEqual(["commands", "everywhere"]);
  } finally {
    take();
  }
  const files = ["builtins/builtins.ts", "docker/daemon.ts", "daemon/daemon.ts", "events/events.ts"];
  const sources = files.map((name) => readFileSync(new URL(`../../src/${name}`, import.meta.url), "utf8"));
  expect(sources.filter((text) => /import \{[^}]*\bregister\b[^}]*\} from "[^"]*engine\/engine/.test(text))).toEqual(
    [],
  );
});

claim("001/5.2/6", "commands prints every name in alphabetical order, its own among them", async () => {
  const { eng } = stage();
  eng.register("Zebra", () => undefined);
  expect(await output(eng.job("commands"))).toBe("Zebra\ncommands\necho\nshout\nupper\n");
});

claim(
  "002/1-8/10",
  "the engine stores no containers in the translation either: a name is all that it looks up",
  async () => {
    const { eng } = fresh();
    expect(await failure(eng.job("ubuntu").run())).toBe("ubuntu: command not found");
  },
);

claim("002/1-8/11", "Stdin is read from and Stdout and Stderr are written to", async () => {
  const host = memoryHost({ stdin: "hello" });
  const eng = new Engine(host);
  const read: string[] = [];
  for await (const chunk of eng.stdin) read.push(Buffer.from(chunk).toString());
  await eng.stdout.write("out");
  await eng.stderr.write("err");
  expect([read, host.stdout.text, host.stderr.text]).toEqual([["hello"], "out", "err"]);
});

claim("002/1-8/12", "New() registers commands first and copies the global handlers over it", async () => {
  const take = register("commands", (job) => job.printf("mine\n"));
  try {
    expect(await output(fresh().eng.job("commands"))).toBe("mine\n");
  } finally {
    take();
  }
});

claim("002/1-8/19", "the catch-all serves unknown names, but neither known ones nor the empty one", async () => {
  const { eng } = fresh();
  const caught: string[] = [];
  eng.registerCatchall((job) => void caught.push(job.name));
  await output(eng.job("commands"));
  await eng.job("anything").run();
  expect([await failure(eng.job("").run()), caught]).toEqual([": command not found", ["anything"]]);
});

claim("004/a/1", "the map from names to handlers is one field of a struct: one name, one handler", () => {
  const { eng } = fresh();
  eng.register("echo", () => undefined);
  expect(() => eng.register("echo", () => undefined)).toThrow("Can't overwrite handler for command echo");
  expect(eng).not.toBeInstanceOf(Map);
});

test("the log of jobs has the form of the recorded one", async () => {
  const recorded = readFileSync(new URL("../../test/golden/records/boot-log.txt", import.meta.url), "utf8");
  const lines = [...recorded.matchAll(/^\[[^\]]*\] ([+-]job .*)$/gm)].map(([, line = ""]) => line);
  const wanted = [...new Set(lines.filter((line) => /^[+-]job (?:version|acceptconnections)\(/.test(line)))];
  const { eng, host } = fresh();
  for (const name of ["acceptconnections", "version"]) eng.register(name, () => undefined);
  for (const name of new Set(wanted.map((line) => line.replace(/^.job |\(.*$/g, "")))) await eng.job(name).run();
  expect(wanted.length).toBeGreaterThan(0);
  expect(host.stderr.lines.map((line) => line.replace(/^\[[0-9a-f]{8}\] /, ""))).toEqual(wanted);
});

/** A record of the original's API. */
function record(id: string) {
  const path = new URL("../../test/golden/records/api-1.14.jsonl", import.meta.url);
  const line = readFileSync(path, "utf8")
    .split("\n")
    .find((text) => text.startsWith(`{"id": "${id}"`));
  return JSON.parse(line ?? "null") as { request: { body: unknown }; response: { body: Record<string, unknown> } };
}

test("a request's values are read as the original read them, null included", () => {
  const env = new Env();
  env.import(record("create.056").request.body);
  const inspected = record("create.057").response.body;
  const config = inspected["Config"] as Record<string, unknown>;
  const names = ["Tty", "OpenStdin", "AttachStdin", "StdinOnce", "NetworkDisabled"];
  expect(names.map((name) => env.getBool(name))).toEqual([true, true, false, false, true]);
  expect(names.map((name) => config[name])).toEqual([true, true, false, false, true]);
  // The program is called true.
  expect(inspected["Path"]).toBe(true);
});

test("rule 1: a name has one handler, and its first one stays", () => {
  const { eng } = stage();
  expect(() => eng.register("echo", () => undefined)).toThrow("Can't overwrite handler for command echo");
});

test("rule 2: a handler begins before run() has returned, and two jobs of one name run at the same time", async () => {
  const { eng } = fresh();
  const gate = deferred();
  let running = 0;
  eng.register("wait", () => {
    running++;
    return gate.promise;
  });
  const both = [eng.job("wait").run(), eng.job("wait").run()];
  expect(running).toBe(2);
  gate.resolve();
  await Promise.all(both);
});

test("rule 3: a job that has ended does not run again; one that had no handler may", async () => {
  const { eng, host } = stage();
  const [echo, nope] = [eng.job("echo", "hi"), eng.job("nope")];
  const first = echo.run();
  await host.clock.advance(0);
  await first;
  const before = host.stderr.text;
  expect(await failure(echo.run())).toBe("echo: job has already completed");
  expect(host.stderr.text).toBe(before);
  const errors = [await failure(nope.run()), await failure(nope.run())];
  expect(errors).toEqual(["nope: command not found", "nope: command not found"]);
});

test("rule 4: a job inherits nothing from the job that made it", async () => {
  const { eng } = fresh();
  const seen: string[] = [];
  eng.register("inner", (job) => void seen.push(job.getenv("A")));
  eng.register("outer", (job) => job.eng.job("inner").run());
  const outer = eng.job("outer");
  outer.setenv("A", "1");
  await outer.run();
  expect(seen).toEqual([""]);
});

test("rule 5: an ended job has closed what it wrote to, and its error is the last line of standard error", async () => {
  const { eng } = fresh();
  eng.register("bad", (job) => {
    job.errorf("first\nsecond");
    return job.error(new Error("third"));
  });
  let closed = false;
  const job = eng.job("bad");
  job.stdout.add({
    write: () => undefined,
    close() {
      closed = true;
    },
  });
  expect([await failure(job.run()), closed]).toEqual(["third", true]);
});

test("predict: the answers are what the text says", async () => {
  const { eng } = stage();
  // 2: words with = are settings wherever they stand.
  const job = eng.parseJob("VERBOSE=1 echo hello TEST=true world");
  expect([job.name, job.args, Object.fromEntries(job.environ())]).toEqual([
    "echo",
    ["hello", "world"],
    { VERBOSE: "1", TEST: "true" },
  ]);
  // 3: null is true, off is true, none is not.
  const env = new Env();
  const bool = (value: string) => {
    env.set("A", value);
    return env.getBool("A");
  };
  expect(["", "0", "No", "false", "none", "null", "off", "00"].map(bool)).toEqual([
    ...Array(5).fill(false),
    ...Array(3).fill(true),
  ]);
  expect(env.len()).toBe(1);
  // 4: what leaves the engine has changed its kind.
  const sent = new Env();
  for (const [name, value] of Object.entries({ Version: "1.14", Author: "2014", Path: "true" })) sent.set(name, value);
  expect(sent.encode()).toBe('{"Author":2014,"Path":true,"Version":1}\n');
});

test("an environment that crosses the border and comes back is not the same", () => {
  const env = new Env();
  env.decode('{"a":1.9,"b":true,"c":null,"d":[1,2.5],"e":{"x":1},"f":"s"}');
  expect(Object.fromEntries(env.map())).toEqual({ a: "1", b: "true", c: "null", d: "[1,2.5]", e: '{"x":1}', f: "s" });
  expect(env.encode()).toBe('{"a":1,"b":true,"c":null,"d":[1,2],"e":{"x":1},"f":"s"}\n');
});

test("readings() reads every value in every way", () => {
  const env = new Env();
  env.set("SECONDS", "1");
  env.set("OFF", "off");
  env.set("SECONDS", "1.5");
  expect(readings(env)).toEqual([
    { name: "SECONDS", values: ["1", "1.5"], bool: true, int: 0, list: ["1.5"], json: "1" },
    { name: "OFF", values: ["off"], bool: true, int: 0, list: ["off"], json: '"off"' },
  ]);
});

/** What the demonstration prints. */
async function printed(...args: string[]): Promise<{ text: string; status: number }> {
  const out = new BufferWriter();
  const status = await demo(args, out);
  return { text: out.toString(), status };
}

test("the demonstration prints log, tree and streams of three jobs", async () => {
  expect(await printed()).toEqual(await printed(...example));
  expect(await printed()).toEqual({
    status: 0,
    text: `VERBOSE=1 SECONDS=2 shout hello aboard

environment
  name     text  bool  int  list   as JSON
  VERBOSE  1     true  1    ["1"]  1
  SECONDS  2     true  2    ["2"]  2

log
  [00049d12] +job shout(hello, aboard)
  [00049d12] +job echo(hello, aboard)
  echo: words: 2
  [00049d12] +job upper()
  [00049d12] -job echo(hello, aboard) = OK (0)
  [00049d12] -job upper() = OK (0)
  [00049d12] -job shout(hello, aboard) = OK (0)

jobs
  1 shout(hello, aboard) = OK (0)    2 s
  ├─ 2 echo(hello, aboard) = OK (0)  2 s
  └─ 3 upper() = OK (0)              2 s

standard output
  HELLO ABOARD

run() returned
statusCode() is 0
`,
  });
});

test("the demonstration shows one job in full, and runs it twice", async () => {
  const { text, status } = await printed("--twice", "--show", "1", "A=1", "A=2", "echo", "hi");
  expect(status).toBe(1);
  expect(text).toContain(`job 1
  name    echo
  args    [hi]
  env     A=1 A=2
  stdin   ""
  stdout  "hi\\n"
  stderr  ""
  status  0
`);
  expect(text).toContain("  2 echo(hi)           not run\n");
  expect(text).toContain("run() returned\nrun() failed: echo: job has already completed\n");
});

test.each([
  [["nope"], 127, "run() failed: nope: command not found"],
  [["shout"], 1, "run() failed: Usage: echo WORD..."],
  [["A=1"], 2, "empty command: 'A=1'"],
  [["--fast", "echo"], 2, "Cannot read --fast echo: see --help"],
  [["--show", "9", "echo", "x"], 2, "There is no job number 9"],
  [["SECONDS=99999999", "echo", "x"], 2, "The job takes longer than a day: give it fewer SECONDS"],
  [["--help"], 0, "JOB is one of: commands echo shout upper"],
])("the demonstration answers %j with %i", async (args, status, text) => {
  const told = await printed(...args);
  expect([told.status, told.text]).toEqual([status, expect.stringContaining(text)]);
});

test("the help names every job there is", async () => {
  const { commands } = await follow(ask(["commands"]));
  expect((await printed("--help")).text).toContain(`JOB is one of: ${commands.join(" ")};`);
});

test("the tree has the jobs of the log, and who called them", async () => {
  const { calls, log } = await follow(ask(["shout", "a"]));
  expect(everyCall(calls).map(({ call }) => call)).toEqual(
    log.flatMap((line) => /\+job (.*)$/.exec(line)?.slice(1) ?? []),
  );
  expect(calls.map(({ children }) => children.map(({ name, stdin }) => [name, stdin]))).toEqual([
    [
      ["echo", ""],
      ["upper", "a\n"],
    ],
  ]);
});

test("live.draw() shows names, tree and the chosen job, in both languages", async () => {
  const picture = await live.draw(["--show", "2", ...example], "en");
  for (const part of [
    "registered by",
    "1 shout(hello, aboard) = OK (0)",
    "2 echo(hello, aboard) = OK (0)",
    "SECONDS=2",
  ])
    expect(picture).toContain(part.replaceAll("&", "&amp;"));
  expect(picture).toContain('data-args="[&#34;--show&#34;,&#34;3&#34;');
  const zh = await live.draw(["nope"], "zh");
  expect(zh).toContain("没有人");
  expect(zh).toContain("nope: command not found");
  await expect(live.draw(["A=1"], "en")).rejects.toThrow("empty command: 'A=1'");
});

test("live: every preset can be drawn, and the controls rewrite the arguments", async () => {
  for (const { args } of live.presets) expect(await live.draw(args, "en")).toContain("<svg");
  expect(live.presets[0]?.args).toEqual(live.example);
  const [job, words, slow, verbose, twice] = live.controls;
  if (job?.kind !== "choice" || verbose?.kind !== "choice") return expect.unreachable();
  if (words?.kind !== "text" || slow?.kind !== "range" || twice?.kind !== "switch") return expect.unreachable();
  expect([job.read(example), words.read(example), slow.read(example), verbose.read(example)]).toEqual([
    "shout",
    "hello aboard",
    2,
    "1",
  ]);
  expect(job.write(["--show", "2", "A=1", "shout", "x"], "echo")).toEqual(["A=1", "echo", "x"]);
  expect(words.write(example, " a  b=1 c ")).toEqual(["VERBOSE=1", "SECONDS=2", "shout", "a", "c"]);
  expect(slow.write(example, 1.5)).toEqual(["SECONDS=1.5", "VERBOSE=1", "shout", "hello", "aboard"]);
  expect(slow.write(["echo", "x"], 0)).toEqual(["echo", "x"]);
  expect(verbose.write(["VERBOSE=1", "VERBOSE=0", "echo", "x"], "null")).toEqual(["VERBOSE=null", "echo", "x"]);
  expect(verbose.write(["VERBOSE=1", "echo", "x"], "(unset)")).toEqual(["echo", "x"]);
  expect(twice.write(["--show", "1", "echo"], true)).toEqual(["--twice", "echo"]);
  expect([twice.read(["--nonsense"]), verbose.read(["echo"])]).toEqual([false, "(unset)"]);
});
