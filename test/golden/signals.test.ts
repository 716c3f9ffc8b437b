/**
 * What signals do to the daemon, against what they did to 1.2.0: exit code, log, and what is left behind.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeNetns, startDaemon, type TestDaemon, type TestNetns } from "../support/daemon.ts";
import { goldenLayer } from "../support/golden-rootfs.ts";
import { startRegistry, type TestRegistry } from "../support/images.ts";

/** One line of the records. */
interface SignalRecord {
  readonly id: string;
  readonly debug: boolean;
  readonly signals: readonly ("TERM" | "INT" | "QUIT" | "HUP" | "USR1")[];
  readonly gapSeconds: number | null;
  readonly running: string;
  /** -1: ended by SIGHUP; `null`: not ended at all. */
  readonly exit: number | null;
  readonly seconds: number;
  readonly log: readonly string[];
  readonly pidFileLeft: boolean;
  readonly socketLeft: boolean;
  readonly execdriverStateLeft: readonly string[];
}

/** What is otherwise here, on purpose. */
const DEVIATIONS: Record<string, Partial<SignalRecord> & { reason: string }> = {
  "idle-QUIT-debug": { reason: "there are no goroutines whose stacks could be printed", log: ["SIGQUIT: quit"] },
  "container-ignores-TERM": {
    reason: "a container that does not end in time is killed; 1.2.0 leaves it to the next boot",
    log: [
      "<time> Received signal 'terminated', starting shutdown of docker...",
      "[debug] daemon.go:885 starting clean shutdown of all containers...",
      "[debug] daemon.go:889 stopping <id1>",
      "[debug] daemon.go:898 container stopped <id1>",
    ],
    execdriverStateLeft: [],
  },
  "container-ignores-INTx4": {
    reason: "runc's files, where libcontainer's were; the clean-up had come to the socket already",
    execdriverStateLeft: ["config.json", "pid", "runc.log"],
    socketLeft: false,
  },
  "wait-TERM": { reason: "the container is killed in the end, see container-ignores-TERM", execdriverStateLeft: [] },
};

const COMMANDS: Record<string, string> = {
  "container that handles TERM": "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done",
  "container that ignores TERM": "trap '' TERM; echo ready; while :; do sleep 0.1; done",
  "wait on a container": "trap '' TERM; echo ready; while :; do sleep 0.1; done",
};

const records = readFileSync(join(import.meta.dirname, "records/signals.jsonl"), "utf8")
  .split("\n")
  .filter(Boolean)
  .map((line) => JSON.parse(line) as SignalRecord);

let netns: TestNetns;
let registry: TestRegistry;

beforeAll(async () => {
  netns = makeNetns();
  registry = await startRegistry(netns.prefix);
  await registry.push("busybox", [goldenLayer()]);
});
afterAll(async () => {
  await registry?.stop();
  netns?.remove();
});

/** Waits until something is so. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`It did not come to ${condition}`);
    await sleep(5);
  }
}

/** Sends a request and leaves the connection open; resolves when the daemon has taken it. */
async function request(daemon: TestDaemon, line: string): Promise<Socket> {
  const socket = connect(daemon.socket, () => socket.write(`${line} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`));
  socket.on("error", () => {});
  const path = line.slice(line.indexOf(" ") + 1);
  await until(() => daemon.log().includes(path));
  return socket;
}

/** Makes the daemon busy as the record says. */
async function occupy(daemon: TestDaemon, running: string): Promise<Socket | undefined> {
  if (running === "none") return undefined;
  if (running.startsWith("open event stream")) return request(daemon, "GET /events?until=4102444800");
  const image = `${registry.address}/busybox`;
  expect((await daemon.docker("pull", image)).code).toBe(0);
  const id = (await daemon.docker("run", "-d", image, "sh", "-c", COMMANDS[running] ?? "")).stdout.trim();
  await until(async () => (await daemon.docker("logs", id)).stdout === "ready\n");
  return running.startsWith("wait") ? request(daemon, `POST /containers/${id}/wait`) : undefined;
}

/** The lines a daemon wrote since, as the records have them: those of the shutdown only. */
function normalised(log: string): string[] {
  const lines = log
    .replace(/^\d{4}\/\d\d\/\d\d [\d:]{8}/gm, "<time>")
    .replace(/[0-9a-f]{64}/g, "<id1>")
    .split("\n");
  return lines.filter((line) => /^(?:<time> |SIGQUIT|Debugger|\[debug\] daemon\.go:(?:8|9)\d\d )/.test(line));
}

/** Does what the record did. @returns what came of it, in the record's form */
async function replay(record: SignalRecord): Promise<Partial<SignalRecord>> {
  const needsImage = record.running in COMMANDS;
  const daemon = await startDaemon({
    driver: "vfs",
    args: record.debug ? ["-D"] : [],
    netns: needsImage ? netns : "none",
  });
  try {
    const client = await occupy(daemon, record.running);
    const before = daemon.log().length;
    const start = performance.now();
    for (const [i, signal] of record.signals.entries()) {
      if (i > 0) await sleep((record.gapSeconds ?? 0) * 1000);
      daemon.process.kill(`SIG${signal}`);
    }
    const survives = record.exit === null;
    // A daemon that is to live on answers the next request.
    const exit = survives ? (await daemon.docker("version")).code === 0 && null : await daemon.ended;
    const seconds = (performance.now() - start) / 1000;
    const state = join(daemon.root, "execdriver/native");
    const bundles = existsSync(state) ? readdirSync(state).filter((name) => /^[0-9a-f]{64}$/.test(name)) : [];
    const found = {
      exit: exit === "SIGHUP" ? -1 : (exit as number | null),
      seconds: survives ? record.seconds : seconds,
      log: normalised(daemon.log().slice(before)),
      pidFileLeft: existsSync(daemon.pidFile),
      socketLeft: existsSync(daemon.socket),
      execdriverStateLeft: bundles.flatMap((id) => readdirSync(join(state, id))).sort(),
    };
    client?.destroy();
    return found;
  } finally {
    await daemon.remove();
  }
}

// Nearly all of their time is waiting: they wait together.
test.concurrent.each(records)("$id: the daemon does what 1.2.0 did", { timeout: 120_000 }, async (record) => {
  const expected = { ...record, ...DEVIATIONS[record.id] };
  const found = await replay(record);
  expect(found).toEqual({
    exit: expected.exit,
    // Never longer than the original; it rounded to the half second.
    seconds: expect.toSatisfy((seconds: number) => seconds < expected.seconds + 1.5),
    log: expected.log,
    pidFileLeft: expected.pidFileLeft,
    // A socket is removed by whoever ends in order; 1.2.0 leaves it for the next boot to remove.
    socketLeft: expected.exit === 0 ? false : expected.socketLeft,
    execdriverStateLeft: expected.execdriverStateLeft,
  });
});
