import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tailOffset } from "../../../../src/pkg/tailfile/tailfile.ts";

let dir: string;
beforeAll(async () => {
  dir = await fs.mkdtemp(join(tmpdir(), "tailfile-"));
});
afterAll(() => fs.rm(dir, { recursive: true }));

async function tail(text: string, lines: number): Promise<string> {
  const path = join(dir, "f");
  await fs.writeFile(path, text);
  const file = await fs.open(path);
  try {
    return text.slice(await tailOffset(file, text.length, lines));
  } finally {
    await file.close();
  }
}

// origin: pkg/tailfile/tailfile_test.go TestTailFile, TestTailManyLines, TestTailEmptyFile
test("tailOffset() finds the last lines, all when there are fewer, none in an empty file", async () => {
  expect(await tail("first\nsecond\nthird\n", 2)).toBe("second\nthird\n");
  expect(await tail("first\nsecond\n", 9)).toBe("first\nsecond\n");
  expect(await tail("", 3)).toBe("");
});

test("tailOffset() does not count a last piece without an end", async () => {
  expect(await tail("first\nsecond\ntorn", 1)).toBe("second\ntorn");
});

test.each([1, 2, 7, 100, 999])("tailOffset() finds the last %i lines across blocks", async (lines) => {
  const all = Array.from({ length: 1000 }, (_, i) => `${i} ${"x".repeat(i % 97)}\n`);
  expect(await tail(all.join(""), lines)).toBe(all.slice(-lines).join(""));
});

// origin: pkg/tailfile/tailfile_test.go TestTailNegativeN
test("tailOffset() refuses a number that is not positive", async () => {
  await expect(tail("a\n", 0)).rejects.toThrow("Lines number must be positive");
});
