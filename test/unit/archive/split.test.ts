/** An archive that was unpacked comes back byte for byte from what was made of it. */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { gunzip } from "../../../src/archive/compression.ts";
import { joinSplit } from "../../../src/archive/split.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import type { UnpackJob } from "../../../src/host/pool.ts";
import { readAll } from "../../../src/sync/io.ts";
import { type LayerEntry, layer, streamOf } from "../../support/layers.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

/** Unpacks an archive in pieces of some size and puts it together again; `undefined` when that is not possible. */
async function thereAndBack(
  tar: Buffer,
  { whiteouts = "overlay", size = 1 << 20 }: { whiteouts?: UnpackJob["whiteouts"]; size?: number } = {},
): Promise<Buffer | undefined> {
  const host = memoryHost();
  await host.fs.mkdir("/layer");
  const pieces = async function* () {
    for (let at = 0; at < tar.length; at += size) yield tar.subarray(at, at + size);
  };
  const job: UnpackJob = { root: "/layer", whiteouts, chown: true, compression: "auto", record: "/record" };
  const { recorded } = await host.pool.unpack(job, pieces());
  if (recorded === undefined) return undefined;
  const split = gunzip(streamOf(await host.fs.readFile("/record")));
  const whole = await readAll(joinSplit(host.fs, "/layer", split));
  expect(whole.length).toBe(recorded);
  return whole;
}

const odd: LayerEntry[] = [
  { name: "./" },
  { name: "etc/" },
  { name: "etc/motd", content: "hello\n" },
  { name: "etc/.wh.gone" },
  { name: "usr/.wh..wh..opq" },
  { name: "long/".repeat(60), type: "5" },
  { name: `${"long/".repeat(60)}file`, content: "x".repeat(70_000) },
  { name: "empty" },
  { name: "link", type: "2", link: "etc" },
  { name: "link/through", content: "lands in etc" },
  { name: "hard", type: "1", link: "etc/motd" },
  { name: "\u00ff\u0080", content: "no UTF-8" },
  { name: "fifo", type: "6" },
];

test.each(["overlay", "apply", "aufs", "keep"] as const)(
  "joinSplit() gives odd entries back (%s)",
  async (whiteouts) => {
    // Files in memory have no attributes, by which overlay says that a directory is opaque.
    const tar = layer(...odd.filter(({ name }) => whiteouts !== "overlay" || !name.endsWith(".opq")));
    for (const size of [1, 511, 512, 513, 1 << 20]) {
      expect((await thereAndBack(tar, { whiteouts, size }))?.equals(tar)).toBe(true);
    }
    // What comes behind the end belongs to it, too.
    const padded = Buffer.concat([tar, Buffer.alloc(9001), Buffer.from("more")]);
    expect((await thereAndBack(padded, { whiteouts }))?.equals(padded)).toBe(true);
  },
);

test("joinSplit() gives back what GNU tar writes, files with holes too", async () => {
  const dir = temporaryDirectory("split-");
  writeFileSync(join(dir, "plain"), "p".repeat(300_000));
  execFileSync("dd", ["if=/dev/urandom", `of=${dir}/holes`, "bs=4096", "count=3", "seek=1000"], { stdio: "ignore" });
  execFileSync("truncate", ["-s", "20M", join(dir, "holes")]);
  for (const format of [["--format=gnu"], ["--format=posix"], ["--format=posix", "--sparse-version=0.1"]]) {
    const tar = execFileSync("tar", ["-C", dir, "-S", ...format, "-cf", "-", "."], { maxBuffer: 64 << 20 });
    expect((await thereAndBack(tar))?.equals(tar)).toBe(true);
  }
});

test("unpack() says so when a file of the archive is gone again", async () => {
  const twice = layer({ name: "a", content: "one" }, { name: "a", content: "two" });
  const replaced = layer({ name: "d/a", content: "one" }, { name: "d", type: "2", link: "x" });
  for (const whiteouts of ["overlay", "apply"] as const) {
    expect(await thereAndBack(twice, { whiteouts })).toBeUndefined();
    expect(await thereAndBack(replaced, { whiteouts })).toBeUndefined();
  }
});

test("joinSplit() refuses a record that is cut short or is none", async () => {
  const host = memoryHost();
  const join = (record: string) => readAll(joinSplit(host.fs, "/", streamOf(Buffer.from(record))));
  await expect(join("\0\0\0\0\x05ab")).rejects.toThrow("unexpected EOF");
  await expect(join("hello")).rejects.toThrow("unknown piece 104");
  await expect(join("\0\x7f\0\0\0")).rejects.toThrow("a piece of 2130706432 bytes");
  await host.fs.writeFile("/f", "short");
  await expect(join("\x01\0\x01f\0\0\0\0\0\0\0\0\0\0\0\x09")).rejects.toThrow('"f" has been cut short');
});

test("joinSplit() gives any archive back, or unpack() says that it cannot", async () => {
  const name = fc.constantFrom(
    "a",
    "b",
    "a/b",
    "a/c",
    "b/a",
    "a/b/c",
    "c",
    "./c",
    ".wh.a",
    "a/.wh.b",
    "a/.wh..wh..opq",
  );
  const entry = fc.record({
    name,
    type: fc.constantFrom("0" as const, "0" as const, "5" as const, "2" as const),
    content: fc.string({ maxLength: 1500 }),
    link: name,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 8 }),
      fc.constantFrom("overlay" as const, "apply" as const, "aufs" as const),
      fc.integer({ min: 1, max: 3000 }),
      async (entries, whiteouts, size) => {
        const tar = layer(
          ...entries.map(({ content, ...rest }) => ({ ...rest, content: rest.type === "0" ? content : "" })),
        );
        let back: Buffer | undefined;
        try {
          back = await thereAndBack(tar, { whiteouts, size });
        } catch (cause) {
          // Some of these cannot be unpacked: a file on the way to another, a circle of links.
          expect(String(cause)).toMatch(/invalid tar header|ENOENT|ENOTDIR|EISDIR|ENOTSUP/);
          return;
        }
        if (back !== undefined) expect(back.equals(tar)).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});
