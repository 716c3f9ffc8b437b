/**
 * Many containers, many at a time: nothing of them may stay.
 */

import { afterAll, beforeAll, expect, test } from "vitest";
import { hasRoot, makeNetns, startDaemon, type TestDaemon, type TestNetns } from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";
import { leaks, rssMiB, type Snapshot, snapshot } from "../support/leaks.ts";
import { ask } from "../support/traces.ts";

const isRoot = hasRoot("containers need root");
const vm = test.runIf(isRoot);

const AT_ONCE = 20;

let netns: TestNetns;
let registry: TestRegistry;
let daemon: TestDaemon;
let image: string;

beforeAll(async () => {
  if (!isRoot) return;
  netns = makeNetns();
  registry = await startRegistry(netns.prefix);
  await registry.push("busybox", [BUSYBOX]);
  image = `${registry.address}/busybox`;
  daemon = await startDaemon({ netns });
  expect((await daemon.docker("pull", image)).code).toBe(0);
});
afterAll(async () => {
  await daemon?.remove();
  await registry?.stop();
  netns?.remove();
});

async function asked(method: string, path: string, expected: number, body?: unknown): Promise<unknown> {
  const { status, body: text } = await ask(daemon, method, path, body);
  expect([status, text], `${method} ${path}`).toEqual([expected, expect.anything()]);
  return text === "" ? undefined : JSON.parse(text);
}

/** One container's life; with a port of the host, an address, a volume, output, and an end by force or of its own. */
async function life(i: number): Promise<string> {
  const { Id } = (await asked("POST", `/containers/create?name=crowd${i}`, 201, {
    Image: image,
    Cmd: i % 2 === 0 ? ["sleep", "1000"] : ["sh", "-c", "echo said; exit 3"],
    Volumes: { "/data": {} },
    ExposedPorts: { "80/tcp": {} },
  })) as { Id: string };
  await asked("POST", `/containers/${Id}/start`, 204, {
    PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "" }] },
    Memory: 64 << 20,
  });
  if (i % 2 === 1) expect(await asked("POST", `/containers/${Id}/wait`, 200)).toEqual({ StatusCode: 3 });
  const seen = (await asked("GET", `/containers/${Id}/json`, 200)) as {
    Name: string;
    State: { Running: boolean; ExitCode: number };
    NetworkSettings: { IPAddress: string };
  };
  expect([seen.Name, seen.State.Running, seen.State.ExitCode]).toEqual([
    `/crowd${i}`,
    i % 2 === 0,
    i % 2 === 0 ? 0 : 3,
  ]);
  await asked("DELETE", `/containers/${Id}?force=1&v=1`, 204);
  return seen.NetworkSettings.IPAddress;
}

async function wave(n: number): Promise<void> {
  const addresses = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => life(n * AT_ONCE + i)));
  const given = addresses.filter((address) => address !== "");
  expect(new Set(given).size).toBe(given.length);
}

/** What there is of each kind, as numbers to be read. */
function figures({ things, counts }: Snapshot): string {
  const kinds = new Map<string, number>();
  for (const thing of things) {
    const kind = thing.split(" ")[0] ?? "";
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  let fds = 0;
  for (const [kind, count] of counts) if (kind.startsWith("fd ")) fds += count;
  kinds.set("fd", fds);
  kinds.set("thread", counts.get("threads") ?? 0);
  return `${[...kinds].map(([kind, n]) => `${kind} ${n}`).join(", ")}, RSS ${Math.round(rssMiB(daemon))} MiB`;
}

vm(
  "200 containers, 20 at a time, leave nothing: no mount, namespace, link, rule, cgroup, descriptor or memory",
  async () => {
    await wave(0); // what is made once and kept: directories, threads, the heap's size
    const before = await snapshot(daemon);
    const memory = rssMiB(daemon);
    console.log(`before: ${figures(before)}`);
    for (let n = 1; n <= 200 / AT_ONCE; n++) await wave(n);
    expect(await leaks(daemon, before)).toEqual([]);
    console.log(`after:  ${figures(await snapshot(daemon))}`);
    // A heap that grows with what is gone would be far beyond: 200 containers are some hundred KiB each while they live.
    expect(rssMiB(daemon) - memory).toBeLessThan(60);
    expect(JSON.parse((await ask(daemon, "GET", "/containers/json?all=1")).body)).toEqual([]);
  },
);
