import { expect, test } from "vitest";
import { checkArticles, checkOrigins, collectTags } from "../../book/tags.ts";

const tags = collectTags(process.cwd());

test("every @origin names a Go file and a name of v1.2.0", () => {
  expect(tags.length).toBeGreaterThan(50);
  expect(checkOrigins(tags)).toEqual([]);
});

test("every @deviation says why", () => {
  const bare = tags.filter((tag) => tag.kind === "deviation" && tag.text.length < 20);
  expect(bare.map((tag) => `${tag.file}:${tag.line}`)).toEqual([]);
});

test("checkOrigins() finds a wrong file and a wrong name", () => {
  const tag = { kind: "origin" as const, file: "x.ts", line: 1, symbol: "x" };
  expect(checkOrigins([{ ...tag, text: "engine/nothing.go New" }])).toHaveLength(1);
  expect(checkOrigins([{ ...tag, text: "engine/engine.go NoSuchName" }])).toHaveLength(1);
  expect(checkOrigins([{ ...tag, text: "engine/engine.go (*Engine).Job" }])).toEqual([]);
});

test("every @article names a section of an article, or a part of the series", () => {
  expect(checkArticles(tags)).toEqual([]);
  expect(tags.filter(({ kind }) => kind === "article").length).toBeGreaterThan(40);
});

test("checkArticles() finds a section that is not there", () => {
  const tag = { kind: "article" as const, file: "src/x.ts", line: 1, symbol: "x" };
  expect(["001/5.2", "part 11", "003/4", "part 12"].map((text) => checkArticles([{ ...tag, text }]).length)).toEqual([
    ...[0, 0, 1, 1],
  ]);
});
