/**
 * The recorded command lines of 1.2.0 against our client and a daemon of ours, scenario by scenario.
 */

import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { spawn as spawnPty } from "@lydell/node-pty";
import { pack } from "tar-stream";
import { expect, test } from "vitest";
import { readAll } from "../../src/sync/io.ts";
import { DRYDOCK, startDaemon, type TestDaemon } from "../support/daemon.ts";
import { Replay } from "../support/golden.ts";
import { asGo13, asTable, type CliRecord, cliRecords, splitHelp } from "../support/golden-cli.ts";
import { bodyBytes } from "../support/golden-http.ts";
import { goldenRootfs } from "../support/golden-rootfs.ts";

/** What a command line did. */
interface Done {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

const PORT_9 = "the standard fetch does not talk to port 9";

/** Records that are not compared, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  "cli_containers.036": "the arguments of ps are words of their own",
  "cli_images.011": "the text comes from Go's resolver",
  "cli_images.080": PORT_9,
  "cli_images.081": PORT_9,
  "cli_run.013": PORT_9,
  "cli_run.063": "runc gives the container its terminal under the name in /dev/pts",
};

/** What a record gives to standard input: a text, the recorded root file system, or an archive. */
async function inputOf({ stdin }: CliRecord): Promise<Buffer> {
  if (stdin === null || typeof stdin === "string") return Buffer.from(stdin ?? "");
  if ("$file" in stdin) return stdin.$file === "scratch.tar" ? scratchImage() : goldenRootfs();
  const { bytes } = await bodyBytes(stdin as Parameters<typeof bodyBytes>[0], () => Buffer.alloc(0));
  return Buffer.concat([bytes, Buffer.alloc(recordPadding(bytes.length))]);
}

/** GNU tar fills its last record of 10 KiB. */
function recordPadding(size: number): number {
  return (10_240 - (size % 10_240)) % 10_240;
}

/** The archive of an empty image with the name `scratch`, as 1.2.0 saved it. */
async function scratchImage(): Promise<Buffer> {
  const id = "511136ea3c5a64f264b78b5433614aec563103b4d4702f3ba7d4d2698e22c158";
  const archive = pack();
  archive.entry({ name: `${id}/`, type: "directory" });
  archive.entry({ name: `${id}/VERSION` }, "1.0");
  archive.entry({ name: `${id}/json` }, `{"id":"${id}","created":"2013-06-13T14:03:50.821769-07:00","Size":0}`);
  archive.entry({ name: `${id}/layer.tar` }, Buffer.alloc(1024));
  archive.entry({ name: "repositories" }, `{"scratch":{"latest":"${id}"}}`);
  archive.finalize();
  return readAll(archive as AsyncIterable<Buffer>);
}

/** Sums of what a build adds tell its time, too, and a daemon of today says what its answer is. */
function steady(text: string): string {
  return text
    .replace(/\b(file|dir):[0-9a-f]{18,64}/g, "$1:<sum>")
    .replace("[error] common.go:46 Error parsing media type:  error: mime: no media type\n", "");
}

/** Puts lines that were recorded in the order of their placeholders into that order: each after the first it fits. */
function ordered(wanted: string, actual: string, replay: Replay): string {
  const left = actual.split("\n");
  const found = wanted.split("\n").flatMap((line) => {
    const at = left.findIndex((one) => replay.fits(line, one));
    return at < 0 ? [] : left.splice(at, 1);
  });
  return [...found, ...left].join("\n");
}

/** Runs a recorded command line. */
function runRecord(record: CliRecord, argv: string[], env: Record<string, string>, cwd: string): Promise<Done> {
  if (record.tty) return runInTerminal(record, argv, env, cwd);
  return new Promise((resolve) => {
    const child = spawn(DRYDOCK, argv, { cwd, env });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data) => {
      stdout += data;
    });
    child.stderr.on("data", (data) => {
      stderr += data;
    });
    child.stdin.on("error", () => {});
    void inputOf(record).then((bytes) => child.stdin.end(bytes));
    if (record.signal) {
      const { after, signal } = record.signal;
      void sleep(after * 1000).then(() => child.kill(signal));
    }
    child.once("close", (code, signal) => resolve({ exit: code ?? (signal === "SIGTERM" ? -15 : -1), stdout, stderr }));
  });
}

/** The same where the client has a terminal: what it shows is all one stream. */
async function runInTerminal(
  record: CliRecord,
  argv: string[],
  env: Record<string, string>,
  cwd: string,
): Promise<Done> {
  const { rows, cols, input = [], after = 0 } = record.tty as NonNullable<CliRecord["tty"]>;
  const terminal = spawnPty(DRYDOCK, argv, { rows, cols, cwd, env });
  let stdout = "";
  terminal.onData((data) => {
    stdout += data;
  });
  const exit = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
  await sleep(after * 1000);
  for (const keys of input) {
    terminal.write(keys);
    await sleep(300);
  }
  return { exit: await exit, stdout, stderr: "" };
}

async function replayScenario(scenario: string, daemon: TestDaemon): Promise<string[]> {
  const replay = new Replay(daemon.socket, () => Buffer.alloc(0));
  const differences: string[] = [];
  let passed = 0;
  let compared = 0;
  const [work, home] = [join(daemon.dir, "work"), join(daemon.dir, "home")];
  mkdirSync(work);
  mkdirSync(home);
  const host = `unix://${daemon.socket}`;
  for (const record of cliRecords(scenario)) {
    for (const { sleep: seconds, files } of record.before ?? []) {
      if (seconds !== undefined) await sleep(seconds * 1000);
      for (const [path, content] of Object.entries(files ?? {})) {
        mkdirSync(dirname(join(work, path)), { recursive: true });
        writeFileSync(join(work, path), content);
      }
    }
    if (record.id in DIFFERENT) {
      passed++;
      continue;
    }
    compared++;
    // The first is a time before everything, the second is now.
    const moments = [1, Math.floor(Date.now() / 1000)];
    const argv = record.argv.slice(1).map((word) =>
      replay
        .fill(word.replaceAll("<work>", work).replace("<unix time>", () => String(moments.shift() ?? 0)))
        .replace("unix:///var/run/docker.sock", host)
        .replace(/^unix:\/\/$/, host),
    );
    const env = { PATH: process.env["PATH"] ?? "", HOME: home, TZ: "UTC", ...record.env, DOCKER_HOST: host };
    const done = await runRecord(record, argv, env, work);
    const found = compare(record, done, replay, { work, home });
    if (found !== undefined) differences.push(`${record.id} ${record.argv.join(" ")}: ${found}`);
  }
  console.info(`${scenario}: ${compared} compared, ${passed} not`);
  return differences;
}

/** Where what was done differs from the record; `undefined`: nowhere. */
function compare(
  record: CliRecord,
  done: Done,
  replay: Replay,
  paths: { work: string; home: string },
): string | undefined {
  if (record.note !== undefined) return undefined;
  if (done.exit !== record.exit) return `exit ${done.exit}, not ${record.exit}: ${JSON.stringify(done)}`;
  if (record.unstable) return undefined;
  // Log lines have a time without a zone, which stands for a time like any other here.
  const clock = (text: string) => text.replace(/(?<!\d)\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\b/g, "2014-08-20T20:20:14Z");
  const split = record.help ? splitHelp(done) : { stderr: done.stderr, help: undefined };
  for (const [stream, expected, actual] of [
    ["stdout", record.stdout, done.stdout],
    ["stderr", record.stderr, split.stderr],
  ] as const) {
    if (typeof expected !== "string") continue;
    const wanted = steady(asGo13(expected))
      .replaceAll("<work>", paths.work)
      .replaceAll("<home>", paths.home)
      .replaceAll("<help>", "HELP");
    let text = steady(clock(actual)).replaceAll("<help>", "HELP");
    if (record.help?.stream === stream && stream === "stdout") text = text.replace(/Usage: [\s\S]*$/, "HELP");
    if (record.table) text = asTable(text);
    if (record.sorted) text = ordered(wanted, text, replay);
    if (!replay.fits(wanted, text)) return `${stream} ${JSON.stringify(text)}, not ${JSON.stringify(wanted)}`;
  }
  return undefined;
}

const only = process.env["GOLDEN"]?.split(",");
const scenarios = ["cli_images", "cli_run", "cli_containers"].filter(
  (name) => only === undefined || only.includes(name),
);

test.each(scenarios)("the client does %s as 1.2.0 did", { timeout: 600_000 }, async (scenario) => {
  const daemon = await startDaemon({ driver: "vfs", args: ["-D"] });
  let differences: string[];
  try {
    differences = await replayScenario(scenario, daemon);
  } finally {
    await daemon.remove();
  }
  expect(differences).toEqual([]);
});
