/**
 * The storage driver of 2014, from pull to rmi: `-s aufs`, through fuse-overlayfs where the kernel has no aufs.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { missingFuse } from "../../src/daemon/graphdriver/aufs/fuse-overlayfs.ts";
import { linuxHost } from "../../src/host/linux/host.ts";
import { okWith } from "../support/commands.ts";
import { leftovers, listDir, makeNetns, startDaemon, type TestDaemon, type TestNetns } from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";

const missing = process.getuid?.() === 0 ? await missingFuse(linuxHost()) : "mounting needs root";
if (missing !== undefined) console.log(`skipped: aufs: ${missing}`);
const vm = test.runIf(missing === undefined);

let netns: TestNetns;
let registry: TestRegistry;

beforeAll(async () => {
  if (missing !== undefined) return;
  netns = makeNetns();
  registry = await startRegistry(netns.prefix);
  await registry.push("six", [
    BUSYBOX,
    { "data/gone": "1\n", "data/stays": "1\n" },
    { "data/.wh.gone": "", "data/two": "2\n" },
    { "opaque/hidden": "3\n" },
    { "opaque/.wh..wh..opq": "", "opaque/shown": "4\n" },
    { "data/gone": "back\n" },
  ]);
});
afterAll(async () => {
  await registry?.stop();
  netns?.remove();
});

const image = () => `${registry.address}/six`;
const daemons: TestDaemon[] = [];

async function start(root?: string): Promise<TestDaemon> {
  const daemon = await startDaemon({ netns, driver: "aufs", ...(root !== undefined && { root }) });
  daemons.push(daemon);
  return daemon;
}

afterEach(async () => {
  for (const daemon of daemons.splice(0).reverse()) await daemon.remove();
});

const ok = (daemon: TestDaemon, ...args: string[]) => okWith(daemon.docker, ...args);

/** Processes that serve the mounts below a directory. */
function servers(dir: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    const path = `/proc/${pid}/cmdline`;
    try {
      return /^\d+$/.test(pid) && readFileSync(path, "utf8").startsWith(`fuse-overlayfs\0-o\0lowerdir=${dir}`);
    } catch {
      return false; // ended meanwhile
    }
  });
}

const aufs = (daemon: TestDaemon, dir: string) => listDir(join(daemon.root, "aufs", dir));

vm(
  "an image of six layers is pulled, run, changed, found again by the next daemon, and removed without a trace",
  async () => {
    let daemon = await start();
    await ok(daemon, "pull", image());
    const info = await ok(daemon, "info");
    expect(info).toMatch(/^Storage Driver: aufs\n Root Dir: .*\/aufs\n Dirs: 6\n/m);

    // On disk as 1.2.0 has it: one file of ancestors for each layer, nearest first; whiteouts are files.
    const ids = aufs(daemon, "layers");
    expect([ids.length, aufs(daemon, "diff"), aufs(daemon, "mnt")]).toEqual([6, ids, ids]);
    const below = (id: string) =>
      readFileSync(join(daemon.root, "aufs/layers", id), "utf8")
        .split("\n")
        .slice(0, -1);
    const stack = [...ids].sort((a, b) => below(b).length - below(a).length);
    for (const [depth, id] of stack.entries()) expect(below(id)).toEqual(stack.slice(depth + 1));
    expect(existsSync(join(daemon.root, "aufs/diff", stack[3] ?? "", "data/.wh.gone"))).toBe(true);

    const id = (
      await ok(
        daemon,
        ...["run", "-d", image(), "sh", "-c"],
        "cat /data/gone /opaque/*; ls /data; rm /data/stays; echo new > /data/new; rm -r /www; echo ready; exec sleep 1000",
      )
    ).trim();
    await expect.poll(() => ok(daemon, "logs", id)).toBe("back\n4\ngone\nstays\ntwo\nready\n");
    const changes = (await ok(daemon, "diff", id)).trim().split("\n");
    expect(changes.filter((line) => /\/(data|www)/.test(line))).toEqual([
      "C /data",
      "A /data/new",
      "D /data/stays",
      "D /www",
    ]);
    expect(readdirSync(join(daemon.root, "aufs/diff", id, "data")).sort()).toEqual([".wh.stays", "new"]);
    expect(servers(daemon.root)).toHaveLength(1);

    // The next daemon unmounts what a killed one left, and its processes end.
    const first = daemon;
    await first.end("SIGKILL");
    expect(servers(first.root)).toHaveLength(1);
    daemon = await start(first.root);
    await expect.poll(() => servers(first.root)).toEqual([]);
    expect(await ok(daemon, "diff", id)).toBe(`${changes.join("\n")}\n`);
    // And one that ends in peace leaves none.
    await ok(daemon, "start", id);
    expect(servers(first.root)).toHaveLength(1);
    expect(await daemon.end()).toBe(0);
    expect(leftovers(first.dir, netns)).toEqual([]);
    await expect.poll(() => servers(first.root)).toEqual([]);
    await daemon.remove();

    daemon = await start(first.root);
    await ok(daemon, "rm", id);
    expect(await ok(daemon, "run", "--rm", image(), "cat", "/data/stays")).toBe("1\n");
    await ok(daemon, "rmi", image());
    for (const dir of ["layers", "diff", "mnt", "work"]) expect(aufs(daemon, dir)).toEqual([]);
    expect(listDir(join(daemon.root, "graph")).filter((name) => name !== "_tmp")).toEqual([]);
    await daemon.end();
    expect(leftovers(first.dir, netns)).toEqual([]);
    await expect.poll(() => servers(first.root)).toEqual([]);
    await daemon.remove();
    expect(await first.remove()).toEqual([]);
  },
);

vm("two containers of one image run at once and do not see each other's files", async () => {
  const daemon = await start();
  await ok(daemon, "pull", image());
  const runs = await Promise.all(
    ["one", "two"].map((word) => ok(daemon, "run", image(), "sh", "-c", `echo ${word} > /data/two; cat /data/two`)),
  );
  expect(runs).toEqual(["one\n", "two\n"]);
  // Users other than root see the files too, and programs that change the user do.
  expect(await ok(daemon, "run", "--rm", "-u", "operator", image(), "sh", "-c", "cat /data/two; id -u")).toBe(
    "2\n37\n",
  );
  await expect.poll(() => servers(daemon.root)).toEqual([]);
  expect(await daemon.remove()).toEqual([]);
});
