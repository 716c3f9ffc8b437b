import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeTree } from "../../../../src/daemon/graphdriver/remove-tree.ts";
import { linuxHost } from "../../../../src/host/linux/host.ts";

const host = linuxHost();
const isRoot = process.getuid?.() === 0;
let base: string;
let dir: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "remove-"));
  dir = join(base, "layer");
  mkdirSync(dir);
  mkdirSync(join(base, "precious"));
  writeFileSync(join(base, "precious/file"), "kept");
});
afterEach(() => execFileSync("rm", ["-rf", base]));

test("removeTree() deletes links, not what they point to, and names of any bytes", async () => {
  symlinkSync(join(base, "precious"), join(dir, "link"));
  mkdirSync(join(dir, "a/b"), { recursive: true });
  symlinkSync("../../../precious/file", join(dir, "a/b/link"));
  writeFileSync(Buffer.concat([Buffer.from(`${dir}/a/`), Buffer.from([0xff])]), "x");
  for (let i = 0; i < 200; i++) writeFileSync(join(dir, `a/b/${i}`), "");
  await removeTree(host, dir);
  await removeTree(host, dir); // nothing there is no error
  expect(readdirSync(base)).toEqual(["precious"]);
  expect(readFileSync(join(base, "precious/file"), "utf8")).toBe("kept");
});

test("removeTree() deletes a tree that is deeper than any path is long", async () => {
  // Going down step by step, no single path is long.
  const program = `for (let i = 0; i < 100; i++) { fs.mkdirSync("d".repeat(100)); process.chdir("d".repeat(100)); } fs.writeFileSync("end", "")`;
  execFileSync(process.execPath, ["-e", program], { cwd: dir });
  await removeTree(host, dir);
  expect(existsSync(dir)).toBe(false);
});

test("removeTree() unmounts what is mounted inside, and leaves its files alone", async () => {
  if (!isRoot) {
    console.log("skipped: mounting needs root");
    return expect(isRoot).toBe(false);
  }
  mkdirSync(join(dir, "mnt"));
  host.kernel.mount(join(base, "precious"), join(dir, "mnt"), "", ["bind"]);
  await removeTree(host, dir);
  expect(existsSync(dir)).toBe(false);
  expect(readFileSync(join(base, "precious/file"), "utf8")).toBe("kept");
  expect(host.kernel.mounts().filter(({ mountpoint }) => mountpoint.startsWith(base))).toEqual([]);
});
