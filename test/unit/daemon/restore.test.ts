import { expect, test } from "vitest";
import { restore } from "../../../src/daemon/restore.ts";
import { claimRoot } from "../../../src/daemon/root.ts";
import { shutdown } from "../../../src/daemon/shutdown.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { type Fixture, fixture, settle } from "./fixture.ts";

/** A second daemon on the same files, as after a crash of the first. */
async function reboot(before: Fixture): Promise<Fixture> {
  const after = await fixture({ host: before.host });
  for (const [id, parent] of before.driver.layers) await after.driver.create(id, parent);
  for (const { id, fullPath } of before.daemon.containerGraph.children("/", -1))
    after.daemon.containerGraph.set(fullPath, id);
  return after;
}

test("restore() brings back containers with their names and says so", async () => {
  const before = await fixture();
  const id = await before.create({ Cmd: ["echo", "hi"], Env: ["A=1"] }, "web");
  const after = await reboot(before);
  await restore(after.daemon);
  const container = after.daemon.mustGet("web");
  expect(container.toJson(true)).toEqual(before.daemon.mustGet(id).toJson(true));
  expect(after.host.stdout.text).toContain("[info] Loading containers: \n..[info] : done.\n");
});

test("restore() ends what an earlier daemon left running and marks it", async () => {
  const before = await fixture();
  const { id } = await before.start({}, "web");
  await settle();
  const after = await reboot(before);
  await restore(after.daemon);
  expect(after.exec.terminated).toEqual([id]);
  expect(after.daemon.mustGet("web").state).toMatchObject({ running: false, exitCode: -127, pid: 0 });
  const json = JSON.parse(await after.host.fs.readFile(`/root/containers/${id}/config.json`, "utf8"));
  expect(json.State).toMatchObject({ Running: false, ExitCode: -127 });
});

test("restore() starts what is to run always, and what failed on-failure", async () => {
  const before = await fixture();
  await before.create({ HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } } }, "always");
  const failed = await before.start({}, "failed");
  before.daemon.mustGet("failed").hostConfig.RestartPolicy = { Name: "on-failure", MaximumRetryCount: 0 };
  before.daemon.mustGet("failed").monitor?.exitOnNext();
  failed.process.exit(1);
  await settle();
  await before.create({}, "plain");
  const after = await reboot(before);
  await restore(after.daemon);
  expect(
    after.daemon
      .list()
      .filter((c) => c.state.running)
      .map((c) => c.name)
      .sort(),
  ).toEqual(["/always", "/failed"]);
});

test("restore() removes half-made containers, half-removed ones, their layers and their names", async () => {
  const before = await fixture();
  const kept = await before.create({}, "kept");
  const [half, going] = ["a".repeat(64), "b".repeat(64)];
  for (const id of [half, going]) {
    await before.driver.create(`${id}-init`);
    await before.driver.create(id);
    before.daemon.containerGraph.set(`/${id.slice(0, 3)}`, id);
  }
  await before.host.fs.mkdir(`/root/containers/${half}`);
  await before.host.fs.mkdir(`/root/containers/${going}.removing`);
  const after = await reboot(before);
  await restore(after.daemon);
  expect(await after.host.fs.readdir("/root/containers")).toEqual([kept]);
  expect([...after.driver.layers.keys()].filter((id) => id.startsWith(half) || id.startsWith(going))).toEqual([]);
  expect(after.driver.layers.has(`${kept}-init`)).toBe(true);
  expect(after.daemon.containerGraph.entities()).toEqual([kept]);
});

test("restore() keeps what it cannot read, and goes on", async () => {
  const before = await fixture();
  const bad = await before.create({}, "bad");
  const good = await before.create({}, "good");
  await before.host.fs.writeFile(`/root/containers/${bad}/config.json`, "{");
  const after = await reboot(before);
  await restore(after.daemon);
  expect(after.daemon.list().map((c) => c.id)).toEqual([good]);
  expect(after.host.stderr.text).toContain(`Failed to load container ${bad}: `);
  expect(after.driver.layers.has(bad)).toBe(true);
  expect(await after.host.fs.readdir("/root/containers")).toContain(bad);
});

test("restore() leaves containers of another storage driver alone", async () => {
  const before = await fixture();
  const id = await before.create({}, "web");
  const path = `/root/containers/${id}/config.json`;
  const json = JSON.parse(await before.host.fs.readFile(path, "utf8"));
  await before.host.fs.writeFile(path, JSON.stringify({ ...json, Driver: "aufs" }));
  const after = await reboot(before);
  await restore(after.daemon);
  expect([after.daemon.containers.size, after.daemon.containerGraph.get("/web")]).toEqual([0, id]);
});

test("shutdown() asks every container, and kills what does not listen", async () => {
  const f = await fixture();
  const polite = await f.start({}, "polite");
  const deaf = await f.start({ HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } } }, "deaf");
  polite.process.onSignal = () => polite.process.exit(0);
  await f.host.fs.mkdir(f.daemon.netnsRoot, { recursive: true });
  const ending = shutdown(f.daemon);
  await settle();
  expect([polite.process.signals, deaf.process.signals]).toEqual([[15], [15]]);
  await f.host.clock.advance(7500);
  await settle();
  expect(deaf.process.signals).toEqual([15, 9]);
  await ending;
  expect(f.daemon.list().some((c) => c.state.running)).toBe(false);
  expect(await f.host.fs.readdir("/run/drydock")).toEqual([]);
});

test("claimRoot() marks a new root and refuses another engine's", async () => {
  const host = memoryHost({ files: { "/theirs/image/x": "", "/old/linkgraph.db": "" } });
  await claimRoot("/mine", host);
  await claimRoot("/mine", host).catch(() => undefined);
  expect(await host.fs.readdir("/mine")).toEqual([".drydock"]);
  await expect(claimRoot("/theirs", host)).rejects.toThrow(
    "Cannot use /theirs: another engine has written there (image). Choose another directory: use -g",
  );
  await expect(claimRoot("/old", host)).rejects.toThrow("use -g");
});

test("claimRoot() names the owner of a root that is in use", async () => {
  const host = memoryHost({ files: { "/mine/.drydock": "4711\n" } });
  host.kernel.lockFile = () => false;
  await expect(claimRoot("/mine", host)).rejects.toThrow(
    "Cannot use /mine: in use by another daemon (pid 4711). Use -g",
  );
});
