import { mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { messageOf } from "../../../src/errdefs/errdefs.ts";
import { errnoText, isSystemError, pathErrorText } from "../../../src/errdefs/errno-text.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

test("errnoText() says what the C library says, without Node's additions", async () => {
  const cause = await readFile("/nonexistent/file").catch((error: unknown) => error);
  expect(errnoText(cause)).toBe("no such file or directory");
  expect(pathErrorText("open", "/nonexistent/file", cause)).toBe("open /nonexistent/file: no such file or directory");
  expect(isSystemError(cause)).toBe(true);
});

test("errnoText() passes other failures on", () => {
  expect(errnoText(new Error("EOF"))).toBe("EOF");
  expect(errnoText("text")).toBe("text");
  expect(isSystemError(new Error("EOF"))).toBe(false);
});

test("messageOf() speaks of files as Go does", async () => {
  const dir = temporaryDirectory("errno-");
  const file = join(dir, "it's");
  await writeFile(file, "");
  const said = async (work: Promise<unknown>) =>
    messageOf(await work.catch((cause: unknown) => cause)).replaceAll(dir, "DIR");
  expect(await said(mkdir(join(file, "x")))).toBe("mkdir DIR/it's/x: not a directory");
  expect(await said(rename(join(dir, "a"), join(dir, "b")))).toBe("rename DIR/a DIR/b: no such file or directory");
  expect(await said(readdir(join(dir, "none")))).toBe("open DIR/none: no such file or directory");
  expect(await said(stat(join(dir, "x".repeat(300))))).toBe(`stat DIR/${"x".repeat(300)}: file name too long`);
  expect(await said(stat(join(dir, "a\0b")))).toMatch(/^open '.*a\\x00b': invalid argument$/);
  expect(messageOf(Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }))).toBe(
    "write: no space left on device",
  );
  expect(messageOf(new Error("EOF"))).toBe("EOF");
});
