/**
 * `-s btrfs` from pull to rmi, on a file system of its own; and what it says on another.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeBtrfs } from "../support/btrfs.ts";
import { okWith } from "../support/commands.ts";
import {
  DRYDOCK,
  leftovers,
  listDir,
  makeNetns,
  startDaemon,
  type TestDaemon,
  type TestNetns,
} from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";

const btrfs = makeBtrfs();
if (typeof btrfs === "string") console.log(`skipped: btrfs: ${btrfs}`);
const vm = test.runIf(typeof btrfs !== "string");

let netns: TestNetns;
let registry: TestRegistry;

beforeAll(async () => {
  if (typeof btrfs === "string") return;
  netns = makeNetns();
  registry = await startRegistry(netns.prefix);
  await registry.push("three", [
    BUSYBOX,
    { "data/gone": "1\n", "data/stays": "1\n" },
    { "data/.wh.gone": "", "data/two": "2\n" },
  ]);
});
afterAll(async () => {
  await registry?.stop();
  netns?.remove();
  if (typeof btrfs !== "string") btrfs.remove();
});

const ok = (daemon: TestDaemon, ...args: string[]) => okWith(daemon.docker, ...args);

vm("an image is pulled, run, committed, found again by the next daemon and removed without a trace", async () => {
  if (typeof btrfs === "string") return;
  const root = join(btrfs.dir, "root");
  mkdirSync(root);
  const layers = () => listDir(join(root, "btrfs/subvolumes")).length;
  const image = `${registry.address}/three`;
  const first = await startDaemon({ netns, driver: "btrfs", root });
  await ok(first, "pull", image);
  expect(await ok(first, "info")).toMatch(/^Storage Driver: btrfs\nExecution Driver/m);
  expect(layers()).toBe(3);
  for (const name of readdirSync(join(root, "btrfs/subvolumes")))
    expect(statSync(join(root, "btrfs/subvolumes", name)).ino).toBe(256);

  const script = "ls /data; rm /data/stays; echo new > /data/new";
  const id = (await ok(first, "run", "-d", image, "sh", "-c", `${script}; echo ready; exec sleep 1000`)).trim();
  await expect.poll(() => ok(first, "logs", id)).toBe("stays\ntwo\nready\n");
  const changes = "C /data\nA /data/new\nD /data/stays\n";
  expect((await first.today("diff", id)).stdout).toBe(changes);
  expect((await ok(first, "commit", id, "mine")).trim()).toMatch(/^[0-9a-f]{64}$/);
  expect(await ok(first, "run", "--rm", "mine", "sh", "-c", "ls /data; cat /data/new")).toBe("new\ntwo\nnew\n");
  // A layer in use goes when its container does, with what is open in it.
  const busy = (await ok(first, "run", "-d", "mine", "sh", "-c", "exec sleep 1000 > /open")).trim();
  await ok(first, "rm", "-f", busy);
  expect(layers()).toBe(6);
  await first.end("SIGKILL");

  const second = await startDaemon({ netns, driver: "btrfs", root });
  expect((await second.today("diff", id)).stdout).toBe(changes);
  await ok(second, "rm", "-f", id);
  await ok(second, "rmi", "mine", image);
  expect(layers()).toBe(0);
  expect(await second.end()).toBe(0);
  expect(leftovers(root, netns)).toEqual([]);
  await second.remove();
  await first.remove();
});

vm("what is made on btrfs goes into archives and to registries, and comes back byte for byte", async () => {
  if (typeof btrfs === "string") return;
  const root = join(btrfs.dir, "moved");
  mkdirSync(root);
  const first = await startDaemon({ netns, driver: "btrfs", root });
  const other = await startDaemon({ netns, driver: "overlay" });
  const file = (name: string) => join(btrfs.dir, name);
  const [base, name] = [`${registry.address}/three`, `${registry.address}/made:latest`];
  try {
    await ok(first, "pull", base);
    const script =
      "rm /data/two; echo new > /data/new; ln /data/new /data/linked; chmod 4755 /data/stays; mkfifo /data/p";
    await ok(first, "run", "--net=none", "--name", "maker", base, "sh", "-c", script);
    await ok(first, "commit", "maker", name);
    await ok(first, "save", "-o", file("made.tar"), name);
    const pushed = /sha256:[0-9a-f]{64}/.exec(await ok(first, "push", name))?.[0];
    expect(pushed).toBeDefined();
    expect(await ok(first, "pull", name)).toContain("Status: Image is up to date");

    await ok(other, "load", "-i", file("made.tar"));
    await ok(other, "save", "-o", file("again.tar"), name);
    expect(readFileSync(file("again.tar")).equals(readFileSync(file("made.tar")))).toBe(true);
    expect(await ok(other, "push", name)).toContain(pushed);
    const look = ["run", "--rm", "--net=none", name, "sh", "-c", "ls -l /data | cut -c1-15; cat /data/linked"];
    expect(await ok(other, ...look)).toBe(await ok(first, ...look));
    await ok(first, "rm", "maker");
    await ok(first, "rmi", name, base);
    expect(listDir(join(root, "btrfs/subvolumes"))).toEqual([]);
    for (const bring of [
      ["load", "-i", file("again.tar")],
      ["pull", name],
    ]) {
      await ok(first, ...bring);
      expect(await ok(first, ...look)).toBe(await ok(other, ...look));
      expect(await ok(first, "push", name)).toContain(pushed);
      await ok(first, "rmi", name);
    }
  } finally {
    expect(await first.end()).toBe(0);
    expect(leftovers(root, netns)).toEqual([]);
    await first.remove();
    expect(await other.remove()).toEqual([]);
  }
});

vm("another file system and SELinux are refused, and nothing stays mounted", () => {
  if (typeof btrfs === "string") return;
  const refused = (root: string, ...args: string[]) => {
    const socket = `unix://${root}.sock`;
    const words = ["-d", "-s", "btrfs", "-b", "none", "-H", socket, "-g", root, "-p", `${root}.pid`, ...args];
    const { status, stderr } = spawnSync(DRYDOCK, words, { encoding: "utf8", timeout: 20_000 });
    return { status, stderr };
  };
  const elsewhere = refused(join(btrfs.dir, "../elsewhere"));
  expect(elsewhere.status).toBe(1);
  expect(elsewhere.stderr).toMatch(/elsewhere is not on btrfs: mount one there, or choose a root on one with -g/);
  expect(elsewhere.stderr).toMatch(/prerequisites for driver not satisfied \(wrong filesystem\?\)\n/);
  const selinux = refused(join(btrfs.dir, "labels"), "--selinux-enabled");
  expect(selinux.status).toBe(1);
  expect(selinux.stderr).toContain("SELinux is not supported with the BTRFS graph driver!");
  expect(existsSync(join(btrfs.dir, "labels/btrfs"))).toBe(true);
  expect(leftovers(btrfs.dir, netns).filter((left) => left.includes("labels"))).toEqual([]);
});
