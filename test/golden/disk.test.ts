/**
 * What the graph root holds after an import, a build, a run with volumes, a commit, links, a kill and the removal of all
 * that, against what 1.2.0 left there: which files, how large, with which modes, and what is in them.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { DRYDOCK, run, startDaemon, type TestDaemon } from "../support/daemon.ts";
import {
  baseOf,
  type DiskCommand,
  DiskIds,
  type DiskStage,
  diskEntries,
  diskStages,
  linkGraphOf,
  shownText,
} from "../support/golden-disk.ts";
import { goldenRootfs } from "../support/golden-rootfs.ts";

/** Files that only one of the two has, and why. */
const DIFFERENT: readonly { readonly reason: string; readonly ours?: RegExp; readonly theirs?: RegExp }[] = [
  { reason: "the mark by which a root is known", ours: /^\.drydock$/ },
  {
    reason: "how the archive of a layer was written, so that its digest can be had again",
    ours: /\/layer\.(json|split)$/,
  },
  {
    reason: "containers are run by runc: its files, instead of libcontainer's",
    ours: /^execdriver\/native\/(\.runc|<id\d+>)/,
    theirs: /^execdriver\/native\/<id\d+>/,
  },
  { reason: "there is no dockerinit", theirs: /^init(\/|$)/ },
  {
    reason: "the driver makes its directories when it starts, not when the first layer comes",
    ours: /^vfs(\/dir)?$/,
    theirs: /^vfs(\/dir)?$/,
  },
  { reason: "volumes are made where they stay", theirs: /^volumes\/_tmp$/ },
];

/** Keys that 1.2.0 does not write, by the names of the files that have them. */
const OUR_KEYS: Readonly<Record<string, readonly string[]>> = {
  "config.json": ["MacAddress", "ExitSignal"],
};

const RECORD = readFileSync(join(import.meta.dirname, "records/disk.txt"), "utf8");
const stages = diskStages(RECORD);
const DOCKERFILE =
  'FROM busybox\nMAINTAINER Me <me@example.com>\nADD f /f\nRUN echo built > /built\nCMD ["cat", "/built"]\n';

const ids = new DiskIds();
let daemon: TestDaemon;
let work: string;
/** What the root held at the stage before. */
let entries: ReadonlyMap<string, string> = new Map();
let base: ReadonlySet<string> = new Set();

beforeAll(async () => {
  daemon = await startDaemon({ driver: "vfs" });
  work = join(daemon.dir, "work");
  mkdirSync(join(work, "ctx"), { recursive: true });
  mkdirSync(join(work, "hostdir"));
  writeFileSync(join(work, "ctx/Dockerfile"), DOCKERFILE);
  writeFileSync(join(work, "ctx/f"), "content\n");
});
afterAll(async () => expect(await daemon?.remove()).toEqual([]));

/** The words of a recorded command line, with our directories. */
function wordsOf(line: string): string[] {
  const words = line.replaceAll("<work>", work).match(/'[^']*'|\S+/g) ?? [];
  return words.slice(1).map((word) => (word === "ctx" ? join(work, "ctx") : word.replace(/^'(.*)'$/, "$1")));
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

async function obey(command: DiskCommand): Promise<void> {
  const words = wordsOf(command.line);
  const input = words[0] === "import" ? await goldenRootfs() : "";
  const done = await run([DRYDOCK, "-H", `unix://${daemon.socket}`, ...words], { input });
  expect(done.code, done.stderr).toBe(0);
  const stdout = lines(done.stdout).map((line) => line.trimEnd());
  for (const [i, line] of command.stdout.entries()) ids.learn(line, stdout[i] ?? "");
  expect(stdout.map((line) => ids.normalise(line))).toEqual(command.stdout);
  // The record leaves out how much of a context was sent.
  expect(lines(done.stderr).filter((line) => !line.startsWith("Sending build context"))).toEqual(command.stderr);
}

/** What has to be known, or to have happened, before the root is looked at. */
const BEFORE: Readonly<Record<string, () => Promise<void> | void>> = {
  "after import": () => {
    base = baseOf(daemon.root, ids.shortIdOf("id1") as string);
  },
  "after run with volumes": async () => {
    const [{ Id, Volumes }] = JSON.parse((await daemon.docker("inspect", "vol")).stdout);
    ids.bind("id10", Id);
    ids.bind("id11", Volumes["/data"].split("/").at(-1));
  },
  // That somebody is killed is answered before it is written down.
  "after kill": () =>
    vi
      .waitUntil(() => stateOf("id13").FinishedAt > "0002" && stateOf("id14").FinishedAt > "0002", 10_000)
      .then(() => {}),
  "after the daemon has ended: exit 0": async () => {
    expect(await daemon.end("SIGTERM")).toBe(0);
  },
};

function stateOf(name: string): { FinishedAt: string } {
  const path = [...diskEntries(daemon.root).keys()].find(
    (one) => ids.normalise(one) === `containers/<${name}>/config.json`,
  );
  return JSON.parse(readFileSync(join(daemon.root, path ?? ""), "utf8")).State;
}

/** A text of ours, or of the record, without what differs from run to run. */
function steady(text: string): string {
  return ids
    .normalise(text)
    .replaceAll(daemon.root, "<root>")
    .replaceAll(work, "<work>")
    .replace(/"(?!0001-)\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)"/g, '"<time>"')
    .replace(/"Pid": [1-9]\d*/g, '"Pid": "<pid>"')
    .replace(/\b(file|dir):[0-9a-f]{64}/g, "$1:<sum>")
    .replace(/^nameserver .*/gm, "nameserver <nameserver>");
}

/** Lines of entries: named, without those that are different on purpose, and without sizes that tell a time's digits. */
function shown(list: Iterable<string>, whose: "ours" | "theirs"): string[] {
  const kept: string[] = [];
  for (const line of list) {
    const named = ids.normalise(line);
    const path = named.split(" ")[2] ?? "";
    if (DIFFERENT.some((one) => one[whose]?.test(path))) continue;
    kept.push(named.replace(/((?:config\.json|\/json|-json\.log|linkgraph\.db)) {2}\d+ bytes$/, "$1"));
  }
  return kept.sort();
}

function without(lists: Iterable<string>, others: Iterable<string>): string[] {
  const set = new Set(others);
  return [...lists].filter((line) => !set.has(line));
}

function textOf(path: string, real: string): string {
  const name = path.split("/").at(-1) as string;
  const keys = path.startsWith("volumes/") ? ["container"] : (OUR_KEYS[name] ?? []);
  return shownText(daemon.root, real, keys);
}

/** The names of an address may come in any order. */
function anyOrder(path: string, text: string): string {
  return path.endsWith("/hosts") ? text.split("\n").sort().join("\n") : text;
}

function compare(stage: DiskStage): void {
  const now = diskEntries(daemon.root, base);
  const before = stage.isWhole ? [] : [...entries.values()];
  entries = now;
  expect.soft(shown(without(now.values(), before), "ours"), "new or changed").toEqual(shown(stage.added, "theirs"));
  expect.soft(shown(without(before, now.values()), "ours"), "gone or changed").toEqual(shown(stage.gone, "theirs"));
  const paths = new Map([...now.keys()].map((path) => [ids.normalise(path), path]));
  for (const [path, wanted] of stage.contents) {
    if (DIFFERENT.some(({ theirs }) => theirs?.test(path))) continue;
    const real = paths.get(path);
    const text = real === undefined ? "there is no such file" : steady(textOf(path, real));
    expect.soft(anyOrder(path, text), path).toBe(anyOrder(path, steady(wanted)));
  }
  if (stage.linkGraph === undefined) return;
  const graph = linkGraphOf(daemon.root);
  const named = (rows: readonly string[]) => rows.map((row) => ids.normalise(row)).sort();
  expect.soft(named(graph.entities)).toEqual(named(stage.linkGraph.entities));
  expect.soft(named(graph.edges)).toEqual(named(stage.linkGraph.edges));
}

test("the record is read whole", () => {
  const counted = (pattern: RegExp) => RECORD.match(pattern)?.length;
  expect(stages).toHaveLength(9);
  expect(stages.flatMap(({ commands }) => commands)).toHaveLength(counted(/^\$ /gm) as number);
  expect(stages.flatMap(({ contents }) => [...contents.keys()])).toHaveLength(counted(/^---- content of/gm) as number);
  const entryLines = RECORD.match(/^[dfl] 0\d+ /gm);
  expect(stages.flatMap(({ added, gone }) => [...added, ...gone])).toHaveLength(entryLines?.length as number);
});

for (const stage of stages) {
  // Each stage goes on where the one before has ended: none can be tried a second time.
  test(stage.title, { retry: 0 }, async () => {
    for (const command of stage.commands) await obey(command);
    await BEFORE[stage.title]?.();
    await vi.waitUntil(() => ![...diskEntries(daemon.root).keys()].some((path) => path.endsWith(".tmp")), 10_000);
    compare(stage);
  });
}
