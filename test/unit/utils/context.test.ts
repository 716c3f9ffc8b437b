import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import nodeFs from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FileSystem } from "../../../src/host/host.ts";
import { matches, validateContextDirectory } from "../../../src/utils/context.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const directory = temporaryDirectory("context-");
mkdirSync(join(directory, "sub/deep"), { recursive: true });
writeFileSync(join(directory, "sub/deep/file"), "x");
symlinkSync("nowhere", join(directory, "link"));

function logging() {
  const lines: string[] = [];
  const say = (kind: string) => (site: string, text: string) => void lines.push(`[${kind}] ${site} ${text}`);
  return { lines, log: { debug: say("debug"), error: say("error") } };
}

test("matches() leaves out what a pattern names, but never everything", () => {
  const { lines, log } = logging();
  expect(matches("a/b", ["b", "a/*"], log)).toBe(true);
  expect(matches("a/b/c", ["a/*"], log)).toBe(false);
  expect(matches(".", [".*", "*"], log)).toBe(false);
  expect(matches("\xc3\xa9", ["?"], log)).toBe(true);
  expect(() => matches("a", ["", "["], log)).toThrow("syntax error in pattern");
  expect(lines).toEqual([
    "[debug] utils.go:686 Skipping excluded path: a/b",
    "[error] utils.go:683 Can't exclude whole path, excluding pattern: .*",
    "[error] utils.go:683 Can't exclude whole path, excluding pattern: *",
    "[debug] utils.go:686 Skipping excluded path: é",
    "[error] utils.go:678 Error matching: a (pattern: [)",
  ]);
});

/** The file system, where one call on one path is not permitted. */
function denying(call: "lstat" | "open" | "readdir", path: string): FileSystem {
  const denied = () => Promise.reject(Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" }));
  return {
    ...(nodeFs as FileSystem),
    [call]: (at: Buffer, ...rest: never[]) =>
      at.toString().endsWith(path)
        ? denied()
        : (nodeFs as unknown as Record<string, (...args: unknown[]) => unknown>)[call]!(at, ...rest),
  } as FileSystem;
}

test("validateContextDirectory() names what cannot be read, unless it is left out", async () => {
  const check = (fs: FileSystem, ...excludes: string[]) => validateContextDirectory({ fs }, directory, { excludes });
  await check(nodeFs as FileSystem);
  const file = join(directory, "sub/deep/file");
  await expect(check(denying("open", "deep/file"))).rejects.toThrow(`no permission to read from '${file}'`);
  await expect(check(denying("lstat", "deep/file"))).rejects.toThrow(`can't stat '${file}'`);
  await expect(check(denying("readdir", "/sub"))).rejects.toThrow(`can't stat '${join(directory, "sub")}'`);
  await check(denying("open", "deep/file"), "su*");
  await check(denying("open", "deep/file"), "sub/deep/file");
  await expect(check(denying("open", "deep/file"), "file", "deep")).rejects.toThrow("no permission");
  await expect(check(nodeFs as FileSystem, "su[")).rejects.toThrow("syntax error in pattern");
});
