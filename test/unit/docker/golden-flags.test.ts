import { readFileSync } from "node:fs";
import { memfs } from "memfs";
import { expect, test } from "vitest";
import { installDockerFlags } from "../../../src/docker/flags.ts";
import type { FileSystem } from "../../../src/host/host.ts";
import { FlagError, FlagSet } from "../../../src/pkg/mflag/mflag.ts";
import { showDefault } from "../../../src/pkg/mflag/values.ts";
import { parse } from "../../../src/runconfig/parse.ts";
import { declareRunFlags } from "../../../src/runconfig/run-flags.ts";
import { BufferWriter } from "../../../src/sync/io.ts";

/** What the client of 1.2.0 did with a command line. */
interface Recorded {
  readonly id: string;
  readonly scenario: string;
  readonly argv: string[];
  readonly exit: number;
  readonly stderr: string;
  readonly before?: { files?: Record<string, string> }[];
  readonly help?: { usage: string; flags: { names: string[]; default: string }[] };
}

const records: Recorded[] = readFileSync(new URL("../../golden/records/cli-1.2.0.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

/** Flags that came after 1.2.0; its usage screen does not have them. */
const later = new Set(["--ip-masq", "--fixed-cidr", "--registry-mirror", "--insecure-registry"]);

function newSet(name: string) {
  const stderr = new BufferWriter();
  const fs = new FlagSet(name, "continue", { stderr, exit: () => expect.unreachable() });
  return { fs, stderr };
}

/** What a set's usage screen would show, in order. */
function visibleFlags(fs: FlagSet): { names: string[]; default: string }[] {
  const rows: { names: string[]; default: string }[] = [];
  fs.visitAll(({ names, value, defValue }) => {
    const visible = names.filter((name) => !name.startsWith("#")).map((name) => `-${name}`);
    if (visible.length > 0) rows.push({ names: visible, default: showDefault(value, defValue) });
  });
  return rows.filter(({ names }) => !names.some((name) => later.has(name)));
}

const globalScreens = records.filter(({ help }) => help?.usage === "Usage of docker:");
const runScreens = records.filter(({ help }) => help?.usage.startsWith("Usage: docker run "));

test("the records hold the screens that are compared", () => {
  expect(globalScreens.length).toBeGreaterThan(20);
  expect(runScreens.length).toBeGreaterThan(20);
});

test("every recorded global usage screen lists our flags, in order, with our defaults", () => {
  const { fs } = newSet("docker");
  installDockerFlags(fs, { HOME: "<home>" });
  const mine = visibleFlags(fs);
  expect(mine).toHaveLength(26);
  for (const { id, help } of globalScreens) expect([id, help?.flags]).toEqual([id, mine]);
});

test("every recorded usage screen of docker run lists our flags, in order, with our defaults", () => {
  const { fs } = newSet("run");
  declareRunFlags(fs, {});
  const mine = visibleFlags(fs);
  expect(mine).toHaveLength(32);
  for (const { id, help } of runScreens) expect([id, help?.flags]).toEqual([id, mine]);
});

/** Lines before the usage screen that are the flags' own: warnings and errors of parsing. */
function messages(stderr: string): string[] {
  const own = /^(?:Warning: '-|invalid (?:boolean )?value |flag |bad flag )/;
  return stderr.split("\n").filter((line) => own.test(line));
}

const globalLines = records.filter(
  ({ scenario, argv }) => scenario === "global_flags" && !argv.some((arg) => later.has(arg)),
);

test.each(globalLines)("$id $argv: the global flags say what 1.2.0 said", ({ argv, exit, stderr, help }) => {
  const { fs, stderr: mine } = newSet("docker");
  fs.usage = () => undefined;
  installDockerFlags(fs, { HOME: "<home>" });
  const refused = exit === 2 && help?.usage === "Usage of docker:";
  const work = () => fs.parse(argv.slice(1));
  if (refused) expect(work).toThrow(FlagError);
  else expect(work).not.toThrow();
  // A command's own flags speak after the global ones.
  const expected = refused || fs.nArg() === 0 ? messages(stderr) : messages(stderr).filter((l) => l.startsWith("W"));
  expect(messages(mine.toString())).toEqual(expected);
});

const runLines = records.filter(({ scenario, argv }) => scenario === "usage_errors" && argv[1] === "run");

test.each(runLines)("$id $argv: docker run says what 1.2.0 said", async ({ argv, exit, stderr, help, before = [] }) => {
  const { stderr: mine } = newSet("run");
  const written = Object.assign({}, ...before.map(({ files }) => files));
  const volume = memfs(written, "/").fs.promises as unknown as FileSystem;
  const done = parse(argv.slice(2), {
    stderr: mine,
    exit: () => expect.unreachable(),
    env: {},
    fs: { readFile: ((path: string) => volume.readFile(`/${path}`)) as FileSystem["readFile"] },
  });
  const outcome = await done.then(
    ({ config }) => (config.Image === "" ? "usage" : "sent"),
    (cause: Error) => (cause instanceof FlagError ? "usage" : cause.message),
  );
  const text = stderr.replace(/^(?:Warning: .*\n)*<time> /, "").trimEnd();
  const sent = text.startsWith('Post "') || text.startsWith("Container ID file found");
  expect(outcome).toBe(help !== undefined ? "usage" : sent ? "sent" : text.replace("strconv.Atoi", "strconv.ParseInt"));
  expect(exit).toBe(help !== undefined ? 2 : 1);
  const own = messages(stderr).filter((line) => help !== undefined || line.startsWith("Warning"));
  expect(messages(mine.toString())).toEqual(own.map((line) => line.replace("strconv.Atoi", "strconv.ParseInt")));
});
