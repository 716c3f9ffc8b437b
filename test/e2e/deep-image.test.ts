/**
 * The deepest image that a container may stand on: 124 layers, on every storage driver; and one layer more.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { missingFuse } from "../../src/daemon/graphdriver/aufs/fuse-overlayfs.ts";
import { linuxHost } from "../../src/host/linux/host.ts";
import { makeBtrfs } from "../support/btrfs.ts";
import { okWith } from "../support/commands.ts";
import { makeNetns, startDaemon, type TestDaemon, type TestNetns } from "../support/daemon.ts";
import { type LayerEntry, layer } from "../support/layers.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: containers need root");
const noAufs = isRoot ? await missingFuse(linuxHost()) : "root";
if (isRoot && noAufs !== undefined) console.log(`skipped: aufs: ${noAufs}`);
const btrfs = isRoot ? makeBtrfs() : "root";
if (isRoot && typeof btrfs === "string") console.log(`skipped: btrfs: ${btrfs}`);
const drivers = [
  ...(isRoot ? ["overlay", "vfs"] : []),
  ...(noAufs === undefined ? ["aufs"] : []),
  ...(typeof btrfs === "string" ? [] : ["btrfs"]),
];

/** As many images as a container may have below it, and one more. */
const DEEPEST = 124;
const idOf = (n: number) => n.toString(16).padStart(4, "c").repeat(16);

/** What a layer adds: a file of its own and a line of a file that all have; every tenth takes away that of the one before. */
function entriesOf(n: number): LayerEntry[] {
  const entries: LayerEntry[] = [
    { name: "d/" },
    { name: `d/f${n}`, content: String(n) },
    { name: "last", content: String(n), mode: n === 100 ? 0o4711 : 0o644 },
  ];
  if (n % 10 === 0) entries.push({ name: `d/.wh.f${n - 1}` });
  if (n === 50) entries.push({ name: "o/" }, { name: "o/.wh..wh..opq" }, { name: "o/new" });
  if (n === 7) entries.push({ name: "o/" }, { name: "o/old" });
  return entries;
}

function archive(): Buffer {
  const program: LayerEntry[] = [
    { name: "bin/" },
    { name: "bin/busybox", bytes: readFileSync("/usr/bin/busybox"), mode: 0o755 },
    ...["sh", "cat", "ls", "echo", "rm", "wc", "stat"].map(
      (name): LayerEntry => ({ name: `bin/${name}`, type: "2", link: "busybox" }),
    ),
  ];
  const all: LayerEntry[] = [];
  for (let n = 1; n <= DEEPEST + 1; n++) {
    const document = {
      id: idOf(n),
      ...(n > 1 && { parent: idOf(n - 1) }),
      created: "2014-08-20T20:20:14Z",
      architecture: "amd64",
      os: "linux",
      config: { Env: ["PATH=/bin"] },
    };
    // vfs copies what is below each time: the program comes last.
    const content = layer(...entriesOf(n), ...(n === DEEPEST ? program : []));
    all.push({ name: `${idOf(n)}/json`, content: JSON.stringify(document) });
    all.push({ name: `${idOf(n)}/layer.tar`, bytes: content });
  }
  const names = { deep: { runs: idOf(DEEPEST), not: idOf(DEEPEST + 1) } };
  return layer(...all, { name: "repositories", content: JSON.stringify(names) });
}

let netns: TestNetns;
beforeAll(() => {
  if (isRoot) netns = makeNetns();
});
afterAll(() => {
  netns?.remove();
  if (typeof btrfs !== "string") btrfs.remove();
});

test.each(drivers)("a container runs on as many layers as it may: %s", { timeout: 120_000 }, async (driver) => {
  const root = driver === "btrfs" && typeof btrfs !== "string" ? join(btrfs.dir, "root") : undefined;
  if (root !== undefined) mkdirSync(root);
  const daemon: TestDaemon = await startDaemon({ netns, driver, ...(root !== undefined && { root }) });
  const docker = (...args: string[]) => okWith(daemon.docker, ...args);
  try {
    writeFileSync(join(daemon.dir, "deep.tar"), archive());
    await docker("load", "-i", join(daemon.dir, "deep.tar"));
    expect((await docker("history", "-q", "deep:runs")).trim().split("\n")).toHaveLength(DEEPEST);
    const look = "ls /d | wc -l; ls /d/f9 /d/f1; cat /last; echo; ls /o; stat -c %a /last";
    const seen = `${DEEPEST - 12}\n/d/f1\n${DEEPEST}\nnew\n644\n`;
    const script = `(${look}) 2>/dev/null; rm /d/f1; echo x >> /last`;
    expect(await docker("run", "--net=none", "--name", "top", "deep:runs", "sh", "-c", script)).toBe(seen);
    expect(await docker("diff", "top")).toBe("C /d\nD /d/f1\nC /last\n");
    const deeper = await daemon.docker("run", "--net=none", "deep:not", "sh");
    expect(deeper.stderr).toContain("Cannot create container with more than 127 parents");
    await docker("commit", "top", "committed");
    const committed = await daemon.docker("run", "--net=none", "committed", "sh");
    expect(committed.stderr).toContain("Cannot create container with more than 127 parents");
    await docker("rm", "top");
    await docker("rmi", "committed", "deep:not", "deep:runs");
    expect(await docker("images", "-aq")).toBe("");
  } finally {
    expect(await daemon.remove()).toEqual([]);
  }
});
