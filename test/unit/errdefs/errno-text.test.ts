import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { errnoText, isSystemError, pathErrorText } from "../../../src/errdefs/errno-text.ts";

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
