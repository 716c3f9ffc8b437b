import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tinyEcho } from "../../../chapters/lib/tiny-program.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

test("tinyEcho() is a program of 225 bytes that writes its arguments", () => {
  const program = tinyEcho();
  expect(program.length).toBe(225);
  expect(program.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
  if (process.platform !== "linux" || process.arch !== "x64") return; // elsewhere the bytes are all we can look at
  const dir = temporaryDirectory("echo-");
  writeFileSync(join(dir, "echo"), program, { mode: 0o755 });
  expect(execFileSync(join(dir, "echo"), ["hello", "from", "a container"]).toString()).toBe("hello from a container\n");
  expect(execFileSync(join(dir, "echo"), []).toString()).toBe("");
});
