import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { proseChapters } from "../../../book/prose.ts";
import { closureOf, introducedBy, stageFaults } from "../../../book/stages.ts";
import { diskTree, overlay } from "../../../book/tree.ts";

const root = process.cwd();
const tree = diskTree(root);
const chapter = "01-config-flags";

test.each(proseChapters(tree))("%s runs nothing that no chapter so far has introduced", async (name) => {
  expect(await stageFaults(root, tree, name)).toEqual([]);
});

test("stageFaults() names what one language does not introduce", async () => {
  const page = `chapters/${chapter}/README.zh.md`;
  const silent = overlay(tree, {
    [page]: (tree.read(page) ?? "").replace(/\]\(\.\.\/\.\.\/src\/daemon\/root\.ts\)/g, "](main.ts)"),
  });
  expect(await stageFaults(root, silent, chapter)).toEqual([
    `chapters/${chapter} runs src/daemon/root.ts, which no chapter so far has introduced`,
  ]);
  expect(introducedBy(silent, chapter)).not.toContain("src/daemon/root.ts");
});

test("what the map links to is introduced to nobody but itself", async () => {
  const links = "[all](../../src/daemon) [of it](../../src/pkg)\n";
  const mapped = { "chapters/00-map/README.md": links, "chapters/00-map/README.zh.md": links };
  const page = (language: string) => `chapters/${chapter}/${language}`;
  const silent = overlay(tree, {
    ...mapped,
    [page("README.md")]: (tree.read(page("README.md")) ?? "").replaceAll("src/daemon/root.ts", "src/gone.ts"),
  });
  expect(introducedBy(silent, "00-map")).toEqual(new Set(["src/daemon", "src/pkg"]));
  expect(await stageFaults(root, silent, chapter)).toContain(
    `chapters/${chapter} runs src/daemon/root.ts, which no chapter so far has introduced`,
  );
});

test("closureOf() follows imports to the last file, and types nowhere", async () => {
  const files = await closureOf(root, [`chapters/${chapter}/main.ts`]);
  expect(files).toContain("src/pkg/strconv/strconv.ts");
  expect(files).not.toContain("src/host/net.ts");
  expect(files).not.toContain("src/engine/engine.ts");
});

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

test("each exercise has a hint in both languages and an answer", () => {
  for (const name of proseChapters(tree)) {
    const exercises = tree.list(`chapters/${name}/exercises`).filter((file) => /^\d-.*\.solution\.ts$/.test(file));
    expect(exercises.length).toBeGreaterThanOrEqual(3);
    for (const language of ["README.md", "README.zh.md"]) {
      const page = tree.read(`chapters/${name}/${language}`) ?? "";
      expect(page.match(/<details><summary>/g)).toHaveLength(exercises.length);
      for (const file of exercises) expect(page).toContain(`(exercises/${file})`);
    }
  }
});
