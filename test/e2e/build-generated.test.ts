/**
 * Dockerfiles that nobody wrote, built by the whole daemon and by dockerd 20.10: every step leaves the same configuration.
 * And what names their images may have.
 */

import { request } from "node:http";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveRepositoryName, resolveRepositoryPath } from "../../src/registry/names.ts";
import { build, builtId, type ClientWords, contextOf, todayWords } from "../support/builds.ts";
import { makeNetns, run, startDaemon, type TestDaemon, type TestNetns } from "../support/daemon.ts";
import { type Dockerd, hasDockerd, startDockerd } from "../support/dockerd.ts";

const beside = test.runIf(hasDockerd);

let daemon: TestDaemon;
let netns: TestNetns;
let dockerd: Dockerd;
let ours: ClientWords;
let theirs: ClientWords;

beforeAll(async () => {
  if (!hasDockerd) return;
  daemon = await startDaemon();
  ours = todayWords(daemon);
  // In a network of its own: without a bridge it removes the one that is there.
  netns = makeNetns();
  dockerd = await startDockerd(netns);
  theirs = todayWords({ netns, socket: join(dockerd.dir, "s") });
});
afterAll(async () => {
  await dockerd?.remove();
  netns?.remove();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

const KEYS = ["Cmd", "Entrypoint", "Env", "ExposedPorts", "Volumes", "WorkingDir", "User", "OnBuild"];

/** What each step of a build left, the last first; whether a list is empty or missing makes no difference. */
async function steps(client: ClientWords, dockerfile: string): Promise<unknown[]> {
  const context = await contextOf({ Dockerfile: Buffer.from(dockerfile).toString("latin1") });
  const image = builtId(await build(client, context));
  const ids = (await run([...client, "history", "-q", "--no-trunc", image])).stdout.trim().split("\n");
  const format = "[{{json .Author}},{{json .Config}}]";
  const lines = (await run([...client, "inspect", "-f", format, ...ids])).stdout.trim().split("\n");
  return lines.map((line) => {
    const [author, config] = JSON.parse(line) as [string, Record<string, object | string | null | undefined>];
    const filled = KEYS.filter((key) => Object.keys(config[key] ?? "").length > 0);
    return { author, ...Object.fromEntries(filled.map((key) => [key, config[key]])) };
  });
}

const one = fc.constantFrom;
const piece = one("a", "b", "é", "😀", "-", "=", ":", ",", "/", "..", "%", ";", "|", "<&>", "[", "]", "#", "*", "0");

/*
 * dockerd has learned since 1.2.0, and what follows keeps away from that: quotes and backslashes in ENV (1.3) and names that
 * are not there, which 1.2.0 leaves as they are; variables in other instructions (1.3); paths of WORKDIR in order (1.10);
 * several volumes without brackets (1.1 of the parser of 1.3), several words for USER (17.05), ports of the host for EXPOSE
 * (1.4), blanks before a comment (1.13), tabs in arguments (1.3), blanks at the end of a trigger, which it keeps (1.3), words
 * behind a list, which it overlooks (1.3).
 */

/** Two variables without anything between them, or with a letter behind, are read in another way. */
const referring = one("$X-", "${Y}-", "/$Y.", ":${X}");
const value = fc
  .tuple(one("a", "é", "$X", "${Y}", "-"), fc.array(fc.oneof(piece, fc.constant("  x"), referring), { maxLength: 6 }))
  .map(([first, rest]) => [first, first.startsWith("$") ? "." : "", ...rest].join(""));
const word = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(""));
const sentence = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join("  "));
const strings = fc.array(fc.string({ unit: "grapheme-ascii", maxLength: 6 }), { minLength: 1, maxLength: 3 });
/** Lists, and what looks like one and is a text. */
const command = fc.oneof(
  sentence.filter((text) => !text.startsWith("[")),
  strings.map((list) => JSON.stringify(list)),
  one('["a",]', '["a" "b"]', "['a']", '["\\u00e9", "b" ]', '[ "a b","" ]', '["a"', '{"a":1}', "[a]"),
);
const folder = one("a", "b c", "é", "..", ".", "x//y", "./z");
const place = fc.oneof(
  one("/", "/w", "/w/x", "/é/b"),
  fc.array(folder, { minLength: 1, maxLength: 3 }).map((names) => names.join("/")),
);
const volume = word.map((name) => `/v${name}`.replace(/[[\]]/g, "")).filter((path) => !path.includes(".."));
const port = fc.tuple(fc.integer({ min: 1, max: 65535 }), one("", "/tcp", "/udp")).map((parts) => parts.join(""));

const instruction = fc.oneof(
  fc.tuple(
    fc.constant("ENV"),
    fc.tuple(one("A", "B", "C", "D", "a", "A_1"), one(" ", "  "), value).map((parts) => parts.join("")),
  ),
  fc.tuple(one("CMD", "ENTRYPOINT"), command),
  fc.tuple(
    fc.constant("EXPOSE"),
    fc.array(port, { minLength: 1, maxLength: 3 }).map((ports) => ports.join(" ")),
  ),
  fc.tuple(fc.constant("WORKDIR"), place),
  fc.tuple(
    fc.constant("VOLUME"),
    fc.oneof(
      volume,
      fc.array(volume, { minLength: 1, maxLength: 2 }).map((list) => JSON.stringify(list)),
    ),
  ),
  fc.tuple(fc.constant("USER"), one("root", "1000", "a:b", "7:8", "é")),
  fc.tuple(fc.constant("MAINTAINER"), sentence),
);
const cased = fc
  .tuple(instruction, fc.nat(9), one(" ", " ", "  ", "\t"), one("", "", " "))
  .map(([[name, args], letters, gap, end]) => {
    const shown = letters === 0 ? name.toLowerCase() : letters === 1 ? name[0] + name.slice(1).toLowerCase() : name;
    return [shown, gap, args, end].join("");
  });
const trigger = fc
  .tuple(one("RUN", "run", "ADD", "CMD", "EXPOSE", "COPY"), sentence)
  .map(([name, args]) => `${name} ${args}`);
const line = fc.oneof(
  { weight: 7, arbitrary: cased },
  { weight: 1, arbitrary: trigger.map((text) => `ONBUILD ${text}`) },
);
/** A line may go on in the next one, at any blank. */
const folded = fc
  .tuple(line, fc.nat(4), one("\\\n", "\\ \n", "\\\n# a comment\n", "\\\r\n"))
  .map(([text, at, fold]) => {
    const words = text.split(" ");
    const rest = words.slice(at).join(" ");
    return at === 0 || /^ *(?:#|$)/.test(rest) ? text : `${words.slice(0, at).join(" ")} ${fold}${rest}`;
  });
const between = one("\n", "\n", "\n", "\r\n", "\n\n", "\n# a comment\n");
const dockerfile = fc
  .array(fc.tuple(folded, between), { minLength: 30, maxLength: 30 })
  .map((lines) => `FROM scratch\nENV X one\nENV Y two\n${lines.flat().join("")}`);

beside("each step of a Dockerfile leaves what it leaves with dockerd 20.10", async () => {
  await fc.assert(
    fc.asyncProperty(dockerfile, async (text) => {
      const [mine, other] = await Promise.all([steps(ours, text), steps(theirs, text)]);
      // A comment may have swallowed a step.
      expect(mine.length).toBeGreaterThan(20);
      expect(mine).toEqual(other);
    }),
    // Always the same: a difference of seven years that nobody has thought of is no fault.
    { numRuns: 2, endOnFailure: true, seed: 20140820 },
  );
});

const part = fc.oneof(
  fc.stringMatching(/^[a-z0-9]{1,4}$/),
  one(
    "_",
    "__",
    "___",
    "-",
    "--",
    ".",
    "..",
    "/",
    "//",
    "_-",
    "A",
    "é",
    "~",
    "%2f",
    "localhost",
    "a.b:80/",
    "abcd/",
    " ",
  ),
);
const name = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(""));

/** Whether a daemon gives a name, whatever a client thinks of it. */
function given(socketPath: string, image: string, repo: string): Promise<boolean> {
  const path = `/v1.24/images/${image}/tag?repo=${encodeURIComponent(repo)}&tag=t`;
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: "POST", path }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode === 201));
    });
    sent.once("error", reject).end();
  });
}

const isGood = (rule: (repo: string) => unknown, repo: string) => {
  try {
    rule(repo);
    return true;
  } catch {
    return false;
  }
};

beside(
  "a name that dockerd 20.10 gives is good here; one that it refuses is pulled and pushed only if 1.2.0 did",
  async () => {
    const context = await contextOf({ Dockerfile: "FROM scratch\nENV A b\n" });
    const [mine, other] = [builtId(await build(ours, context)), builtId(await build(theirs, context))];
    await fc.assert(
      fc.asyncProperty(name, async (repo) => {
        const there = await given(join(dockerd.dir, "s"), other, repo);
        if (there) expect(await given(daemon.socket, mine, repo), repo).toBe(true);
        expect({ repo, good: isGood(resolveRepositoryPath, repo) }).toEqual({
          repo,
          good: there || isGood(resolveRepositoryName, repo),
        });
      }),
      { numRuns: 300, endOnFailure: true },
    );
  },
);
