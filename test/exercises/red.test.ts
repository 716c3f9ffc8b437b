/** The exercises as their reader finds them. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { proseChapters } from "../../book/prose.ts";
import { diskTree } from "../../book/tree.ts";

const root = process.cwd();
const tree = diskTree(root);

/** The exercises that wait for their reader, as the path of their test without the ending. */
const waiting = proseChapters(tree).flatMap((name) =>
  tree
    .list(`chapters/${name}/exercises`)
    .filter((file) => /^\d-.*\.test\.ts$/.test(file))
    .map((file) => `chapters/${name}/exercises/${file.replace(/\.test\.ts$/, "")}`)
    .filter((path) => /return yourTurn\(/.test(readFileSync(`${path}.ts`, "utf8"))),
);

test("each exercise is red until its reader has done it", { timeout: 180_000 }, () => {
  // The environment of the runner itself would make the inner one a worker. One process for all: most of the time is theirs.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")));
  if (waiting.length === 0) return expect(waiting).toEqual([]);
  const { stdout } = spawnSync(
    "npx",
    [
      "vitest",
      "run",
      "--project",
      "0*",
      "--project",
      "1*",
      "--reporter=json",
      "--pool=threads",
      "--no-isolate",
      ...waiting.map((path) => `${path}.test.ts`),
    ],
    { cwd: root, encoding: "utf8", env: { ...env, DRYDOCK_EXERCISE: "mine" }, maxBuffer: 64 << 20 },
  );
  const { testResults }: { testResults: { name: string; assertionResults: { status: string }[] }[] } =
    JSON.parse(stdout);
  const green = testResults
    .filter(({ assertionResults }) => !assertionResults.some(({ status }) => status === "failed"))
    .map(({ name }) => name);
  expect(testResults).toHaveLength(waiting.length);
  expect(green).toEqual([]);
});
