/**
 * How a daemon ends, well or badly, and what the next one finds.
 */

import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hasRoot, leftovers, makeNetns, startDaemon, type TestDaemon, type TestNetns } from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";

const isRoot = hasRoot("containers need root");
const vm = test.runIf(isRoot);

let netns: TestNetns;
let registry: TestRegistry;

beforeAll(async () => {
  if (!isRoot) return;
  netns = makeNetns();
  registry = await startRegistry(netns.prefix);
  await registry.push("busybox", [BUSYBOX]);
});
afterAll(async () => {
  await registry?.stop();
  netns?.remove();
});

const image = () => `${registry.address}/busybox`;

async function withImage(root?: string): Promise<TestDaemon> {
  const daemon = await startDaemon({ netns, ...(root !== undefined && { root }) });
  if (root === undefined) expect((await daemon.docker("pull", image())).code).toBe(0);
  return daemon;
}

/** Host processes of a container, found by its cgroup. */
function processesOf(id: string): string[] {
  const path = `/sys/fs/cgroup/devices/docker/${id}/cgroup.procs`;
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
}

vm("SIGTERM stops the containers, unmounts, removes pid file and socket, and exits with 0", async () => {
  const daemon = await withImage();
  const id = (
    await daemon.docker(
      "run",
      "-d",
      "-p",
      "9090:80",
      image(),
      "sh",
      "-c",
      "trap 'exit 0' TERM; while true; do sleep 0.1; done",
    )
  ).stdout.trim();
  expect(processesOf(id).length).toBeGreaterThan(0);
  expect(readFileSync(daemon.pidFile, "utf8")).toBe(String(daemon.process.pid));
  expect(await daemon.end("SIGTERM")).toBe(0);
  expect(existsSync(daemon.pidFile)).toBe(false);
  expect(existsSync(daemon.socket)).toBe(false);
  expect(processesOf(id)).toEqual([]);
  expect(leftovers(daemon.dir, netns)).toEqual([]);
  expect(daemon.log()).toContain("Received signal 'terminated', starting shutdown of docker...");
  await daemon.remove();
});

vm("the fourth signal forces the exit with 128 + its number", async () => {
  const daemon = await withImage();
  // A process that ignores TERM keeps the shutdown busy.
  await daemon.docker(
    "run",
    "-d",
    "--name",
    "deaf",
    image(),
    "sh",
    "-c",
    "trap '' TERM; while true; do sleep 0.1; done",
  );
  const received = (n: number) =>
    expect.poll(() => daemon.log().match(/Received signal 'terminated'/g)?.length ?? 0).toBe(n);
  for (let i = 1; i <= 3; i++) {
    daemon.process.kill("SIGTERM");
    await received(i);
  }
  expect(await daemon.end("SIGTERM")).toBe(143);
  expect(daemon.log()).toContain("Force shutdown of docker, interrupting cleanup");
  // Nothing was cleaned up: the next daemon on this root does it.
  const next = await withImage(daemon.root);
  expect((await next.docker("ps", "-a")).stdout).toMatch(/Exited \(-?\d+\)/);
  expect(await next.remove()).toEqual([]);
  await daemon.remove();
});

vm("kill -9 with running containers: the next boot ends them and leaves no mount, link, rule or process", async () => {
  const daemon = await withImage();
  const ids: string[] = [];
  for (const port of [8081, 8082]) {
    ids.push(
      (await daemon.docker("run", "-d", "-p", `${port}:80`, image(), "httpd", "-f", "-h", "/www")).stdout.trim(),
    );
  }
  const done = (await daemon.docker("run", "-d", image(), "true")).stdout.trim();
  await daemon.docker("wait", done);
  expect(await daemon.end("SIGKILL")).toBe("SIGKILL");
  expect(leftovers(daemon.dir, netns)).not.toEqual([]);

  const next = await withImage(daemon.root);
  expect(ids.flatMap(processesOf)).toEqual([]);
  expect(leftovers(daemon.dir, netns)).toEqual([]);
  expect((await next.docker("ps", "-q")).stdout).toBe("");
  const all = (await next.docker("ps", "-a", "-q", "--no-trunc")).stdout.trim().split("\n").sort();
  expect(all).toEqual([...ids, done].sort());
  // They can go on: the same container starts again, on the same port.
  expect((await next.docker("start", ids[0] ?? "")).code).toBe(0);
  await expect
    .poll(async () => (await next.inside("curl", "-s", "--max-time", "1", "http://127.0.0.1:8081/")).stdout)
    .toBe("hello from inside\n");
  expect(await next.remove()).toEqual([]);
  await daemon.remove();
});

vm("kill -9 during create and run: what was complete is served, the rest is gone", async () => {
  const daemon = await withImage();
  const kept = (await daemon.docker("run", "-d", image(), "true")).stdout.trim();
  await daemon.docker("wait", kept);
  // Killed at whatever each of these was doing.
  const storm = Array.from({ length: 12 }, (_, i) =>
    daemon.docker("run", "-d", "--name", `storm${i}`, image(), "sleep", "100"),
  );
  await expect
    .poll(() => daemon.log().match(/\+job start\(/g)?.length ?? 0, { interval: 5, timeout: 20_000 })
    .toBeGreaterThanOrEqual(4);
  await daemon.end("SIGKILL");
  await Promise.all(storm);

  const next = await withImage(daemon.root);
  expect(leftovers(daemon.dir, netns)).toEqual([]);
  const rows = (await next.docker("ps", "-a", "-q", "--no-trunc")).stdout.trim().split("\n");
  expect(rows).toContain(kept);
  for (const id of rows) {
    expect((await next.docker("inspect", "-f", "{{.State.Running}}", id)).stdout).toBe("false\n");
    expect(processesOf(id)).toEqual([]);
    expect((await next.docker("rm", id)).code).toBe(0);
  }
  // Every name is free again.
  expect((await next.docker("run", "--rm", "--name", "storm0", image(), "echo", "again")).stdout).toBe("again\n");
  expect(await next.remove()).toEqual([]);
  await daemon.remove();
});

vm("a second daemon on the same root refuses, names it, and changes nothing", async () => {
  const daemon = await withImage();
  await expect(startDaemon({ netns, root: daemon.root })).rejects.toThrow(/in use|already|another/i);
  expect((await daemon.docker("images")).stdout).toContain(image());
  expect(await daemon.remove()).toEqual([]);
});
