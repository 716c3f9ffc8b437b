import { expect, test } from "vitest";
import { Engine } from "../../../src/engine/engine.ts";
import { type Handler, JobError, Status } from "../../../src/engine/job.ts";
import { NoSuchError } from "../../../src/errdefs/errdefs.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { BufferWriter } from "../../../src/sync/io.ts";

function engine(handlers: Record<string, Handler> = {}) {
  const host = memoryHost();
  const eng = new Engine(host);
  for (const [name, handler] of Object.entries(handlers)) eng.register(name, handler);
  const log = () => host.stderr.text.replaceAll(String(eng), "id");
  return { host, eng, log };
}

test("Job.run() logs the begin and the end of a job that succeeds", async () => {
  const { eng, log } = engine({ pull: () => undefined });
  await eng.job("pull", "busybox", "latest").run();
  expect(log()).toBe("[id] +job pull(busybox, latest)\n[id] -job pull(busybox, latest) = OK (0)\n");
});

test("Job.run() fails with the last line of standard error, which the daemon's log shows whole", async () => {
  const { eng, log } = engine({ create: (job) => job.errorf("Warning\nOh no...\nSomething happened\n") });
  await expect(eng.job("create").run()).rejects.toMatchObject({
    name: "JobError",
    message: "Something happened",
    statusCode: 500,
  });
  expect(log()).toBe("[id] +job create()\nWarning\nOh no...\nSomething happened\n[id] -job create() = ERR (1)\n");
});

test("Job.run() succeeds after warnings when the status is 0", async () => {
  const { eng } = engine({
    warn: (job) => {
      job.errorf("careful");
      return Status.OK;
    },
  });
  const job = eng.job("warn");
  const stderr = new BufferWriter();
  job.stderr.add(stderr);
  await job.run();
  expect([stderr.toString(), job.statusCode()]).toEqual(["careful\n", 0]);
});

test("Job.run() treats a thrown error as job.error() and keeps it as cause", async () => {
  const cause = new NoSuchError("container", "x");
  const { eng, log } = engine({
    async start() {
      throw cause;
    },
    stop: (job) => job.error(cause),
  });
  for (const name of ["start", "stop"]) {
    const failure = await eng
      .job(name)
      .run()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(JobError);
    expect(failure).toMatchObject({ message: "No such container: x", statusCode: 404, cause });
  }
  expect(log()).toContain("No such container: x\n[id] -job start() = ERR (1)\n");
});

test("Job.run() answers a handler's own status, with an empty text when it wrote nothing", async () => {
  const { eng, log } = engine({ odd: () => 42 });
  const job = eng.job("odd", "a");
  await expect(job.run()).rejects.toMatchObject({ message: "" });
  expect([job.statusCode(), job.statusString(), String(job).replace(/^\w+/, "id")]).toEqual([
    42,
    " = ERR (42)",
    "id.odd(a) = ERR (42)",
  ]);
  expect(log()).toBe("[id] +job odd(a)\n[id] -job odd(a) = ERR (42)\n");
});

test("Job.run() without a handler fails with status 127 and logs no status", async () => {
  const { eng, log } = engine();
  const job = eng.job("nope", "z");
  await expect(job.run()).rejects.toThrow("nope: command not found");
  expect(job.statusCode()).toBe(Status.NOT_FOUND);
  expect(log()).toBe("[id] +job nope(z)\nnope: command not found\n[id] -job nope(z)\n");
});

test("Job.run() refuses a second time, without log lines", async () => {
  const { eng, host, log } = engine({ ok: () => undefined });
  const job = eng.job("ok");
  await job.run();
  host.stderr.clear();
  await expect(job.run()).rejects.toThrow("ok: job has already completed");
  expect(log()).toBe("");
});

test("Job.run() closes standard output, then error, then input, and reports what cannot be closed", async () => {
  const { eng } = engine({ ok: () => undefined });
  const order: string[] = [];
  const stream = (name: string) => ({ write: () => undefined, close: () => void order.push(name) });
  const job = eng.job("ok");
  job.stdin.add({ close: () => void order.push("stdin"), async *[Symbol.asyncIterator]() {} });
  job.stdout.add(stream("stdout"));
  job.stderr.add(stream("stderr"));
  await job.run();
  expect(order).toEqual(["stdout", "stderr", "stdin"]);
  const failing = eng.job("ok");
  failing.stdout.add({
    write: () => undefined,
    close() {
      throw new Error("broken pipe");
    },
  });
  await expect(failing.run()).rejects.toThrow("broken pipe");
});

test("Job.run() hands the caller's signal to the handler; without one it never fires", async () => {
  const seen: boolean[] = [];
  const { eng } = engine({ look: (job) => void seen.push(job.signal.aborted) });
  const stop = new AbortController();
  stop.abort();
  await eng.job("look").run({ signal: stop.signal });
  await eng.job("look").run();
  expect(seen).toEqual([true, false]);
});

test("Job.logf() names the job before the text", async () => {
  const { eng, log } = engine({ ok: (job) => job.logf("hello 3\n") });
  await eng.job("ok", "a", "b").run();
  expect(log()).toContain("[id.ok(a, b)] hello 3\n");
});

test("Job.errorf() is silent about a reader that is gone", async () => {
  const { eng } = engine({ bad: (job) => job.errorf("text") });
  const job = eng.job("bad");
  job.stderr.add({ write: () => Promise.reject(new Error("EPIPE")) });
  await expect(job.run()).rejects.toThrow("text");
});

test("Job reads and writes its environment in every form", () => {
  const job = engine().eng.job("dummy", "--level=awesome");
  job.setenv("s", "x");
  job.setenvBool("b", true);
  job.setenvInt("i", -42);
  job.setenvList("l", ["bar"]);
  job.setenvJson("j", { a: 1 });
  const sub = engine().eng.job("sub").env();
  sub.set("k", "v");
  job.setenvSubEnv("e", sub);
  job.importEnv({ imported: 7 });
  job.decodeEnv('{"decoded":true}');
  expect([job.getenv("s"), job.getenv("missing"), job.getenvBool("b"), job.getenvBool("missing")]).toEqual([
    "x",
    "",
    true,
    false,
  ]);
  expect([job.getenvInt("i"), job.getenvInt64("i"), job.getenvList("l"), job.getenvList("missing")]).toEqual([
    -42,
    -42n,
    ["bar"],
    undefined,
  ]);
  expect([job.getenvJson("j"), job.getenvSubEnv("e")?.get("k"), job.envExists("imported")]).toEqual([
    { a: 1 },
    "v",
    true,
  ]);
  expect(job.environ().get("decoded")).toBe("true");
  expect(job.encodeEnv()).toBe(
    '{"b":1,"decoded":true,"e":{"k":"v"},"i":-42,"imported":7,"j":{"a":1},"l":["bar"],"s":"x"}\n',
  );
  expect([job.name, job.args]).toEqual(["dummy", ["--level=awesome"]]);
});
