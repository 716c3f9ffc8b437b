import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findInContext } from "../../../../src/daemon/build/in-context.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

const outside = temporaryDirectory("context-");
const root = join(outside, "root");
mkdirSync(join(root, "dir/sub"), { recursive: true });
mkdirSync(join(outside, "rootx"));
writeFileSync(join(outside, "secret"), "s");
writeFileSync(join(root, "file"), "f");
for (const [name, target] of [
  ["toFile", "file"],
  ["dir/up", "../file"],
  ["toDir", "dir/sub/.."],
  ["chain", "toDir/up"],
  ["absolute", "/etc/passwd"],
  ["climbs", "dir/../../secret"],
  ["beside", "../rootx"],
  ["loop", "loop"],
  ["dangling", "nowhere"],
  ["self", "."],
] as const)
  symlinkSync(target, join(root, name));

test.each([
  ["file", "file"],
  ["/file", "file"],
  ["./dir/", "dir"],
  [".", ""],
  ["/", ""],
  ["dir/../file", "file"],
  ["toFile", "file"],
  ["dir/up", "file"],
  ["toDir/sub", "dir/sub"],
  ["chain", "file"],
  ["self/self/file", "file"],
])("findInContext(%j) is %j", async (orig, path) => {
  expect((await findInContext(fs, root, orig)).path).toBe(path);
});

test.each(["nope", "../secret", "../rootx", "dangling", "file/x", "dir/nope/..x", "../../etc/passwd"])(
  "%s is not there, whatever is outside",
  async (orig) => {
    await expect(findInContext(fs, root, orig)).rejects.toThrow(`${orig}: no such file or directory`);
  },
);

test.each(["..", "../../", "absolute", "climbs", "beside"])("%s is forbidden", async (orig) => {
  await expect(findInContext(fs, root, orig)).rejects.toThrow(`Forbidden path outside the build context: ${orig} (`);
});

test("a circle of links ends", async () => {
  await expect(findInContext(fs, root, "loop")).rejects.toThrow("loop: too many levels of symbolic links");
});
