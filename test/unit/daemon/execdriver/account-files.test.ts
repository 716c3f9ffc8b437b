import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { readAccountFile } from "../../../../src/daemon/execdriver/native/account-files.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

let directory: string;
let rootfs: string;

beforeEach(() => {
  directory = temporaryDirectory("accounts-");
  rootfs = join(directory, "root");
  mkdirSync(join(rootfs, "etc"), { recursive: true });
});

const read = (mounts: { source: string; destination: string }[] = [], name = "passwd") => {
  const all = mounts.map((mount) => ({ ...mount, writable: true, private: false }));
  return readAccountFile(fs, { rootfs, mounts: all }, name);
};
const passwd = () => join(rootfs, "etc/passwd");

test("readAccountFile() reads the image's file, through links inside the image, and takes a missing one for empty", async () => {
  expect(await read()).toBe("");
  symlinkSync("/../../real", passwd());
  expect(await read()).toBe("");
  writeFileSync(join(rootfs, "real"), "content");
  expect(await read()).toBe("content");
});

test("readAccountFile() never reads the host's file", async () => {
  writeFileSync(join(directory, "secret"), "host");
  symlinkSync("../../secret", passwd());
  expect(await read()).toBe("");
  symlinkSync(join(directory, "secret"), join(rootfs, "etc/group"));
  expect(await read([], "group")).toBe("");
});

test("readAccountFile() reads what is mounted over the file or its directory, the last one", async () => {
  writeFileSync(passwd(), "image");
  mkdirSync(join(directory, "volume"));
  writeFileSync(join(directory, "volume/passwd"), "volume");
  writeFileSync(join(directory, "file"), "file");
  symlinkSync("etc", join(rootfs, "link"));
  const [volume, file] = [join(directory, "volume"), join(directory, "file")];
  expect(await read([{ source: volume, destination: "/etc" }])).toBe("volume");
  expect(await read([{ source: volume, destination: "/link" }])).toBe("volume");
  expect(await read([{ source: file, destination: "/etc/passwd" }])).toBe("file");
  expect(
    await read([
      { source: volume, destination: "/etc" },
      { source: file, destination: "/etc/passwd" },
    ]),
  ).toBe("file");
  expect(await read([{ source: volume, destination: "/etcetera" }])).toBe("image");
});

test.each([
  ["a fifo", () => execFileSync("mkfifo", [passwd()]), "is not a plain file: replace or remove it"],
  ["a directory", () => mkdirSync(passwd()), "is not a plain file: replace or remove it"],
  ["a link into /proc", () => symlinkSync("/proc/kmsg", passwd()), "leads into a file system of the kernel"],
  [
    "a link into a /dev that is elsewhere",
    () => {
      symlinkSync("other", join(rootfs, "dev"));
      symlinkSync("/dev/tty", passwd());
    },
    "leads into a file system of the kernel",
  ],
  [
    "a huge file",
    () => {
      writeFileSync(passwd(), "");
      truncateSync(passwd(), 2 ** 33);
    },
    "has 8589934592 bytes: 4194304 are read at most",
  ],
])("readAccountFile() refuses %s", async (_what, make, text) => {
  make();
  await expect(read()).rejects.toThrow(`Cannot look up the user: /etc/passwd in the container ${text}`);
});

test("readAccountFile() takes /dev/null for an empty file", async () => {
  symlinkSync("/dev/null", passwd());
  expect(await read()).toBe("");
});
