import { expect, test } from "vitest";
import { checkOrigins, collectTags } from "../../book/tags.ts";

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
