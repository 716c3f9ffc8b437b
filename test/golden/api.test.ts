/**
 * The recorded answers of 1.2.0 against a daemon of ours, scenario by scenario.
 *
 * A route that is not served is a difference; a record that needs what came of it is counted as `later`, and left out.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { type GoldenRecord, goldenRecords, Replay, splitStream } from "../support/golden.ts";
import { type Answer, bodyBytes } from "../support/golden-http.ts";
import { goldenRootfs } from "../support/golden-rootfs.ts";
import { DEVIATIONS, type Deviation } from "./deviations.ts";

/** `settleMs`: the recorder was slower than we are, and its containers had come further. */
const SCENARIOS: Record<string, { args?: string[]; settleMs?: number }> = {
  system: {},
  system_nodebug: { args: [] },
  cors: { args: ["-D", "--api-enable-cors"] },
  missing: {},
  images: {},
  build: {},
  images_ids: {},
  create: {},
  files: {},
  lifecycle: {},
  listing: {},
  logs_attach: {},
  remove: {},
  volumes: {},
  network: {},
  restart_policy: {},
  old_versions: { settleMs: 800 },
  events: {},
  listing_size: {},
  daemon_restart: {},
};

/** Ids that requests of a scenario choose themselves: their first digits mean something there. */
const CHOSEN: Record<string, Record<string, string>> = {
  images_ids: {
    id1: `abcdef0123456789abcd${"1".repeat(44)}`,
    id2: `abcdef0123456789abcd${"2".repeat(44)}`,
    id3: `abcdefc${"3".repeat(57)}`,
    // Not of digits alone: 1.2.0 would print them as numbers.
    id5: "e5".repeat(32),
    id6: "e6".repeat(32),
    id7: "e7".repeat(32),
  },
  events: { id4: "e4".repeat(32) },
};

/** The moments that a request names, as seconds from now; the records leave them out. */
const MOMENTS: Record<string, readonly number[]> = {
  "events.025": [-3600, 1],
  "events.026": [1],
  "events.027": [3600, 1],
  "events.028": [-3600, 1],
  "events.029": [-3600, 1],
  "events.030": [4],
  "events.031": [1],
};

/** What the recorder did on the side, before a request or while its answer comes. */
const ASIDE: Record<string, { before?: Aside; meanwhile?: Aside }> = {
  "events.030": {
    meanwhile: async (replay) => {
      await replay.ask("POST", "/containers/create?name=lv", { Image: "busybox", Cmd: ["true"] });
      for (const step of ["POST /containers/lv/start", "POST /containers/lv/wait", "DELETE /containers/lv"]) {
        const [method = "", path = ""] = step.split(" ");
        expect((await replay.ask(method, path)).status, step).toBeLessThan(300);
      }
    },
  },
  "events.031": {
    before: async (replay) => {
      for (let n = 0; n < 40; n++) {
        expect((await replay.ask("POST", `/images/busybox/tag?repo=r${n}`)).status).toBe(201);
        expect((await replay.ask("DELETE", `/images/r${n}`)).status).toBe(200);
      }
    },
  },
};
type Aside = (replay: Replay) => Promise<void>;

/** Records that need what a route that is not served would have made. */
const AFTER: Record<string, string> = { "events.024": "events.023" };

/** What is said of the original in these notes does not happen here: they are compared like all others. */
const COMPARED_ALL_THE_SAME = new Set(["daemon_restart.011", "daemon_restart.012", "daemon_restart.022"]);

/** Lists of events: which of two comes first was a race in the original, and some may be of what is not served yet. */
const EVENT_LISTS = new Set(["events.025", "events.029", "events.031"]);
type EventLine = { status: string; id: string };

/** The end of a container before the request that made it end. */
function endsFirst(events: readonly EventLine[]): EventLine[] {
  const sorted = [...events];
  for (let i = 1; i < sorted.length; i++) {
    const [one, next] = [sorted[i - 1] as EventLine, sorted[i] as EventLine];
    if (next.status === "die" && ["kill", "stop"].includes(one.status)) [sorted[i - 1], sorted[i]] = [next, one];
  }
  return sorted;
}

/** Where a list of events differs from the recorded one; without those that an image would make that is not there. */
function eventDifferences(replay: Replay, record: GoldenRecord, answer: Answer, without: string | undefined): string[] {
  const actual = splitStream(answer.body.toString()).objects as unknown as EventLine[];
  const recorded = record.response.body as unknown as EventLine[];
  const wanted = recorded.filter(({ id }) => id !== without);
  const body = endsFirst(actual.slice(-wanted.length)).map((event) => JSON.stringify(event));
  const response = { ...record.response, body: endsFirst(wanted) } as unknown as GoldenRecord["response"];
  const expected = { ...record, response, unstable: false };
  const found = replay.differences(expected, { ...answer, body: Buffer.from(body.join("")) });
  const length = record.id === "events.031" ? 64 : wanted.length;
  return actual.length === length ? found : [...found, `${actual.length} events, not ${length}`];
}

/** What came of a scenario. */
interface Outcome {
  readonly differences: string[];
  readonly later: Map<string, number>;
  compared: number;
}

/** Puts the moments of a record into its path. */
function withMoments(record: GoldenRecord): GoldenRecord {
  const moments = [...(MOMENTS[record.id] ?? [])];
  if (moments.length === 0) return record;
  const now = Math.ceil(Date.now() / 1000);
  const path = record.request.path.replaceAll("<unix time>", () => String(now + (moments.shift() ?? 0)));
  return { ...record, request: { ...record.request, path } };
}

/**
 * Sends the request of a record, with all that goes on around it.
 *
 * @param restart - ends the daemon by a signal and starts another one on the same root
 */
async function play(
  replay: Replay,
  record: GoldenRecord,
  restart: (signal: NodeJS.Signals) => Promise<string>,
): Promise<Answer> {
  const { before = [], ...rest } = record;
  const { before: first, meanwhile } = ASIDE[record.id] ?? {};
  await first?.(replay);
  for (const { sleep, daemon } of before) {
    if (daemon !== undefined) replay.goOn(await restart(daemon.startsWith("SIGKILL") ? "SIGKILL" : "SIGTERM"));
    if (sleep !== undefined) await new Promise((resolve) => setTimeout(resolve, sleep * 1000));
  }
  const [answer] = await Promise.all([replay.send(withMoments(rest)), meanwhile?.(replay)]);
  return answer;
}

/** Starts the next daemon on the root of one that has ended. */
async function nextDaemon(daemons: TestDaemon[], signal: NodeJS.Signals): Promise<string> {
  const [first, last] = [daemons[0] as TestDaemon, daemons.at(-1) as TestDaemon];
  await last.end(signal);
  const next = await startDaemon({ driver: "vfs", args: ["-D"], root: first.root, netns: first.netns });
  daemons.push(next);
  return next.socket;
}

async function replayScenario(scenario: string, daemons: TestDaemon[], rootfs: Buffer): Promise<Outcome> {
  const daemon = daemons[0] as TestDaemon;
  const work = join(daemon.dir, "work");
  mkdirSync(join(work, "src"), { recursive: true });
  writeFileSync(join(work, "src/f"), "host file\n");
  writeFileSync(join(work, "one"), "single\n");
  const replay = new Replay(daemon.socket, () => rootfs, { ...CHOSEN[scenario], work, root: daemon.root });
  const outcome: Outcome = { differences: [], later: new Map(), compared: 0 };
  const postponed = new Set<string>();
  const postpone = (what: string) => outcome.later.set(what, (outcome.later.get(what) ?? 0) + 1);
  for (const recorded of goldenRecords(scenario)) {
    const record = COMPARED_ALL_THE_SAME.has(recorded.id) ? { ...recorded, unstable: false } : recorded;
    const { method, path } = record.request;
    const deviation = DEVIATIONS[record.id];
    if (deviation?.skip) continue;
    if (postponed.has(AFTER[record.id] ?? "")) {
      postpone("needs an earlier step");
      continue;
    }
    let found: string[];
    try {
      const answer = await play(replay, record, (signal) => nextDaemon(daemons, signal));
      const unknown = answer.status === 404 && answer.body.toString() === "404 page not found\n";
      const expected = record.response.status === 404 && record.response.body === "404 page not found\n";
      if (unknown && !expected && deviation === undefined) {
        outcome.differences.push(`${record.id} ${method} ${path}: there is no such route`);
        postponed.add(record.id);
        continue;
      }
      found = EVENT_LISTS.has(record.id)
        ? eventDifferences(replay, record, answer, postponed.has("events.023") ? "<id4>" : undefined)
        : differences(replay, record, answer, deviation);
      const settleMs = path.endsWith("/start") ? (SCENARIOS[scenario]?.settleMs ?? 0) : 0;
      await new Promise((resolve) => setTimeout(resolve, settleMs));
    } catch (cause) {
      if (cause instanceof Error && cause.message.startsWith("no value")) {
        postpone("needs an earlier step");
        continue;
      }
      found = [String(cause)];
    }
    outcome.compared++;
    if (record.note !== undefined && deviation?.body === undefined && !COMPARED_ALL_THE_SAME.has(record.id)) continue;
    for (const text of found) outcome.differences.push(`${record.id} ${method} ${path}: ${text}`);
  }
  return outcome;
}

/** Where an answer differs from the record, or from what is known to be there instead. */
function differences(replay: Replay, record: GoldenRecord, answer: Answer, deviation?: Deviation): string[] {
  const { instead, race, body } = deviation ?? {};
  if (body !== undefined) {
    const response = {
      status: 200,
      headers: { "Content-Type": "application/json" },
      bodyType: "json",
      body,
      terminator: "",
    };
    return replay.differences({ ...record, response: response as unknown as GoldenRecord["response"] }, answer);
  }
  // Looked at in any case: it says what the ids stand for.
  const found = replay.differences(record, answer);
  if (deviation === undefined || (race && found.length === 0)) return found;
  return instead === undefined ? [] : replay.differences(withTexts(record, instead), answer);
}

/** A record with other texts in its answer. */
function withTexts(record: GoldenRecord, texts: Readonly<Record<string, string>>): GoldenRecord {
  const names = new RegExp(
    Object.keys(texts)
      .map((text) => text.replace(/[().]/g, "\\$&"))
      .join("|"),
    "g",
  );
  const response = JSON.stringify(record.response).replace(names, (text) => texts[text] ?? text);
  return { ...record, response: JSON.parse(response) as GoldenRecord["response"] };
}

const only = process.env["GOLDEN"]?.split(",");
const scenarios = Object.keys(SCENARIOS).filter((name) => only === undefined || only.includes(name));

test("what differs on purpose is said in the source too", () => {
  for (const { symbol } of Object.values(DEVIATIONS)) {
    if (symbol === undefined) continue;
    const source = readFileSync(join(import.meta.dirname, "../..", symbol.split(" ")[0] ?? ""), "utf8");
    expect(source, symbol).toContain("@deviation");
  }
});

/** The files of the web server but for its archives. */
const WEB: Readonly<Record<string, string>> = {
  Dockerfile: "FROM busybox\nENV REMOTE 1\n",
  bad: "BOGUS\n",
  "x.txt": "remote file\n",
  "dir/index.html": "a page\n",
};

/** The web server of the records: 127.0.0.1:8999 in the daemon's network. */
async function serveFiles(daemon: TestDaemon): Promise<ChildProcess> {
  const dir = join(daemon.dir, "www");
  mkdirSync(dir);
  const entries = [
    { name: "etc", type: "dir" },
    { name: "etc/motd", content: "hello\n" },
    { name: "link", type: "symlink", link: "etc/motd" },
  ];
  const archive = (await bodyBytes({ $tar: entries }, () => Buffer.alloc(0))).bytes;
  writeFileSync(join(dir, "tiny.tar"), archive);
  writeFileSync(join(dir, "a.tar"), Buffer.concat([archive, Buffer.alloc(10_240 - archive.length)]));
  mkdirSync(join(dir, "dir"));
  for (const [name, content] of Object.entries(WEB)) writeFileSync(join(dir, name), content);
  const [command = "", ...words] = [
    ...daemon.netns.prefix,
    "busybox",
    "httpd",
    "-f",
    "-p",
    "127.0.0.1:8999",
    "-h",
    dir,
  ];
  const server = spawn(command, words, { stdio: "ignore" });
  for (;;) {
    const { code } = await daemon.inside("curl", "-s", "-o", "/dev/null", "http://127.0.0.1:8999/");
    if (code === 0) return server;
    if (server.exitCode !== null) throw new Error("busybox httpd did not start");
  }
}

/** How many scenarios go on at a time: each mostly waits. */
const AT_ONCE = 2;
const lanes = Array.from({ length: AT_ONCE }, () => Promise.resolve());

/** Runs a scenario when a lane is free. */
async function inLane<T>(index: number, work: () => Promise<T>): Promise<T> {
  const lane = index % AT_ONCE;
  const before = lanes[lane];
  let leave = (): void => undefined;
  lanes[lane] = new Promise((resolve) => {
    leave = resolve;
  });
  await before;
  return work().finally(leave);
}

// The records count on pauses of half a second: a machine that is busy with something else may be too late once.
test.concurrent.each(scenarios.map((scenario, index) => ({ scenario, index })))(
  "the daemon answers the scenario $scenario as 1.2.0 did",
  { timeout: 600_000, retry: 1 },
  async ({ scenario, index }) => {
    const outcome = await inLane(index, async () => {
      const rootfs = await goldenRootfs();
      const daemon = await startDaemon({ driver: "vfs", args: SCENARIOS[scenario]?.args ?? ["-D"] });
      const files = await serveFiles(daemon);
      const daemons = [daemon];
      try {
        return await replayScenario(scenario, daemons, rootfs);
      } finally {
        files.kill("SIGKILL");
        for (const one of daemons.reverse()) await one.remove();
      }
    });
    const later = [...outcome.later].map(([what, count]) => `${what} ×${count}`).join(", ") || "nothing";
    console.info(`${scenario}: ${outcome.compared} compared, later: ${later}`);
    expect(outcome.differences).toEqual([]);
  },
);
