/**
 * Real signals to the real daemon, on a real kernel. What the original did to the same signals is the oracle.
 */

import { existsSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { makeNetns, startDaemon, type TestDaemon } from "../../test/support/daemon.ts";
import { BUSYBOX, startRegistry } from "../../test/support/images.ts";

type Name = "TERM" | "INT" | "QUIT" | "HUP" | "USR1";

/** What a signal did to the original. */
interface Recorded {
  readonly id: string;
  readonly debug: boolean;
  readonly signals: readonly Name[];
  readonly gapSeconds: number | null;
  readonly running: string;
  /** -1: ended by SIGHUP; `null`: not ended. */
  readonly exit: number | null;
  readonly seconds: number;
  readonly pidFileLeft: boolean;
}

const records = readFileSync(new URL("../../test/golden/records/signals.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Recorded);

const reason =
  process.platform !== "linux" ? "this is not Linux" : process.getuid?.() === 0 ? "" : "the daemon needs root";
if (reason !== "") console.info(`No signals are sent to a real daemon: ${reason}.`);
const vm = test.skipIf(reason !== "");

/** Waits for what another process does: there is nothing to be told by. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`It did not come to ${condition}`);
    await sleep(5);
  }
}

/** Keeps a job running: a stream of events up to a far future. */
async function occupy(daemon: TestDaemon): Promise<Socket> {
  const socket = connect(daemon.socket);
  socket.on("error", () => undefined);
  let answer = "";
  socket.on("data", (data) => {
    answer += data;
  });
  socket.write("GET /events?until=4102444800 HTTP/1.1\r\nHost: x\r\n\r\n");
  await until(() => answer.includes("200 OK"));
  return socket;
}

/** A daemon without a network of its own, and what is done to it; nothing of it stays. */
async function withDaemon<T>(args: string[], body: (daemon: TestDaemon) => Promise<T>): Promise<T> {
  const daemon = await startDaemon({ driver: "vfs", netns: "none", args });
  try {
    return await body(daemon);
  } finally {
    await daemon.remove();
  }
}

/** The claim that each record bears on. */
const claimed: Record<string, string> = {
  "idle-INT": "001/5.3/5",
  "idle-TERM": "001/5.3/13",
  "idle-QUIT": "001/5.3/2",
  "idle-QUIT-debug": "001/5.3/2",
  "job-QUIT": "001/5.3/2",
  "idle-HUP": "001/5.3/6",
  "idle-USR1": "001/5.3/6",
  "job-TERM": "001/5.3/10",
  "job-INTx2": "001/5.3/8",
  "job-INTx3": "001/5.3/8",
  "job-INTx4": "001/5.3/8",
  "job-TERMx4": "001/5.3/8",
  "job-INT-TERM-INT-TERM": "001/5.3/8",
  "job-TERM-QUIT": "001/5.3/8",
};
const rows = records
  .filter(({ id }) => id in claimed)
  .map((record) => [claimed[record.id], record.id, `${record.exit ?? "alive"}`, record] as const);

test("every claim about signals has a record", () => {
  expect(rows).toHaveLength(Object.keys(claimed).length);
});

// They wait most of the time: two at once do not disturb each other.
vm.concurrent.each(rows)("%s %s: the end is the original's (%s)", async (_claim, _id, _status, record) => {
  const found = await withDaemon(record.debug ? ["-D"] : [], async (daemon) => {
    const client = record.running === "none" ? undefined : await occupy(daemon);
    const begin = performance.now();
    for (const [i, name] of record.signals.entries()) {
      if (i > 0) await sleep((record.gapSeconds ?? 0) * 1000);
      daemon.process.kill(`SIG${name}`);
    }
    // One that lives on answers.
    const alive = record.exit === null && (await daemon.docker("version")).code === 0;
    const exit = alive ? null : await daemon.ended;
    const seconds = alive ? record.seconds : (performance.now() - begin) / 1000;
    client?.destroy();
    return { exit: exit === "SIGHUP" ? -1 : exit, seconds, pidFileLeft: existsSync(daemon.pidFile) };
  });
  expect(found).toEqual({
    exit: record.exit,
    // Never sooner than a limit allows, and not much later; the record is rounded to the half second.
    seconds: expect.toSatisfy((s: number) => s > record.seconds - 0.6 && s < record.seconds + 2),
    pidFileLeft: record.pidFileLeft,
  });
});

vm("001/5.3/1 001/5.3/2 the kernel knows which signals are trapped", async () => {
  await withDaemon([], async ({ process: { pid } }) => {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1]}`);
    const isCaught = (number: number) => ((caught >> BigInt(number - 1)) & 1n) === 1n;
    // INT, QUIT and TERM; and HUP is not among them.
    expect([2, 3, 15, 1].map(isCaught)).toEqual([true, true, true, false]);
  });
});

vm("001/5.3/9 a daemon that waits for its jobs answers, and refuses new ones", async () => {
  await withDaemon([], async (daemon) => {
    const client = await occupy(daemon);
    daemon.process.kill("SIGTERM");
    await until(() => daemon.log().includes("starting shutdown"));
    const { code, stderr } = await daemon.docker("ps");
    expect([code, stderr]).toEqual([1, expect.stringContaining("engine is shutdown")]);
    client.destroy();
    expect(await daemon.ended).toBe(0);
  });
});

vm(
  "001/5.3/11 001/5.3/12 a container that ignores SIGTERM is killed in time, and everything after it is done",
  async () => {
    const netns = makeNetns();
    const registry = await startRegistry(netns.prefix);
    const daemon = await startDaemon({ netns, driver: "vfs", args: ["-D"] });
    try {
      await registry.push("busybox", [BUSYBOX]);
      const image = `${registry.address}/busybox`;
      expect((await daemon.docker("pull", image)).code).toBe(0);
      const script = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
      const id = (await daemon.docker("run", "-d", image, "sh", "-c", script)).stdout.trim();
      let said = "";
      while (said !== "ready\n") said = (await daemon.docker("logs", id)).stdout;
      const begin = performance.now();
      daemon.process.kill("SIGTERM");
      await until(() => !existsSync(daemon.pidFile));
      // Side by side: the pid file is gone long before the container is.
      expect(daemon.process.exitCode).toBeNull();
      expect(await daemon.ended).toBe(0);
      const seconds = (performance.now() - begin) / 1000;
      expect(seconds).toBeGreaterThan(7);
      expect(seconds).toBeLessThan(10.5);
      // The original has not this line: it waited for the container until its time was over.
      expect(daemon.log()).toContain(`container stopped ${id}`);
      expect(await daemon.remove()).toEqual([]);
    } finally {
      await daemon.remove();
      await registry.stop();
      netns.remove();
    }
  },
);
