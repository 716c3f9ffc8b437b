/**
 * Boots on a real machine: real threads of the kernel, a real packet filter that is made slow, real signals.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DRYDOCK, makeNetns, run, startDaemon, type TestNetns } from "../../test/support/daemon.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: chapter 05 on the real kernel needs root (network namespaces, iptables)");

/** A daemon whose network takes a second: its `iptables-save` sleeps first. */
interface SlowBoot {
  readonly dir: string;
  readonly socket: string;
  readonly child: ChildProcess;
  readonly ended: Promise<number | string>;
  log(): string;
  /** Ends it and removes everything. */
  remove(): Promise<void>;
}

function bootSlowly(): SlowBoot {
  const dir = mkdtempSync(join(tmpdir(), "dd-05-"));
  const netns: TestNetns = makeNetns();
  const bin = join(dir, "bin");
  mkdirSync(bin);
  const path = process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin";
  writeFileSync(join(bin, "iptables-save"), `#!/bin/sh\nsleep 1\nPATH=${path} exec iptables-save "$@"\n`);
  chmodSync(join(bin, "iptables-save"), 0o755);
  const socket = join(dir, "s");
  const words = [...netns.prefix, DRYDOCK, "-d", "-H", `unix://${socket}`, "-g", join(dir, "root"), "-s", "vfs"];
  const child = spawn(words[0] ?? "", [...words.slice(1), "-p", join(dir, "pid")], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH: `${bin}:${path}` },
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      log += data;
    });
  }
  const ended = new Promise<number | string>((resolve) =>
    child.once("close", (code, signal) => resolve(code ?? signal ?? 0)),
  );
  return {
    dir,
    socket,
    child,
    ended,
    log: () => log,
    async remove() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await ended;
      rmSync(dir, { recursive: true, force: true });
      netns.remove();
    },
  };
}

/** Connects as soon as there is something to connect to. */
async function firstConnection({ socket, child, log }: SlowBoot): Promise<Socket> {
  while (child.exitCode === null) {
    const connection = await new Promise<Socket | undefined>((resolve) => {
      const attempt = connect(socket, () => resolve(attempt));
      attempt.once("error", () => resolve(undefined));
    });
    if (connection !== undefined) return connection;
  }
  throw new Error(`The daemon has ended:\n${log()}`);
}

/** Waits until the log has a text. */
async function logged({ child, log }: SlowBoot, text: string): Promise<void> {
  while (!log().includes(text)) {
    if (child.exitCode !== null) throw new Error(`The daemon has ended:\n${log()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test.runIf(isRoot)("001/5.5/2 001/1/1 who connects while the daemon boots waits, and is answered", async () => {
  const boot = bootSlowly();
  try {
    const connection = await firstConnection(boot);
    expect(boot.log()).not.toContain("+job acceptconnections");
    connection.write("GET /v1.14/containers/json HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
    const before = Date.now();
    let answer = "";
    for await (const chunk of connection) answer += String(chunk);
    // The packet filter alone takes a second, and most of it was still to come.
    expect(Date.now() - before).toBeGreaterThan(500);
    await logged(boot, "+job containers");
    expect(boot.log().indexOf("+job acceptconnections")).toBeGreaterThan(0);
    expect(boot.log().indexOf("+job acceptconnections")).toBeLessThan(boot.log().indexOf("+job containers"));
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer.trimEnd()).toMatch(/\[\]$/);
    expect(boot.log()).not.toContain("error");
  } finally {
    await boot.remove();
  }
});

test.runIf(isRoot)("001/5/1 a daemon that is told to stop while it boots ends with 0 and leaves nothing", async () => {
  const boot = bootSlowly();
  try {
    const connection = await firstConnection(boot);
    const cut = new Promise<string>((resolve) => {
      connection.once("error", () => resolve("cut off"));
      connection.once("close", () => resolve("cut off"));
    });
    connection.write("GET /info HTTP/1.1\r\nHost: docker\r\n\r\n");
    await logged(boot, "+job init_networkdriver");
    expect(readFileSync(join(boot.dir, "pid"), "utf8")).toBe(String(boot.child.pid));
    boot.child.kill("SIGTERM");
    expect(await boot.ended).toBe(0);
    expect(await cut).toBe("cut off");
    expect([existsSync(join(boot.dir, "pid")), existsSync(boot.socket)]).toEqual([false, false]);
    expect(boot.log()).toContain("Received signal 'terminated', starting shutdown of docker...");
  } finally {
    await boot.remove();
  }
});

test.runIf(isRoot)("001/5/2 001/5.6/2 a real boot logs each half in the original's order", async () => {
  const daemon = await startDaemon();
  try {
    // The banner did not know the driver; the daemon does.
    expect((await daemon.docker("info")).stdout).toMatch(/^Storage Driver: \w+$/m);
    expect(await daemon.end()).toBe(0);
    const lines = daemon.log().split("\n");
    const recorded = [
      [
        /docker daemon: 1\.2\.0 fa7b24f; execdriver: native; graphdriver: $/,
        /\+job serveapi\(unix:/,
        /Listening for HTTP on unix/,
      ],
      [
        /\+job init_networkdriver\(\)/,
        /creating new bridge/,
        /getting iface addr/,
        /-job init_networkdriver\(\) = OK \(0\)/,
      ],
      [/-job init_networkdriver/, /\+job acceptconnections\(\)/, /-job acceptconnections\(\) = OK \(0\)/],
    ];
    for (const half of recorded) {
      const found = half.map((pattern) => lines.findIndex((line) => pattern.test(line)));
      expect(found).not.toContain(-1);
      expect(found).toEqual([...found].sort((a, b) => a - b));
    }
  } finally {
    await daemon.remove();
  }
});

test.runIf(isRoot)(
  "001/5.5/1 a second daemon ends with 1, and the first keeps its socket and its pid file",
  async () => {
    const daemon = await startDaemon({ driver: "vfs", netns: "none" });
    const dir = mkdtempSync(join(tmpdir(), "dd-05-"));
    try {
      const words = [DRYDOCK, "-d", "-b", "none", "-s", "vfs", "-g", join(dir, "root"), "-p", daemon.pidFile];
      const second = await run([...words, "-H", `unix://${dir}/s`]);
      expect([second.code, second.stderr]).toEqual([
        1,
        expect.stringContaining(`pid file found, ensure docker is not running or delete ${daemon.pidFile}`),
      ]);
      // With the first one's socket, too: whichever half finds out first.
      expect((await run([...words, "-H", `unix://${daemon.socket}`])).code).toBe(1);
      expect(readFileSync(daemon.pidFile, "utf8")).toBe(String(daemon.process.pid));
      expect((await daemon.docker("ps")).code).toBe(0);
    } finally {
      await daemon.remove();
      rmSync(dir, { recursive: true, force: true });
    }
  },
);
