import { expect, test } from "vitest";
import { Engine, register } from "../../../src/engine/engine.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { deferred } from "../../../src/sync/deferred.ts";
import { BufferWriter } from "../../../src/sync/io.ts";

const nothing = () => undefined;

test("register() adds to every later engine and refuses a second time", () => {
  const unregister = register("dummy1", nothing);
  try {
    expect(() => register("dummy1", nothing)).toThrow("Can't overwrite global handler for command dummy1");
    const eng = new Engine(memoryHost());
    expect(eng.commands()).toEqual(["commands", "dummy1"]);
    expect(() => eng.register("dummy1", nothing)).toThrow("Can't overwrite handler for command dummy1");
  } finally {
    unregister();
  }
  expect(new Engine(memoryHost()).commands()).toEqual(["commands"]);
});

test("register() under the name commands replaces the engine's own", async () => {
  const unregister = register("commands", (job) => job.printf("mine\n"));
  try {
    const job = new Engine(memoryHost()).job("commands");
    const output = new BufferWriter();
    job.stdout.add(output);
    await job.run();
    expect(output.toString()).toBe("mine\n");
  } finally {
    unregister();
  }
});

// origin: engine/engine_test.go TestEngineCommands
test("the commands job prints every name, sorted", async () => {
  const eng = new Engine(memoryHost());
  for (const name of ["foo", "bar", "echo", "die"]) eng.register(name, nothing);
  const output = new BufferWriter();
  const job = eng.job("commands");
  job.stdout.add(output);
  await job.run();
  expect(output.toString()).toBe("bar\ncommands\ndie\necho\nfoo\n");
});

test("Engine ids are 64 hexadecimal digits, and lines show 8", () => {
  const host = memoryHost();
  const [one, two] = [new Engine(host), new Engine(host)];
  expect(one.id).toMatch(/^[0-9a-f]{64}$/);
  expect(two.id).not.toBe(one.id);
  expect(String(one)).toBe(one.id.slice(0, 8));
});

test("Engine.logf() writes one line, escapes controls, and is silent when logging is off", () => {
  const host = memoryHost();
  const eng = new Engine(host);
  eng.logf("+job pull(a\n[fake] x\x1b[2J)\n\n");
  expect(host.stderr.text).toBe(`[${eng}] +job pull(a\\n[fake] x\\u001b[2J)\n`);
  host.stderr.clear();
  eng.logging = false;
  eng.logf("x");
  expect(host.stderr.text).toBe("");
});

test("Engine.logf() does not fail a job when the log is gone", async () => {
  const eng = new Engine(memoryHost());
  eng.register("ok", nothing);
  eng.stderr = {
    write() {
      throw new Error("write EPIPE");
    },
  };
  await expect(eng.job("ok").run()).resolves.toBeUndefined();
  eng.stderr = { write: () => Promise.reject(new Error("write EPIPE")) };
  await expect(eng.job("ok").run()).resolves.toBeUndefined();
});

test("Engine.job() repeats errors on the engine's standard error only while it logs", async () => {
  const host = memoryHost();
  const eng = new Engine(host);
  eng.register("bad", (job) => job.errorf("broken"));
  eng.logging = false;
  await expect(eng.job("bad").run()).rejects.toThrow("broken");
  expect(host.stderr.text).toBe("");
});

test("Engine.registerCatchall() serves unknown names but not the empty one", async () => {
  const eng = new Engine(memoryHost());
  const called: string[] = [];
  eng.registerCatchall((job) => void called.push(job.name));
  await eng.job("anything").run();
  await expect(eng.job("").run()).rejects.toThrow(": command not found");
  await eng.job("commands").run();
  expect(called).toEqual(["anything"]);
});

test("Engine.parseJob() separates name, arguments and environment", () => {
  const eng = new Engine(memoryHost());
  const job = eng.parseJob("VERBOSE=1 echo hello\n TEST=true world X==y");
  expect([job.name, job.args, Object.fromEntries(job.environ())]).toEqual([
    "echo",
    ["hello", "world"],
    { VERBOSE: "1", TEST: "true", X: "=y" },
  ]);
  expect(() => eng.parseJob(" A=1 ")).toThrow("empty command: ' A=1 '");
});

test("Engine.hackGetGlobalVar() answers what was set, undefined before", () => {
  const eng = new Engine(memoryHost());
  expect(eng.hackGetGlobalVar("httpapi.daemon")).toBeUndefined();
  eng.hackSetGlobalVar("httpapi.daemon", eng);
  expect(eng.hackGetGlobalVar("httpapi.daemon")).toBe(eng);
  expect(eng.hackGetGlobalVar("__proto__")).toBeUndefined();
});

test("Engine.shutdown() refuses new jobs without a log line", async () => {
  const host = memoryHost();
  const eng = new Engine(host);
  eng.register("ok", nothing);
  await eng.shutdown();
  expect(eng.isShutdown()).toBe(true);
  await expect(eng.job("ok").run()).rejects.toThrow("engine is shutdown");
  expect(host.stderr.text).toBe("");
});

test("Engine.shutdown() waits 5 s for jobs and 10 s for callbacks, which run side by side", async () => {
  const host = memoryHost();
  const eng = new Engine(host);
  const never = new Promise<void>(() => undefined);
  eng.register("hang", () => never);
  void eng.job("hang").run();
  const begun: [string, number][] = [];
  eng.onShutdown(() => {
    begun.push(["stuck", host.clock.monotonicMs()]);
    return never;
  });
  eng.onShutdown(() => void begun.push(["quick", host.clock.monotonicMs()]));
  let ended: number | undefined;
  void eng.shutdown().then(() => {
    ended = host.clock.monotonicMs();
  });
  await host.clock.advance(4_999);
  expect(begun).toEqual([]);
  await host.clock.advance(1);
  expect(begun).toEqual([
    ["stuck", 5_000],
    ["quick", 5_000],
  ]);
  await host.clock.advance(9_999);
  expect(ended).toBeUndefined();
  await host.clock.advance(1);
  expect(ended).toBe(15_000);
});

test("Engine.shutdown() goes on as soon as the jobs end, does not wait for serveapi, and a second call returns at once", async () => {
  const host = memoryHost();
  const eng = new Engine(host);
  const gate = deferred();
  eng.register("serveapi", () => new Promise(() => undefined));
  eng.register("work", () => gate.promise);
  void eng.job("serveapi").run();
  const work = eng.job("work").run();
  let callbacks = 0;
  eng.onShutdown(() => void callbacks++);
  const first = eng.shutdown();
  await eng.shutdown();
  expect(callbacks).toBe(0);
  gate.resolve();
  await work;
  await first;
  expect([callbacks, host.clock.monotonicMs()]).toEqual([1, 0]);
});

test("Engine.shutdown() runs the other callbacks when one fails, and says so", async () => {
  const host = memoryHost();
  const eng = new Engine(host);
  let ran = false;
  eng.onShutdown(() => {
    throw new Error("no such disk");
  });
  eng.onShutdown(() => {
    ran = true;
  });
  await eng.shutdown();
  expect([ran, host.stderr.text]).toEqual([true, `[${eng}] Cannot run a shutdown callback: no such disk\n`]);
});
