/**
 * What goes into containers and comes out of them: attach, logs, run's own streams, terminals, and a hundred megabytes
 * that a client does not read.
 */

import { type ChildProcess, spawn as spawnProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { spawn as spawnTerminal } from "@lydell/node-pty";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { okWith, provide } from "../support/commands.ts";
import { DRYDOCK, hasRoot, run, startDaemon, type TestDaemon, TODAY } from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";

const isRoot = hasRoot("containers need root");
const vm = test.runIf(isRoot);

let daemon: TestDaemon;
let registry: TestRegistry;
let image: string;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  registry = await startRegistry(daemon.netns.prefix);
  image = await provide(daemon, registry, "busybox", [
    BUSYBOX,
    { "bin/tr": { link: "busybox" }, "bin/sha256sum": { link: "busybox" } },
  ]);
});
afterAll(async () => {
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

const sha = (data: Buffer | string) => createHash("sha256").update(data).digest("hex");
const words = (binary: string, ...args: string[]) => [
  ...daemon.netns.prefix,
  binary,
  "-H",
  `unix://${daemon.socket}`,
  ...args,
];

/** What a client wrote, as bytes. */
interface Bytes {
  readonly code: number | string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** A client that runs: what it has written so far, and its end. */
interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Bytes>;
  out(): string;
}

function begin(binary: string, ...args: string[]): Running {
  const [command = "", ...rest] = words(binary, ...args);
  const child = spawnProcess(command, rest, { env: { ...process.env, HOME: daemon.dir } });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (data: Buffer) => out.push(data));
  child.stderr.on("data", (data: Buffer) => err.push(data));
  child.stdin.on("error", () => {}); // it may end first
  const ended = new Promise<Bytes>((resolve) =>
    child.once("close", (code, signal) =>
      resolve({ code: code ?? signal ?? "", stdout: Buffer.concat(out), stderr: Buffer.concat(err) }),
    ),
  );
  return { child, ended, out: () => Buffer.concat(out).toString() };
}

/** Runs a client to its end with these bytes for its input. */
function withInput(input: Buffer | string, binary: string, ...args: string[]): Promise<Bytes> {
  const running = begin(binary, ...args);
  running.child.stdin?.end(input);
  return running.ended;
}

const ok = (...args: string[]) => okWith(daemon.docker, ...args);

/** Counts from now on: waits until so many jobs of a name have begun. */
function jobs(): (name: string, count: number) => Promise<void> {
  const start = daemon.log().length;
  return (name, count) =>
    expect
      .poll(() => daemon.log().slice(start).split(`+job ${name}(`).length - 1, { interval: 10, timeout: 10_000 })
      .toBeGreaterThanOrEqual(count);
}

/** A connection that attached itself without a client's help. */
interface Raw {
  readonly socket: Socket;
  readonly ended: Promise<void>;
  /** Everything after the head of the answer. */
  body(): Buffer;
  /** Both streams, taken out of their frames. */
  streams(): { out: string; err: string };
}

async function attach(name: string, query: string): Promise<Raw> {
  const socket = connect(daemon.socket);
  let received = Buffer.alloc(0);
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()).once("end", () => resolve()));
  socket.on("error", () => {});
  const head = new Promise<void>((resolve) =>
    socket.on("data", (data) => {
      received = Buffer.concat([received, data]);
      if (received.includes("\r\n\r\n")) resolve();
    }),
  );
  socket.write(`POST /v1.14/containers/${name}/attach?${query} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`);
  await Promise.race([head, ended]);
  expect(received.toString("latin1")).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  const body = () => received.subarray(received.indexOf("\r\n\r\n") + 4);
  const streams = () => {
    const found = ["", "", ""];
    for (let rest = body(); rest.length >= 8; ) {
      const end = 8 + rest.readUInt32BE(4);
      found[rest[0] ?? 0] += rest.subarray(8, end).toString();
      rest = rest.subarray(end);
    }
    return { out: found[1] ?? "", err: found[2] ?? "" };
  };
  return { socket, ended, body, streams };
}

const all = "stream=1&stdin=1&stdout=1&stderr=1";

/** Megabytes of memory that the daemon has in use. */
function residentMb(which: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${daemon.process.pid}/status`, "utf8");
  return Number(new RegExp(`${which}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}

/** Begins a new measurement of the most memory that the daemon has in use at once. */
function forgetPeak(): void {
  writeFileSync(`/proc/${daemon.process.pid}/clear_refs`, "5");
}

/** What `sh` has to print for so many megabytes of lines of 1000 bytes. */
const lines = (megabytes: number) => `yes ${"0123456789".repeat(99)}012345678 | head -c ${megabytes * 1_000_000}`;
const lines1000 = `${"0123456789".repeat(99)}012345678\n`.repeat(20_000);
const linesSha = (megabytes: number) => sha(`${"0123456789".repeat(99)}012345678\n`.repeat(megabytes * 1000));

describe.runIf(isRoot).each([
  ["our client", DRYDOCK],
  ["today's client", TODAY],
])("%s", (_who, binary) => {
  const mine = binary === DRYDOCK;
  const named = (name: string) => `${name}-${mine ? "ours" : "theirs"}`;
  const client = (...args: string[]) => withInput("", binary, ...args);

  test("ten megabytes of any bytes come back as they went in", async () => {
    const input = randomBytes(10 << 20);
    const back = await withInput(input, binary, "run", "--rm", "-i", image, "cat");
    expect([back.code, back.stdout.length, back.stderr.toString()]).toEqual([0, input.length, ""]);
    expect(sha(back.stdout)).toBe(sha(input));
    const summed = await withInput(input, binary, "run", "--rm", "-i", image, "sh", "-c", "sha256sum >&2; exit 3");
    expect([summed.code, summed.stdout.length, summed.stderr.toString()]).toEqual([3, 0, `${sha(input)}  -\n`]);
  });

  test("a program that leaves most of its input unread ends the client with its own code", async () => {
    const input = randomBytes(4 << 20);
    const done = await withInput(input, binary, "run", "--rm", "-i", image, "sh", "-c", "head -c 5 | wc -c; exit 9");
    expect([done.code, done.stdout.toString()]).toEqual([9, "5\n"]);
  });

  test("-a stdin -a stdout takes input and gives only one stream back", async () => {
    const both = "cat; echo err >&2";
    const done = await withInput(
      "typed\n",
      binary,
      ...["run", "--rm", "-i", "-a", "stdin", "-a", "stdout", image, "sh", "-c", both],
    );
    expect([done.code, done.stdout.toString(), done.stderr.toString()]).toEqual([0, "typed\n", ""]);
  });

  test("the last byte arrives, also of a container that ends at once, and the exit code is the process's", async () => {
    const codes = [0, 1, 42, 126, 127, 255];
    const runs = codes.flatMap((code) => [
      client("run", "--rm", image, "sh", "-c", `echo -n last; echo -n words >&2; exit ${code}`),
      client("run", "--rm", image, "sh", "-c", `head -c 200001 /dev/zero; exit ${code}`),
    ]);
    for (const [i, done] of (await Promise.all(runs)).entries()) {
      const code = codes[i >> 1];
      if (i % 2 === 0) expect([done.code, `${done.stdout}`, `${done.stderr}`]).toEqual([code, "last", "words"]);
      else expect([done.code, done.stdout.length]).toEqual([code, 200_001]);
    }
    const terminal = await Promise.all(
      codes.map((code) => client("run", "--rm", "-t", image, "sh", "-c", `head -c 50001 /dev/zero; exit ${code}`)),
    );
    expect(terminal.map((done) => [done.code, done.stdout.length])).toEqual(codes.map((code) => [code, 50_001]));
  });

  test("a process that a signal ended: 255 as in 2014, 128 and its number today", async () => {
    const killed = await client("run", "--rm", image, "sh", "-c", "kill -9 $$");
    // Process 1 cannot kill itself: the kernel sees to that.
    expect(killed.code).toBe(0);
    const running = begin(binary, "run", "--name", named("killed"), image, "sh", "-c", "echo up; sleep 100");
    await expect.poll(running.out).toBe("up\n");
    await ok("kill", named("killed"));
    expect((await running.ended).code).toBe(mine ? 255 : 137);
    expect((await client("wait", named("killed"))).stdout.toString()).toBe(mine ? "-1\n" : "137\n");
    await ok("rm", named("killed"));
  });

  test("attach: output of both kinds, input, the exit code; logs -f sees the same", async () => {
    const name = named("joined");
    await ok("run", "-d", "-i", "--name", name, image, "sh", "-c", "read a; echo out $a; echo err $a >&2; exit 7");
    const follower = begin(binary, "logs", "-f", name);
    const attached = begin(binary, "attach", name);
    attached.child.stdin?.write("typed\n");
    const done = await attached.ended;
    expect([done.code, `${done.stdout}`, `${done.stderr}`]).toEqual([7, "out typed\n", "err typed\n"]);
    const followed = await follower.ended;
    expect([followed.code, `${followed.stdout}`, `${followed.stderr}`]).toEqual([0, "out typed\n", "err typed\n"]);
    const stopped = await client("attach", name);
    expect([stopped.code, `${stopped.stderr}`]).toEqual([
      1,
      expect.stringMatching(/[Yy]ou cannot attach to a stopped container, start it first/),
    ]);
    await ok("rm", name);
  });

  test("attach --no-stdin listens only; a signal goes through unless --sig-proxy=false", async () => {
    const name = named("signals");
    const script = "trap 'echo got; exit 6' TERM; echo ready; while :; do sleep 0.05; done";
    await ok("run", "-d", "-i", "--name", name, image, "sh", "-c", script);
    await expect.poll(() => ok("logs", name)).toBe("ready\n");
    const begun = jobs();
    const [passing, quiet] = [
      begin(binary, "attach", "--no-stdin", name),
      begin(binary, "attach", "--no-stdin", "--sig-proxy=false", name),
    ];
    await begun("attach", 2);
    passing.child.kill("SIGTERM");
    expect((await passing.ended).code).toBe(6);
    expect([(await quiet.ended).code, quiet.out()]).toEqual([6, "got\n"]);
    await ok("rm", name);
  });

  test("start -a -i joins the next run from its first byte on", async () => {
    const name = named("again");
    await withInput("first\n", binary, "run", "-i", "--name", name, image, "cat");
    const again = await withInput("second\n", binary, "start", "-a", "-i", name);
    expect([again.code, `${again.stdout}`]).toEqual([0, "second\n"]);
    expect(await ok("logs", name)).toBe("first\nsecond\n");
    await ok("rm", name);
  });

  test("logs: -t, --tail and -f, each with each", async () => {
    const name = named("log");
    await ok(
      "run",
      "-d",
      "-i",
      "--name",
      name,
      image,
      "sh",
      "-c",
      "seq 1 5; echo six >&2; read x; echo $x; echo -n end",
    );
    await expect.poll(() => ok("logs", name)).toContain("5\n");
    const log = async (...flags: string[]) => {
      const done = await client("logs", ...flags, name);
      return [done.code, `${done.stdout}`, `${done.stderr}`];
    };
    await expect.poll(async () => (await log())[2]).toBe("six\n");
    expect(await log("--tail", "2")).toEqual([0, "5\n", "six\n"]);
    expect(await log("--tail", "0")).toEqual([0, "", ""]);
    expect(await log("--tail", "100")).toEqual([0, "1\n2\n3\n4\n5\n", "six\n"]);
    expect(await log("--tail", "all")).toEqual([0, "1\n2\n3\n4\n5\n", "six\n"]);
    const stamp = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d+Z";
    expect((await log("-t", "--tail", "3"))[1]).toMatch(new RegExp(`^${stamp} 4\n${stamp} 5\n$`));
    const begun = jobs();
    const followers = [["-f"], ["-f", "--tail", "1"], ["-f", "-t", "--tail", "0"]].map((flags) =>
      begin(binary, "logs", ...flags, name),
    );
    await expect.poll(() => followers[0]?.out()).toBe("1\n2\n3\n4\n5\n");
    // The others have said nothing on this stream: they are known to the daemon when it has begun their jobs.
    await begun("logs", 3);
    const typing = await attach(name, "stream=1&stdin=1");
    typing.socket.end("live\n");
    const ends = await Promise.all(followers.map(({ ended }) => ended));
    expect(ends.map(({ code, stderr }) => [code, `${stderr}`])).toEqual([
      [0, "six\n"],
      [0, "six\n"],
      [0, ""],
    ]);
    expect(`${ends[0]?.stdout}`).toBe("1\n2\n3\n4\n5\nlive\nend");
    expect(`${ends[1]?.stdout}`).toBe("live\nend");
    // 1.2.0 puts the time of a line that is followed between brackets.
    const live = mine ? `\\[${stamp}\\]` : stamp;
    expect(`${ends[2]?.stdout}`).toMatch(new RegExp(`^${live} live\n${live} end$`));
    await ok("rm", name);
  });

  test("a terminal: what is typed, its size, and Ctrl-P Ctrl-Q, which leaves the container running", async () => {
    const name = named("terminal");
    const start = (...args: string[]) => {
      const [command = "", ...rest] = words(binary, ...args);
      const pty = spawnTerminal(command, rest, { cols: 91, rows: 27, env: { ...process.env, HOME: daemon.dir } });
      let screen = "";
      pty.onData((data) => {
        screen += data;
      });
      const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
      return { pty, ended, shows: (text: RegExp) => expect.poll(() => screen, { timeout: 15_000 }).toMatch(text) };
    };
    const first = start("run", "-it", "--name", name, image, "sh");
    await first.shows(/# /);
    first.pty.write("echo t$((1+1))\r");
    await first.shows(/t2/);
    first.pty.write("\x10\x11");
    expect(await first.ended).toBe(0);
    expect(await ok("inspect", "-f", "{{.State.Running}}", name)).toBe("true\n");
    const second = start("attach", name);
    second.pty.write("\r");
    await second.shows(/# /);
    second.pty.write("stty size\r");
    await second.shows(/27 91/);
    second.pty.write("\x10");
    second.pty.write("\x11");
    // Today's client takes the end of a container that goes on for a failure.
    expect(await second.ended).toBe(mine ? 0 : 1);
    const third = start("attach", name);
    third.pty.write("\r");
    await third.shows(/# /);
    third.pty.write("exit 12\r");
    expect(await third.ended).toBe(12);
    await ok("rm", name);
  });
});

vm("several clients at once hear the same; one that dies, or has nothing more to say, leaves alone", async () => {
  await ok("run", "-d", "-i", "--name", "many", image, "cat");
  const [a, b, c, d] = await Promise.all(Array.from({ length: 4 }, () => attach("many", all)));
  if (!a || !b || !c || !d) throw new Error("not attached");
  a.socket.write("one\n");
  for (const client of [a, b, c, d]) await expect.poll(() => client.streams().out).toBe("one\n");
  b.socket.destroy();
  // The container's input is not once for all: who closes his half leaves, the others stay.
  c.socket.end();
  await c.ended;
  d.socket.write("two\n");
  for (const client of [a, d]) await expect.poll(() => client.streams().out).toBe("one\ntwo\n");
  expect(c.streams().out).toBe("one\n");
  expect(await ok("inspect", "-f", "{{.State.Running}}", "many")).toBe("true\n");
  await ok("kill", "many");
  await Promise.all([a.ended, d.ended]);
  expect(await ok("logs", "many")).toBe("one\ntwo\n");
  await ok("rm", "many");
});

vm("attach without a stream, of one stream, and with the log before it", async () => {
  await ok(
    "run",
    "-d",
    "-i",
    "--name",
    "parts",
    image,
    "sh",
    "-c",
    "echo o1; echo e1 >&2; read x; echo o2; echo e2 >&2",
  );
  await expect.poll(async () => (await daemon.docker("logs", "parts")).stderr).toBe("e1\n");
  const replay = await attach("parts", "logs=1&stdout=1&stderr=1");
  await replay.ended;
  expect(replay.streams()).toEqual({ out: "o1\n", err: "e1\n" });
  const [out, err, both] = await Promise.all([
    attach("parts", "stream=1&stdout=1"),
    attach("parts", "stream=1&stderr=1&logs=1"),
    attach("parts", `${all}&logs=1`),
  ]);
  both.socket.write("go\n");
  await Promise.all([out.ended, err.ended, both.ended]);
  expect([out.streams(), err.streams(), both.streams()]).toEqual([
    { out: "o2\n", err: "" },
    { out: "", err: "e1\ne2\n" },
    { out: "o1\no2\n", err: "e1\ne2\n" },
  ]);
  await ok("rm", "parts");
});

vm("Ctrl-P Ctrl-Q leaves however the bytes are cut; a Ctrl-P alone reaches the program", async () => {
  await ok("run", "-d", "-i", "-t", "--name", "keys", image, "sh", "-c", "stty raw -echo; echo up; od -An -tx1 -w1 -v");
  await expect.poll(() => ok("logs", "keys")).toContain("up");
  for (const pieces of [
    ["\x10\x11"],
    ["\x10", "\x11"],
    ["ab\x10", "\x11cd"],
    ["a\x10\x10\x11"],
    ["\x10a\x10", "\x11"],
  ]) {
    const client = await attach("keys", all);
    client.socket.setNoDelay(true);
    for (const piece of pieces) {
      client.socket.write(piece);
      // A piece of its own: the kernel would join what is sent at once.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await client.ended;
  }
  expect(await ok("inspect", "-f", "{{.State.Running}}", "keys")).toBe("true\n");
  const last = await attach("keys", "stream=1&stdin=1");
  last.socket.write("z");
  const typed = async () =>
    (await ok("logs", "keys"))
      .replace(/^up\s+/, "")
      .split(/\s+/)
      .filter(Boolean)
      .join(" ");
  await expect.poll(typed).toBe("61 62 61 10 10 61 7a");
  last.socket.destroy();
  await ok("rm", "-f", "keys");
});

vm("standard input that is there once ends with its first client; the container with it", async () => {
  const first = begin(DRYDOCK, "run", "-i", "--name", "once", image, "sh", "-c", "cat; echo over");
  await expect
    .poll(() => daemon.docker("inspect", "-f", "{{.State.Running}}", "once").then((r) => r.stdout))
    .toBe("true\n");
  const second = await attach("once", "stream=1&stdout=1");
  first.child.stdin?.end("only\n");
  expect((await first.ended).stdout.toString()).toBe("only\nover\n");
  await second.ended;
  expect(second.streams().out).toBe("only\nover\n");
  expect(await ok("inspect", "-f", "{{.Config.StdinOnce}}", "once")).toBe("true\n");
  await ok("rm", "once");
});

vm(
  "resize: a terminal takes the size, others and those that never ran ignore it, bad numbers are refused",
  async () => {
    const post = async (path: string) => {
      const url = `http://localhost/v1.14${path}`;
      const done = await daemon.inside(
        "curl",
        "-s",
        "-w",
        "%{http_code}",
        "--unix-socket",
        daemon.socket,
        "-X",
        "POST",
        url,
      );
      return done.stdout;
    };
    await ok("run", "-d", "-i", "-t", "--name", "sized", image, "sh", "-c", "while read x; do stty size; done");
    await ok("run", "-d", "--name", "plain", image, "sleep", "100");
    expect(await post("/containers/sized/resize?h=33&w=101")).toBe("200");
    const client = await attach("sized", all);
    client.socket.write("\r");
    await expect.poll(() => client.body().toString()).toContain("33 101");
    client.socket.destroy();
    expect(await post("/containers/plain/resize?h=1&w=1")).toBe("200");
    expect(await post("/containers/sized/resize?h=x&w=1")).toBe('strconv.ParseInt: parsing "x": invalid syntax\n500');
    expect(await post("/containers/nope/resize?h=1&w=1")).toBe("No such container: nope\n404");
    const body = JSON.stringify({ Image: image, Cmd: ["sh"], Tty: true });
    const url = "http://localhost/v1.14/containers/create?name=never";
    const json = ["-H", "Content-Type: application/json", "-d", body];
    await daemon.inside("curl", "-s", "--unix-socket", daemon.socket, ...json, url);
    expect(await post("/containers/never/resize?h=1&w=1")).toBe("200");
    await ok("rm", "-f", "sized", "plain", "never");
  },
);

vm("input that nobody reads waits at the client, and ends with the container", async () => {
  const before = residentMb("VmRSS");
  forgetPeak();
  const running = begin(DRYDOCK, "run", "--rm", "-i", image, "sh", "-c", "echo up; sleep 1; exit 4");
  running.child.stdin?.write(Buffer.alloc(200 << 20));
  await expect.poll(running.out).toBe("up\n");
  expect((await running.ended).code).toBe(4);
  expect(residentMb("VmHWM") - before).toBeLessThan(100);
});

vm("start -a passes signals on, too, and keeps the exit code to itself, as in 1.2.0", async () => {
  const script = "trap 'echo got; exit 6' TERM; echo ready; while :; do sleep 0.05; done";
  await ok("run", "-d", "--name", "starter", image, "sh", "-c", script);
  await ok("stop", "-t", "5", "starter");
  const running = begin(DRYDOCK, "start", "-a", "starter");
  await expect.poll(running.out).toContain("ready\n");
  running.child.kill("SIGTERM");
  const { code } = await running.ended;
  // The name comes when the daemon has answered: the container may be faster.
  expect([code, running.out().split("\n").sort()]).toEqual([0, ["", "got", "ready", "starter"]]);
  await ok("rm", "starter");
});

vm("a client that dies in the middle costs nothing: the container goes on and its log is whole", async () => {
  const running = begin(
    DRYDOCK,
    "run",
    "--name",
    "left",
    image,
    "sh",
    "-c",
    `echo up; ${lines(5)}; sleep 0.2; echo end`,
  );
  await expect.poll(running.out).toContain("up\n");
  running.child.kill("SIGKILL");
  expect(await ok("wait", "left")).toBe("0\n");
  const log = await withInput("", DRYDOCK, "logs", "left");
  expect(log.stdout.length).toBe(3 + 5_000_000 + 4);
  expect(log.stdout.subarray(-5).toString()).toBe("\nend\n");
  await ok("rm", "left");
});

vm("a hundred megabytes: at full speed, in bounded memory, also when a client reads slowly or not at all", async () => {
  await ok("run", "--rm", image, "true");
  const before = residentMb("VmRSS");
  forgetPeak();
  // 1: read as fast as it comes.
  const fast = await withInput("", DRYDOCK, "run", "--name", "flood", image, "sh", "-c", lines(100));
  expect([fast.code, fast.stdout.length]).toEqual([0, 100_000_000]);
  expect(sha(fast.stdout)).toBe(linesSha(100));
  const whileFast = residentMb("VmHWM") - before;
  // 2: the same from the log.
  forgetPeak();
  const log = await withInput("", DRYDOCK, "logs", "flood");
  expect(sha(log.stdout)).toBe(linesSha(100));
  const whileLog = residentMb("VmHWM") - before;
  // 3: two clients, of which one stops reading. It holds the container up, until it goes.
  forgetPeak();
  await ok("run", "-d", "-i", "--name", "stuck", image, "sh", "-c", `read x; ${lines(100)}; echo end >&2`);
  const [deaf, live] = await Promise.all([attach("stuck", "stream=1&stdout=1"), attach("stuck", "stream=1&stdin=1")]);
  deaf.socket.pause();
  live.socket.write("go\n");
  const size = async () => Number((await ok("logs", "stuck")).length);
  let seen = -1;
  await expect
    .poll(
      async () => {
        const last = seen;
        seen = await size();
        return seen > 0 && seen === last;
      },
      { timeout: 20_000, interval: 300 },
    )
    .toBe(true);
  expect(seen).toBeLessThan(20_000_000);
  // It reads a little now and then: what it gets is the next piece, and nobody keeps more for it.
  const half = deaf.body().length;
  for (let i = 0; i < 20; i++) {
    const more = new Promise((resolve) => deaf.socket.once("data", resolve));
    deaf.socket.resume();
    await more;
    deaf.socket.pause();
  }
  const got = Buffer.from(deaf.streams().out);
  expect([deaf.body().length > half, got.equals(Buffer.from(lines1000.slice(0, got.length)))]).toEqual([true, true]);
  const whileStuck = residentMb("VmHWM") - before;
  // Everybody else goes on meanwhile.
  expect(await ok("run", "--rm", image, "echo", "others")).toBe("others\n");
  deaf.socket.destroy();
  expect(await ok("wait", "stuck")).toBe("0\n");
  const rest = await withInput("", DRYDOCK, "logs", "stuck");
  expect([sha(rest.stdout), `${rest.stderr}`]).toEqual([linesSha(100), "end\n"]);
  console.log(
    `daemon's memory above ${before.toFixed(0)} MB: ${[whileFast, whileLog, whileStuck].map((mb) => mb.toFixed(0)).join(", ")} MB`,
  );
  for (const more of [whileFast, whileLog, whileStuck]) expect(more).toBeLessThan(150);
  await ok("rm", "flood", "stuck");
  expect((await run(["ls", `${daemon.root}/containers`])).stdout).toBe("");
});
