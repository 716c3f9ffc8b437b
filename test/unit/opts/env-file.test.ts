import { memfs } from "memfs";
import { expect, test } from "vitest";
import type { FileSystem } from "../../../src/host/host.ts";
import { BadEnvVariableError, parseEnvFile } from "../../../src/opts/env-file.ts";

function hostWith(text: string) {
  const { fs } = memfs({ "/f": text, "/d": null });
  return { fs: fs.promises as unknown as FileSystem, env: { HOME: "/root" } };
}

test("parseEnvFile() reads the lines of the reference", async () => {
  const text = "# c\n\nA=b\n  B=c d \nTERMX\nHOME\n HOME \n=x\n";
  expect(await parseEnvFile("/f", hostWith(text))).toEqual(["A=b", "B=c d ", "TERMX=", "HOME=/root", "HOME=", "=x"]);
});

test("parseEnvFile() takes Windows line ends and values with =", async () => {
  expect(await parseEnvFile("/f", hostWith("A=b\r\nC==d=\r\n"))).toEqual(["A=b", "C==d="]);
});

test("parseEnvFile() takes a comment only in the first column", async () => {
  await expect(parseEnvFile("/f", hostWith(" # a=b"))).rejects.toThrow(
    "poorly formatted environment: variable '# a' has white spaces",
  );
});

test.each(["    A b=c", "A\tb=c", "A =c"])("parseEnvFile() refuses %j", async (line) => {
  await expect(parseEnvFile("/f", hostWith(line))).rejects.toBeInstanceOf(BadEnvVariableError);
});

test("parseEnvFile() reads a long line whole", async () => {
  const line = `A=${"x".repeat(100_000)}`;
  expect(await parseEnvFile("/f", hostWith(`${line}\nB=1\n`))).toEqual([line, "B=1"]);
});

test("parseEnvFile() fails with Go's text", async () => {
  await expect(parseEnvFile("/nope", hostWith(""))).rejects.toThrow(/^open \/nope: no such file or directory$/);
  await expect(parseEnvFile("/d", hostWith(""))).rejects.toThrow(/^read \/d: is a directory$/);
});
