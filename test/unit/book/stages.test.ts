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
