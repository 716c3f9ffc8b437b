/**
 * Pulling when others pull too, when clients leave, when the registry misbehaves, and when the daemon dies.
 */

import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deferred } from "../../src/sync/deferred.ts";
import { DRYDOCK, listDir, startDaemon, type TestDaemon } from "../support/daemon.ts";
import { type FaultyRegistry, startFaultyRegistry } from "../support/faulty-registry.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";

const isRoot = process.getuid?.() === 0;
// Without root the daemon stores by vfs: everything here but the mounts is the same.
const driver = isRoot ? "overlay" : "vfs";
const BLOB = /^GET \/v2\/three\/blobs\//;

let registry: TestRegistry;
let faulty: FaultyRegistry;
let daemon: TestDaemon;

beforeAll(async () => {
  registry = await startRegistry();
  await registry.push("three", [BUSYBOX, { "a/1": "one" }, { "a/2": "two" }]);
  faulty = await startFaultyRegistry(registry.address);
  daemon = await startDaemon({ netns: "none", driver });
});

afterAll(async () => {
  await faulty?.stop();
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

const image = () => `${faulty.address}/three:latest`;

/** What is on disk of images: names in the graph, and the storage driver's layers. */
function onDisk({ root }: { root: string }): string[] {
  const layers = driver === "vfs" ? join(root, "vfs/dir") : join(root, "overlay");
  const isId = (name: string) => /^[0-9a-f]{64}/.test(name);
  return [
    ...listDir(join(root, "graph")).filter((name) => name !== "_tmp"),
    ...listDir(join(root, "graph/_tmp")),
    ...listDir(layers).filter(isId),
  ];
}

async function removeImage(): Promise<void> {
  expect((await daemon.docker("rmi", image())).code).toBe(0);
  expect(onDisk(daemon)).toEqual([]);
}

test("two clients pulling the same image share one download", async () => {
  faulty.requests.length = 0;
  const gate = deferred();
  faulty.fault = (request) => (BLOB.test(request) ? { holdAfter: 10, release: gate.promise } : undefined);
  const first = daemon.docker("pull", image());
  await faulty.seen(BLOB);
  const second = daemon.docker("pull", image());
  await expect.poll(() => daemon.log().match(/\+job pull/g)?.length).toBe(2);
  gate.resolve();
  expect([(await first).code, (await second).code]).toEqual([0, 0]);
  const blobs = faulty.requests.filter((request) => BLOB.test(request));
  expect(new Set(blobs).size).toBe(4); // a configuration and three layers
  expect(blobs).toHaveLength(4);
  faulty.fault = () => undefined;
  await removeImage();
});

test("a client that leaves in mid-pull does not break the other; when the last one leaves, nothing stays", async () => {
  const words = ["-H", `unix://${daemon.socket}`, "pull", image()];
  for (const bothLeave of [false, true]) {
    faulty.requests.length = 0;
    const gate = deferred();
    faulty.fault = (request) => (BLOB.test(request) ? { holdAfter: 10, release: gate.promise } : undefined);
    const pulls = daemon.log().match(/\+job pull/g)?.length ?? 0;
    const leaver = spawn(DRYDOCK, words, { stdio: "ignore" });
    await expect.poll(() => faulty.requests.some((request) => BLOB.test(request))).toBe(true);
    const other = spawn(DRYDOCK, words, { stdio: "ignore" });
    const otherEnded = new Promise((resolve) => other.once("exit", resolve));
    await expect.poll(() => daemon.log().match(/\+job pull/g)?.length).toBe(pulls + 2);
    leaver.kill("SIGKILL");
    if (bothLeave) other.kill("SIGKILL");
    await expect
      .poll(() => daemon.log().match(/-job pull/g)?.length, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(pulls + (bothLeave ? 2 : 0));
    gate.resolve();
    if (!bothLeave) expect(await otherEnded).toBe(0);
    faulty.fault = () => undefined;
    if (bothLeave) await expect.poll(() => onDisk(daemon), { timeout: 10_000 }).toEqual([]);
    else await removeImage();
  }
});

test.each([
  ["a registry that answers 500", () => ({ status: 500 }), /500/],
  ["a registry that wants a login", () => ({ status: 401 }), /401|[Uu]nauthorized|Authentication|authentication/],
  ["a truncated layer", () => ({ truncateTo: 40 }), /EOF|truncated|broken|ended|short/i],
  ["a layer with a wrong digest", () => ({ flipByteAt: 60 }), /digest|verif|corrupt|invalid|checksum/i],
  [
    "a connection that breaks in mid-layer",
    () => ({ holdAfter: 40, release: Promise.resolve(), cut: true }),
    /EOF|truncated|broken|ended|reset|closed/i,
  ],
] as const)(
  "%s gives one clear line, a failure, and no half image",
  async (_name, fault, expected) => {
    faulty.fault = (request) => (BLOB.test(request) ? fault() : undefined);
    const result = await daemon.docker("pull", image());
    faulty.fault = () => undefined;
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(expected);
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
    expect(onDisk(daemon)).toEqual([]);
    expect((await daemon.docker("images", "-q")).stdout).toBe("");
  },
  180_000,
);

test("an image or a registry that is not there is named", async () => {
  const missing = await daemon.docker("pull", `${faulty.address}/nothing:latest`);
  expect(missing.code).not.toBe(0);
  expect(missing.stderr).toMatch(/nothing/);
  const closed = await daemon.docker("pull", "127.0.0.1:1/three:latest");
  expect(closed.code).not.toBe(0);
  expect(closed.stderr).toMatch(/127\.0\.0\.1:1/);
});

test("kill -9 in mid-pull: the next boot has what was whole before, and nothing of the rest", async () => {
  expect((await daemon.docker("pull", `${registry.address}/three`)).code).toBe(0);
  const before = onDisk(daemon);
  await registry.push("more", [BUSYBOX, { "a/1": "one" }, { "new/1": "x" }, { "new/2": "y" }]);
  faulty.requests.length = 0;
  const held = /^GET \/v2\/more\/blobs\//;
  faulty.fault = (request) => (held.test(request) ? { holdAfter: 60, release: new Promise(() => {}) } : undefined);
  const client = spawn(DRYDOCK, ["-H", `unix://${daemon.socket}`, "pull", `${faulty.address}/more`], {
    stdio: "ignore",
  });
  await faulty.seen(held);
  expect(await daemon.end("SIGKILL")).toBe("SIGKILL");
  client.kill();
  faulty.fault = () => undefined;

  const next = await startDaemon({ netns: "none", driver, root: daemon.root });
  try {
    expect(onDisk(next)).toEqual(before);
    expect((await next.docker("images")).stdout).toContain(`${registry.address}/three`);
    expect((await next.docker("pull", `${faulty.address}/more`)).code).toBe(0);
    expect((await next.docker("images")).stdout).toContain(`${faulty.address}/more`);
  } finally {
    expect(await next.remove()).toEqual([]);
    rmSync(daemon.pidFile, { force: true });
  }
});
