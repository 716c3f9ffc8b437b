/**
 * A daemon goes, by SIGTERM or by kill -9, and another comes: what became of its containers, and what is left of what
 * they stood on.
 */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type DaemonOptions,
  hasRoot,
  listDir,
  makeNetns,
  namespacesOf,
  run,
  startDaemon,
  type TestDaemon,
  type TestNetns,
} from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";
import { ask, traces } from "../support/traces.ts";

const isRoot = hasRoot("containers need root");

/** How many containers there are of each policy. */
const EACH = 20;
const POLICIES = {
  no: { Name: "", MaximumRetryCount: 0 },
  failure: { Name: "on-failure", MaximumRetryCount: 0 },
  failure3: { Name: "on-failure", MaximumRetryCount: 3 },
  always: { Name: "always", MaximumRetryCount: 0 },
} as const;
type Policy = keyof typeof POLICIES;

/** A word that no other program on this machine has on its command line: by it the containers' processes are found. */
const MARK = `marked-${process.pid}-${Date.now()}`;
/** Says that it is there, and ends with 7 when it is asked to. */
const SERVE = `trap 'exit 7' TERM; echo up ${MARK}; while :; do sleep 100 & wait; done`;
const CGROUPS = "/sys/fs/cgroup";

interface Binding {
  HostIp: string;
  HostPort: string;
}
interface Inspected {
  Id: string;
  Name: string;
  State: {
    Running: boolean;
    Paused: boolean;
    Restarting: boolean;
    Pid: number;
    ExitCode: number;
    StartedAt: string;
    FinishedAt: string;
  };
  NetworkSettings: { IPAddress: string; Ports: Record<string, Binding[] | null> | null };
  HostConfig: { Links: string[] | null; RestartPolicy: { Name: string; MaximumRetryCount: number } };
  HostsPath: string;
  Volumes: Record<string, string> | null;
  RestartCount: number;
}

let netns: TestNetns;
let registry: TestRegistry;
let image: string;
/** Each test has a root of its own, which daemon after daemon works on. */
let dir: string;
let root: string;
let daemon: TestDaemon;
/** Daemons that are gone. */
const gone: TestDaemon[] = [];
/** Every container there ever was. */
const ids = new Set<string>();

beforeAll(async () => {
  if (!isRoot) return;
  netns = makeNetns();
  registry = await startRegistry(netns.prefix);
  image = `${registry.address}/busybox`;
  await registry.push("busybox", [BUSYBOX]);
});
afterAll(async () => {
  await registry?.stop();
  netns?.remove();
});

/** Takes down whatever a test left, also one that failed. */
async function cleanUp(): Promise<void> {
  await end("SIGKILL");
  const state = join(root, "execdriver/native/.runc");
  for (const id of listDir(state)) await run(["runc", "--root", state, "delete", "--force", id]);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  for (const path of mounts.map((line) => line.split(" ")[4] ?? "").filter((path) => path.startsWith(`${dir}/`))) {
    await run(["umount", "-l", path]);
  }
  for (const name of listDir(namespacesOf(root))) await run(["umount", "-l", join(namespacesOf(root), name)]);
  rmSync(dirname(namespacesOf(root)), { recursive: true, force: true });
  for (const one of gone.splice(0)) await one.remove();
  rmSync(dir, { recursive: true, force: true });
}

async function boot(options: DaemonOptions = {}): Promise<TestDaemon> {
  daemon = await startDaemon({ ...options, netns, root });
  return daemon;
}

/** Ends the daemon and keeps it for the end of the tests. */
async function end(signal: NodeJS.Signals): Promise<number | string> {
  gone.push(daemon);
  return daemon.end(signal);
}

async function post(path: string, body: unknown = undefined): Promise<string> {
  const { status, body: text } = await ask(daemon, "POST", path, body);
  expect(`${path}: ${status} ${text}`).toMatch(/: (?:201|204) /);
  return text;
}

async function create(name: string, config: object = {}): Promise<string> {
  const body = { Image: image, Cmd: ["sh", "-c", SERVE], ...config };
  const { Id } = JSON.parse(await post(`/containers/create?name=${name}`, body)) as { Id: string };
  ids.add(Id);
  return Id;
}

async function start(name: string, config: object = {}, hostConfig: object = {}): Promise<void> {
  await create(name, config);
  await post(`/containers/${name}/start`, hostConfig);
}

const parse = async <T>(path: string) => JSON.parse((await ask(daemon, "GET", path)).body) as T;

/** All containers, by name. What no route tells of 1.2.0's own fields comes from disk. */
async function inspectAll(): Promise<Map<string, Inspected>> {
  const rows = await parse<{ Id: string }[]>("/containers/json?all=1");
  const all = await Promise.all(rows.map(({ Id }) => parse<Inspected>(`/containers/${Id}/json`)));
  for (const one of all) {
    one.RestartCount = JSON.parse(readFileSync(join(root, "containers", one.Id, "config.json"), "utf8")).RestartCount;
  }
  return new Map(all.map((one) => [one.Name.slice(1), one]));
}

const namesOf = (policy: Policy) => Array.from({ length: EACH }, (_, i) => `${policy}-${i}`);

/** Processes of containers, by the word on their command line: wherever they are, and whoever is their parent. */
function markedPids(): number[] {
  return listDir("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith(`sh\0-c\0`) && cmdline(pid).includes(MARK);
      } catch {
        return false; // it has ended meanwhile
      }
    })
    .map(Number);
}
const cmdline = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, "latin1");

/** Processes of runc that serve this root, or of what stands in for it. */
function runcPids(): string[] {
  return listDir("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && cmdline(name).includes(`\0--root\0${root}/`);
    } catch {
      return false;
    }
  });
}

/** Ids that have a cgroup in any hierarchy. */
function cgroupIds(): Set<string> {
  const parents = [join(CGROUPS, "docker"), ...readdirSync(CGROUPS).map((name) => join(CGROUPS, name, "docker"))];
  return new Set(parents.flatMap(listDir).filter((name) => ids.has(name)));
}

/** Ids whose root file system is mounted. */
function mountedIds(): string[] {
  const paths = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
  return paths
    .flatMap((path) => (path.startsWith(`${root}/`) ? (/\/([0-9a-f]{64})\/merged$/.exec(path)?.[1] ?? []) : []))
    .sort();
}

const lines = async (...words: string[]) => (await daemon.inside(...words)).stdout.split("\n").filter(Boolean);

/** The rules that belong to containers: published ports, and links. */
const containerRules = async () =>
  (await lines("iptables-save")).filter((line) => /^-A (DOCKER|FORWARD) .*--[ds]port/.test(line)).sort();

/** The rules there should be for what runs. */
function expectedRules(all: Map<string, Inspected>): string[] {
  const running = [...all.values()].filter(({ State }) => State.Running);
  const published = running.flatMap(({ NetworkSettings: { IPAddress: ip, Ports } }) =>
    Object.entries(Ports ?? {}).flatMap(([port, bindings]) =>
      (bindings ?? []).flatMap(({ HostPort }) => {
        const [number = "", proto = ""] = port.split("/");
        return [
          `-A DOCKER ! -i docker0 -p ${proto} -m ${proto} --dport ${HostPort} -j DNAT --to-destination ${ip}:${number}`,
          `-A FORWARD -d ${ip}/32 ! -i docker0 -o docker0 -p ${proto} -m ${proto} --dport ${number} -j ACCEPT`,
        ];
      }),
    ),
  );
  const [web, store] = [all.get("web"), all.get("store")];
  if (web === undefined || store === undefined || !web.State.Running || !store.State.Running) return published.sort();
  const [from, to] = [web.NetworkSettings.IPAddress, store.NetworkSettings.IPAddress];
  const linked = [
    `-A FORWARD -s ${from}/32 -d ${to}/32 -i docker0 -o docker0 -p tcp -m tcp --dport 5432 -j ACCEPT`,
    `-A FORWARD -s ${to}/32 -d ${from}/32 -i docker0 -o docker0 -p tcp -m tcp --sport 5432 -j ACCEPT`,
  ];
  return [...published, ...linked].sort();
}

/** Ports somebody listens on in the daemon's network, `udp 53`. */
const heldPorts = async () =>
  (await lines("ss", "-Hlntu"))
    .map((line) => line.split(/\s+/))
    .map(([proto, , , , local = ""]) => `${proto} ${local.replace(/^.*:/, "")}`)
    .filter((port) => port !== `tcp ${registry.port}`)
    .sort();

/** That the machine has exactly what the running containers need. */
async function nothingOrphaned(all: Map<string, Inspected>): Promise<void> {
  const running = [...all.values()].filter(({ State }) => State.Running);
  const runningIds = running.map(({ Id }) => Id).sort();
  const connected = running.filter(({ NetworkSettings }) => NetworkSettings.IPAddress !== "");
  const native = join(root, "execdriver/native");
  const found = () => ({
    launches: runcPids(),
    processes: markedPids().sort(),
    cgroups: [...cgroupIds()].sort(),
    bundles: listDir(native).filter((name) => name !== ".runc"),
    states: listDir(join(native, ".runc")),
    mounts: mountedIds(),
    namespaces: listDir(namespacesOf(root)),
  });
  // What ended a moment ago is taken down behind its end.
  await expect.poll(found, { timeout: 10_000 }).toEqual({
    launches: [],
    processes: running.map(({ State }) => State.Pid).sort(),
    cgroups: runningIds,
    bundles: runningIds,
    states: runningIds,
    mounts: runningIds,
    namespaces: connected.map(({ Id }) => Id).sort(),
  });
  const veths = async () => (await lines("ip", "-o", "link", "show", "master", "docker0")).length;
  await expect.poll(veths, { timeout: 10_000 }).toBe(connected.length);
  expect(await containerRules()).toEqual(expectedRules(all));
  const published = running.flatMap(({ NetworkSettings: { Ports } }) =>
    Object.entries(Ports ?? {}).flatMap(([port, bindings]) =>
      (bindings ?? []).map(({ HostPort }) => `${port.split("/")[1]} ${HostPort}`),
    ),
  );
  expect(await heldPorts()).toEqual(published.sort());
  const addresses = connected.map(({ NetworkSettings }) => NetworkSettings.IPAddress);
  expect(new Set(addresses).size).toBe(addresses.length);
}

/** Waits for those that end by themselves. */
async function ended(...names: string[]): Promise<void> {
  for (const name of names) {
    const running = async () => (await parse<Inspected>(`/containers/${name}/json`)).State.Running;
    await expect.poll(running, { timeout: 10_000 }).toBe(false);
  }
}

/** How often each container has said that it is there. */
async function saidUp(name: string): Promise<number> {
  return (await ask(daemon, "GET", `/containers/${name}/logs?stdout=1`)).body.split(MARK).length - 1;
}

function expectRunning(one: Inspected | undefined): void {
  expect(one?.State).toMatchObject({ Running: true, Paused: false, Restarting: false, ExitCode: 0 });
  expect(existsSync(`/proc/${one?.State.Pid}`)).toBe(true);
  expect(one?.RestartCount).toBe(0);
}

function expectEnded(one: Inspected | undefined, exitCode: number): void {
  expect(one?.State).toMatchObject({ Running: false, Paused: false, Restarting: false, Pid: 0, ExitCode: exitCode });
  expect(one?.State.FinishedAt).not.toMatch(/^0001/);
  expect(one?.NetworkSettings).toMatchObject({ IPAddress: "", Ports: null });
}

/** The state of everything after a boot that starts again what is to be started. */
async function expectRestored(runs: number, lost: number): Promise<Map<string, Inspected>> {
  await ended("gave-up"); // it had failed, and was tried once more
  const all = await inspectAll();
  for (const name of namesOf("no")) expectEnded(all.get(name), lost);
  for (const policy of ["failure", "failure3", "always"] as const) {
    for (const name of namesOf(policy)) {
      expectRunning(all.get(name));
      expect(all.get(name)?.HostConfig.RestartPolicy).toEqual(POLICIES[policy]);
    }
  }
  for (const name of ["web", "store", "joined", "frozen", "unwanted", "untried", "kept"]) expectRunning(all.get(name));
  // Its last run had failed; what has succeeded, or never ran, or has no policy, is left as it was.
  expect(all.get("gave-up")?.State.ExitCode).toBe(5);
  expectEnded(all.get("done"), 3);
  expectEnded(all.get("rests"), 7);
  expectEnded(all.get("succeeded"), 0);
  expect(all.get("fresh")?.State).toMatchObject({ Running: false, Pid: 0, ExitCode: 0 });
  expect(all.get("fresh")?.State.StartedAt).toMatch(/^0001/);
  await nothingOrphaned(all);

  // The log of the run before goes on, and so do ports, volumes, names and links.
  await expect.poll(() => saidUp("always-0"), { timeout: 10_000 }).toBe(runs);
  expect(all.get("always-0")?.NetworkSettings.Ports).toEqual({
    "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8100" }],
    "53/udp": [{ HostIp: "0.0.0.0", HostPort: "8100" }],
  });
  expect(all.get("failure-0")?.NetworkSettings.Ports).toEqual({
    "80/tcp": [{ HostIp: "0.0.0.0", HostPort: expect.stringMatching(/^(49|5\d|6\d)\d{3}$/) }],
  });
  const volume = all.get("always-1")?.Volumes?.["/data"] ?? "";
  expect(readFileSync(join(volume, "runs"), "utf8").split("\n").filter(Boolean)).toHaveLength(runs);
  const [web, store, joined] = [all.get("web"), all.get("store"), all.get("joined")];
  expect(web?.HostConfig.Links).toEqual(["/store:/web/data"]);
  const hosts = readFileSync(web?.HostsPath ?? "", "utf8");
  expect(hosts).toContain(`${web?.NetworkSettings.IPAddress}\t`);
  expect(hosts).toContain(`${store?.NetworkSettings.IPAddress}\tdata\n`);
  const inNetns = async (pid: number | undefined) => (await run(["readlink", `/proc/${pid}/ns/net`])).stdout;
  expect(await inNetns(joined?.State.Pid)).toBe(await inNetns(web?.State.Pid));
  return all;
}

describe.runIf(isRoot)("a daemon with containers of every restart policy", () => {
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "dd-restart-"));
    root = join(dir, "root");
    ids.clear();
    await boot();
    expect((await daemon.docker("pull", image)).code).toBe(0);
    const many = Object.entries(POLICIES).flatMap(([policy, RestartPolicy]) =>
      namesOf(policy as Policy).map((name) => {
        const exposed = { ExposedPorts: { "80/tcp": {} } };
        if (name === "always-0") {
          const PortBindings = { "80/tcp": [{ HostPort: "8100" }], "53/udp": [{ HostPort: "8100" }] };
          return start(name, { ExposedPorts: { "80/tcp": {}, "53/udp": {} } }, { RestartPolicy, PortBindings });
        }
        if (name === "always-1") {
          const Cmd = ["sh", "-c", `echo run >> /data/runs; ${SERVE}`];
          return start(name, { Cmd, Volumes: { "/data": {} } }, { RestartPolicy });
        }
        if (name.endsWith("-0")) return start(name, exposed, { RestartPolicy, PublishAllPorts: true });
        return start(name, {}, { RestartPolicy });
      }),
    );
    const always = { RestartPolicy: POLICIES.always };
    const linked = async () => {
      // No name that may be the beginning of an id: that would count first.
      await start("store", { ExposedPorts: { "5432/tcp": {} } }, always);
      await start("web", {}, { ...always, Links: ["store:data"] });
      await start("joined", {}, { ...always, NetworkMode: "container:web" });
    };
    const dead = async () => {
      await create("fresh");
      await start("done", { Cmd: ["sh", "-c", "exit 3"] });
      await start("succeeded", { Cmd: ["true"] }, { RestartPolicy: POLICIES.failure });
      const once = { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 1 } };
      await start("gave-up", { Cmd: ["sh", "-c", "exit 5"] }, once);
      await start("unwanted", {}, always);
      await post("/containers/unwanted/stop?t=10");
      // A policy that 1.2.0 does not know, and one of a container that has never run: clients of today say it all with
      // the creation.
      for (const [name, policy] of [
        ["untried", "always"],
        ["kept", "unless-stopped"],
        ["rests", "unless-stopped"],
      ] as const) {
        const HostConfig = { RestartPolicy: { Name: policy, MaximumRetryCount: 0 } };
        const body = { Image: image, Cmd: ["sh", "-c", SERVE], HostConfig };
        const { Id } = JSON.parse(await post(`/v1.30/containers/create?name=${name}`, body)) as { Id: string };
        ids.add(Id);
        if (name !== "untried") await post(`/containers/${name}/start`);
      }
      await post("/containers/rests/stop?t=10");
    };
    const paused = async () => {
      await start("paused");
      await start("frozen", {}, always);
      for (const name of ["paused", "frozen"]) await post(`/containers/${name}/pause`);
    };
    await Promise.all([...many, linked(), dead(), paused()]);
  }, 300_000);
  afterEach(cleanUp);

  const allUp = async () => {
    for (const name of [...Object.keys(POLICIES).flatMap((policy) => namesOf(policy as Policy)), "web", "store"]) {
      await expect.poll(() => saidUp(name), { timeout: 10_000 }).toBe(1);
    }
    await ended("gave-up", "done", "succeeded");
  };

  test("SIGTERM and a boot: who asked for it runs again, the others ended as their programs wished; -r=false", async () => {
    await allUp();
    const before = await inspectAll();
    await nothingOrphaned(before);
    expect(await end("SIGTERM")).toBe(0);
    // Nothing waits for the next daemon to be taken down.
    expect([markedPids(), runcPids(), [...cgroupIds()]]).toEqual([[], [], []]);
    await expect.poll(() => lines("ip", "-o", "link", "show", "master", "docker0"), { timeout: 10_000 }).toEqual([]);
    expect(await containerRules()).toEqual([]);
    expect(mountedIds()).toEqual([]);
    expect(existsSync(namespacesOf(root))).toBe(false);
    await boot();
    const after = await expectRestored(2, 7);
    expectEnded(after.get("paused"), 7);
    for (const [name, { Id, Volumes }] of before) {
      expect([after.get(name)?.Id, after.get(name)?.Volumes ?? {}]).toEqual([Id, Volumes ?? {}]);
    }

    // The old flag of the daemon: nothing is started again, whatever its policy.
    await end("SIGKILL");
    await boot({ args: ["-r=false"] });
    const still = await inspectAll();
    expect([...still.values()].filter(({ State }) => State.Running)).toEqual([]);
    for (const name of [...namesOf("always"), ...namesOf("failure"), "web"]) expectEnded(still.get(name), -127);
    // They had ended before.
    for (const name of namesOf("no")) expectEnded(still.get(name), 7);
    expect(await saidUp("always-0")).toBe(2);
    await nothingOrphaned(still);
    // The user may: with its name, its port, its volume.
    await post("/containers/always-0/start");
    await expect.poll(() => saidUp("always-0"), { timeout: 10_000 }).toBe(3);
    await nothingOrphaned(await inspectAll());
    await removeEverything();
  });

  // Ninety containers start four times: on a busy machine that takes minutes.
  const long = { timeout: 300_000 };
  test(
    "kill -9 and a boot, also in the middle of the restore: the lost ones are told from the others",
    long,
    async () => {
      await allUp();
      await end("SIGKILL");
      expect(markedPids().length).toBeGreaterThan(4 * EACH);
      await boot();
      const after = await expectRestored(2, -127);
      expectEnded(after.get("paused"), -127);
      for (const name of Object.keys(POLICIES)) expect(await saidUp(`${name}-3`)).toBe(name === "no" ? 1 : 2);

      // Killed while it ends what the one before left, then while it starts what is to run.
      await end("SIGKILL");
      const first = new Set(markedPids());
      await killedWhileBooting(() => markedPids().filter((pid) => first.has(pid)).length < first.size - 5);
      const second = new Set(markedPids());
      await killedWhileBooting(() => markedPids().filter((pid) => !second.has(pid)).length > 10);
      await boot();
      await ended("gave-up");
      const last = await inspectAll();
      for (const name of namesOf("no")) expectEnded(last.get(name), -127);
      for (const policy of ["failure", "failure3", "always"] as const) {
        for (const name of namesOf(policy)) expectRunning(last.get(name));
      }
      for (const name of ["web", "store", "joined", "frozen", "unwanted", "untried", "kept"])
        expectRunning(last.get(name));
      expectEnded(last.get("done"), 3);
      expectEnded(last.get("succeeded"), 0);
      await nothingOrphaned(last);
      await removeEverything();
    },
  );
});

describe.runIf(isRoot)("a daemon of its own", () => {
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "dd-restart-"));
    root = join(dir, "root");
    ids.clear();
    await boot();
    expect((await daemon.docker("pull", image)).code).toBe(0);
  });
  afterEach(cleanUp);

  test("kill -9 before runc has begun: the container does not come to life behind the next daemon's back", async () => {
    await end("SIGTERM");
    const tools = join(dir, "tools");
    mkdirSync(tools);
    const path = process.env["PATH"] ?? "";
    const { stdout: runc } = await run(["sh", "-c", "command -v runc"]);
    writeFileSync(join(tools, "runc"), `#!/bin/sh\nsleep 2\nexec ${runc.trim()} "$@"\n`, { mode: 0o755 });
    await boot({ env: { PATH: `${tools}:${path}` } });
    await create("late");
    const failed = ask(daemon, "POST", "/containers/late/start");
    await expect.poll(runcPids, { timeout: 10_000 }).toHaveLength(1);
    await end("SIGKILL");
    expect((await failed).status).toBe(0);
    await boot();
    expect([runcPids(), markedPids()]).toEqual([[], []]);
    const all = await inspectAll();
    expectEnded(all.get("late"), -127);
    await nothingOrphaned(all);
    await removeEverything();
  });

  test("pauses double from 200 ms on; a stop ends the longest at once", async () => {
    const failing = { Cmd: ["sh", "-c", "echo try; exit 6"] };
    await start("tries", failing, { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 5 } });
    await start("stopped", failing, { RestartPolicy: POLICIES.always });
    const state = async (name: string) => (await parse<Inspected>(`/containers/${name}/json`)).State;
    await expect.poll(async () => (await state("tries")).Running, { timeout: 30_000 }).toBe(false);
    expect(await state("tries")).toMatchObject({ ExitCode: 6, Restarting: false, Pid: 0 });
    const { body } = await ask(daemon, "GET", "/containers/tries/logs?stdout=1&timestamps=1");
    const times = [...body.matchAll(/\[?(\d{4}-\S+Z)\]? try/g)].map(([, time = ""]) => Date.parse(time));
    // A busy machine makes pauses longer, never shorter.
    const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    expect(pauses).toHaveLength(4);
    expect(pauses.map((pause, i) => pause >= 195 * 2 ** i)).toEqual([true, true, true, true]);
    const seen = await events("tries");
    expect(seen.map(({ status }) => status)).toEqual(["create", ...Array(5).fill(["start", "die"]).flat()]);
    const starts = seen.filter(({ status }) => status === "start").map(({ time }) => time);
    expect((starts[4] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(2);

    // By now its pause is of several seconds.
    await expect.poll(async () => (await state("stopped")).Restarting, { timeout: 30_000 }).toBe(true);
    const began = performance.now();
    await post("/containers/stopped/stop");
    expect(await state("stopped")).toMatchObject({ Running: false, Restarting: false, ExitCode: 6 });
    const took = performance.now() - began;
    const runs = (await events("stopped")).filter(({ status }) => status === "start").length;
    expect(took).toBeLessThan(100 * 2 ** runs);
    expect((await events("stopped")).at(-1)?.status).toBe("stop");
    await removeEverything();
  });
});

/** What has happened to a container so far; times in seconds. */
async function events(name: string): Promise<{ status: string; time: number }[]> {
  const { Id } = await parse<Inspected>(`/containers/${name}/json`);
  const until = Math.floor(Date.now() / 1000) + 1;
  const { body } = await ask(daemon, "GET", `/events?since=1&until=${until}`);
  const all = body
    .replace(/\}\s*\{/g, "}\n{")
    .split("\n")
    .filter(Boolean);
  return all
    .map((line) => JSON.parse(line) as { status: string; time: number; id: string })
    .filter(({ id }) => id === Id);
}

/** Boots a daemon and kills it as soon as the moment has come, however long the machine takes to get there. */
async function killedWhileBooting(moment: () => boolean): Promise<void> {
  const pidOf = () => Number(readFileSync(join(root, ".drydock"), "utf8"));
  const before = pidOf();
  let over: string | undefined;
  const failed = startDaemon({ netns, root }).then(
    async (up) => {
      gone.push(up);
      await up.end("SIGKILL");
      over = "the daemon was up before anybody killed it";
    },
    (cause: unknown) => {
      over = String(cause);
    },
  );
  const isBooting = () => pidOf() > 0 && pidOf() !== before;
  while (over === undefined && !(isBooting() && moment())) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(over).toBeUndefined();
  process.kill(pidOf(), "SIGKILL");
  await failed;
  expect(over).toContain("The daemon did not start (SIGKILL)");
}

/** Removes all containers; nothing of them is left then, in the root or in the kernel. */
async function removeEverything(): Promise<void> {
  const rows = await parse<{ Id: string }[]>("/containers/json?all=1");
  const statuses = await Promise.all(
    rows.map(async ({ Id }) => (await ask(daemon, "DELETE", `/containers/${Id}?force=1&v=1`)).status),
  );
  expect([...new Set(statuses)]).toEqual([204]);
  await expect.poll(() => traces(daemon, root, ids), { timeout: 10_000 }).toEqual([]);
  expect([await containerRules(), markedPids()]).toEqual([[], []]);
}
