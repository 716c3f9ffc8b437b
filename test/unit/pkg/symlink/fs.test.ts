import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { followSymlinkInScope } from "../../../../src/pkg/symlink/fs.ts";

let root: string;

beforeAll(async () => {
  root = await fs.mkdtemp(join(tmpdir(), "symlink-"));
  await fs.mkdir(join(root, "a/b"), { recursive: true });
  const links: [string, string][] = [
    ["abs", "/a"],
    ["up", "../../../../etc"],
    ["rel", "a/b"],
    ["chain", "/abs/b"],
    ["loop", "loop"],
    ["missing", "/not/there"],
    ["dotdot", "a/../../../b"],
  ];
  for (const [name, target] of links) await fs.symlink(target, join(root, name));
});
afterAll(() => fs.rm(root, { recursive: true }));

// origin: pkg/symlink/fs_test.go
test.each([
  ["abs/x", "a/x"],
  ["up/passwd", "etc/passwd"],
  ["rel", "a/b"],
  ["chain/c", "a/b/c"],
  ["missing", "not/there"],
  ["dotdot", "b"],
  ["no/such/file", "no/such/file"],
  ["a/./b/../b", "a/b"],
])("followSymlinkInScope() resolves %s to %s below the root", async (path, expected) => {
  expect(await followSymlinkInScope(fs, join(root, path), root)).toBe(join(root, expected));
});

test("followSymlinkInScope() gives up on a loop", async () => {
  await expect(followSymlinkInScope(fs, join(root, "loop"), root)).rejects.toThrow("loopCounter reached MAX: 100");
});

test("followSymlinkInScope() refuses a path beside the root that shares its prefix", async () => {
  await expect(followSymlinkInScope(fs, `${root}x/file`, root)).rejects.toThrow(`${root}x/file is not within ${root}`);
});
