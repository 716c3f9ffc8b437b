import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { copyExistingContents } from "../../../src/daemon/volume-contents.ts";
import { linuxHost } from "../../../src/host/linux/host.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: file capabilities need root");

const host = linuxHost();
let directory: string;
let source: string;
let target: string;

beforeEach(() => {
  directory = temporaryDirectory("volume-");
  [source, target] = [join(directory, "source"), join(directory, "target")];
  mkdirSync(source, { mode: 0o750 });
  mkdirSync(target);
});

test("copyExistingContents() copies a tree with its modes and links, and follows none of them", async () => {
  mkdirSync(join(source, "deep/er"), { recursive: true });
  writeFileSync(join(source, "deep/er/file"), "content", { mode: 0o640 });
  writeFileSync(join(directory, "outside"), "outside");
  symlinkSync("../outside", join(source, "link"));
  await copyExistingContents(host, source, target);
  expect(readFileSync(join(target, "deep/er/file"), "utf8")).toBe("content");
  expect(statSync(join(target, "deep/er/file")).mode & 0o777).toBe(0o640);
  expect([readlinkSync(join(target, "link")), statSync(target).mode & 0o777]).toEqual(["../outside", 0o750]);
});

test("copyExistingContents() leaves alone what is in the volume already", async () => {
  writeFileSync(join(source, "new"), "");
  writeFileSync(join(target, "old"), "");
  await copyExistingContents(host, source, target);
  expect(readdirSync(target)).toEqual(["old"]);
});

test("copyExistingContents() of a file, or of nothing, copies nothing", async () => {
  writeFileSync(join(source, "file"), "");
  await copyExistingContents(host, join(source, "file"), target);
  expect(readdirSync(target)).toEqual([]);
});

test.runIf(isRoot)("copyExistingContents() keeps what a program may do, whoever owns it", async () => {
  const program = join(source, "program");
  writeFileSync(program, "", { mode: 0o755 });
  // struct vfs_cap_data, version 2: NET_RAW, effective.
  const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
  host.kernel.lsetxattr(program, "security.capability", capability);
  await copyExistingContents(host, source, target);
  expect(host.kernel.lgetxattr(join(target, "program"), "security.capability")).toEqual(capability);
});
