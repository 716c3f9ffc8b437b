import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Engine } from "../../../../src/engine/engine.ts";
import { memoryHost } from "../../../../src/host/memory/memory.ts";
import { Logger } from "../../../../src/pkg/log/log.ts";
import { trap } from "../../../../src/pkg/signal/trap.ts";

interface Recorded {
  id: string;
  debug: boolean;
  signals: string[];
  gapSeconds: number | null;
  running: string;
  exit: number | null;
  seconds: number;
  log: string[];
  pidFileLeft: boolean;
}

const records = readFileSync(new URL("../../../golden/records/signals.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Recorded)
  .filter(({ id }) => id.startsWith("idle-") || id.startsWith("job-"));

/** What the system does when nobody handles a signal: SIGHUP ends Go's process, SIGUSR1 goes by. */
const UNHANDLED: Record<string, number | null> = { HUP: -1, USR1: null };

/** An engine with what the record says is running, in a process that traps signals. */
function daemon(record: Recorded) {
  const host = memoryHost({ env: record.debug ? { DEBUG: "1" } : {} });
  const log = new Logger(host);
  const eng = new Engine(host);
  eng.logging = false;
  if (record.id.startsWith("job-")) {
    eng.register("events", () => new Promise(() => undefined));
    void eng.job("events").run();
  }
  let pidFileLeft = true;
  eng.onShutdown(() => {
    pidFileLeft = false;
  });
  eng.onShutdown(() => log.debug("daemon.go:885", "starting clean shutdown of all containers..."));
  trap(
    host,
    () => eng.shutdown(),
    (line) => log.std(line),
  );
  return { host, pidFileLeft: () => pidFileLeft };
}

test.each(records)("trap() answers $id as the original did", async (record) => {
  const { host, pidFileLeft } = daemon(record);
  let exit: number | null = null;
  for (const [i, name] of record.signals.entries()) {
    if (i > 0) await host.clock.advance((record.gapSeconds ?? 0) * 1000);
    let handled = true;
    try {
      handled = host.signals.raise(`SIG${name}`);
    } catch (cause) {
      expect(cause).toMatchObject({ name: "ExitError" });
    }
    if (!handled) exit = UNHANDLED[name] ?? null;
  }
  await host.clock.advance(0);
  const sent = host.clock.monotonicMs();
  while (host.signals.exits.length === 0 && host.clock.monotonicMs() < 30_000) await host.clock.advance(100);
  exit = host.signals.exits[0] ?? exit;
  const stamped = host.stderr.lines.map((line) => line.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /, "<time> "));
  // Behind the runtime's first line the original prints the stacks of its goroutines.
  const expected = record.debug && record.signals.includes("QUIT") ? record.log.slice(0, 1) : record.log;
  expect({ exit, log: stamped, pidFileLeft: pidFileLeft() }).toEqual({
    exit: record.exit,
    log: expected,
    pidFileLeft: record.pidFileLeft,
  });
  if (exit === null || exit === -1) return;
  const seconds = (exit === 0 ? host.clock.monotonicMs() : sent) / 1000;
  expect(Math.abs(seconds - record.seconds)).toBeLessThanOrEqual(0.5);
});

test("the records cover idle daemons and daemons with a running job", () => {
  expect(records.map(({ id }) => id)).toContain("job-INT-TERM-INT-TERM");
  expect(records.length).toBeGreaterThanOrEqual(20);
});

test("trap() exits 0 also when the clean-up fails, and says why", async () => {
  const host = memoryHost();
  const lines: string[] = [];
  trap(
    host,
    () => {
      throw new Error("no such disk");
    },
    (line) => lines.push(line),
  );
  host.signals.raise("SIGTERM");
  await host.clock.advance(0);
  expect([host.signals.exits, lines[1]]).toEqual([[0], "Error cleaning up: no such disk"]);
});

test("trap() takes two signals that arrive in the same moment as two", async () => {
  const host = memoryHost();
  let cleanups = 0;
  trap(
    host,
    () => {
      cleanups++;
      return new Promise<void>(() => undefined);
    },
    () => undefined,
  );
  for (const name of ["SIGINT", "SIGINT", "SIGTERM", "SIGTERM"]) host.signals.raise(name);
  await host.clock.advance(0);
  expect([cleanups, host.signals.exits]).toEqual([1, [143]]);
});

test("trap() takes SIGUSR1 and SIGUSR2 away from Node, and does nothing", () => {
  const host = memoryHost();
  trap(
    host,
    () => undefined,
    () => undefined,
  );
  expect(["SIGUSR1", "SIGUSR2"].map((name) => host.signals.raise(name))).toEqual([true, true]);
  expect([host.signals.exits, host.stderr.lines]).toEqual([[], []]);
});
