import { expect, test } from "vitest";
import { restore } from "../../../src/daemon/restore.ts";
import { claimRoot, makeRoot } from "../../../src/daemon/root.ts";
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

test("restore() writes down who was lost before it ends them: a crash in between does not hide it", async () => {
  const before = await fixture();
  const id = await before.create(
    { HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 0 } } },
    "web",
  );
  const after = await reboot(before);
  // It runs, though the daemon before did not come to say so.
  after.exec.left = [id];
  let known: unknown;
  after.exec.terminate = async () => {
    known = JSON.parse(await after.host.fs.readFile(`/root/containers/${id}/config.json`, "utf8"));
    throw new Error("crash");
  };
  await restore(after.daemon);
  expect(known).toMatchObject({ State: { Running: false, ExitCode: -127 } });
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

test("restore() starts what is to run unless its user stopped it: after a crash, and after an end in good order", async () => {
  const policy = { HostConfig: { RestartPolicy: { Name: "unless-stopped", MaximumRetryCount: 0 } } };
  const before = await fixture();
  await before.create(policy, "fresh");
  for (const name of ["lost", "ended", "stopped", "pausing", "again"]) {
    const { process } = await before.start(policy, name);
    process.onSignal = () => process.exit(0);
  }
  await before.run("stop", ["stopped"], { t: 1 });
  await before.run("stop", ["again"], { t: 1 });
  await before.run("start", ["again"]);
  before.exec.running.get(before.daemon.mustGet("pausing").id)?.exit(3);
  await settle();
  await before.run("stop", ["pausing"], { t: 1 });
  await settle();
  const running = ({ daemon }: Fixture) =>
    daemon
      .list()
      .filter(({ state }) => state.running)
      .map(({ name }) => name)
      .sort();
  const crashed = await reboot(before);
  await restore(crashed.daemon);
  expect(running(crashed)).toEqual(["/again", "/ended", "/lost"]);
  for (const process of crashed.exec.running.values()) process.onSignal = () => process.exit(0);
  await shutdown(crashed.daemon);
  expect(running(crashed)).toEqual([]);
  const after = await reboot(crashed);
  await restore(after.daemon);
  expect(running(after)).toEqual(["/again", "/ended", "/lost"]);
});

test("restore() starts a container after those it is linked to, and after the one whose network it joins", async () => {
  const before = await fixture();
  const always = (name: string, more: object = {}) =>
    before.create({ HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 }, ...more } }, name);
  const [shares, web, api, db] = [
    await always("a-shares", { NetworkMode: "container:m-api" }),
    await always("b-web"),
    await always("m-api"),
    await always("z-db"),
  ];
  const after = await reboot(before);
  after.eng.register("link", () => undefined);
  after.daemon.containerGraph.set("/b-web/api", api);
  after.daemon.containerGraph.set("/m-api/db", db);
  await restore(after.daemon);
  expect(after.exec.processes.map(({ command }) => command.id)).toEqual([db, api, shares, web]);
});

test("restore() goes on where links go round in a circle", async () => {
  const before = await fixture();
  const always = { HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } } };
  const [a, b] = [await before.create(always, "a"), await before.create(always, "b")];
  const free = await before.create(always, "free");
  const after = await reboot(before);
  after.daemon.containerGraph.set("/a/b", b);
  after.daemon.containerGraph.set("/b/a", a);
  await restore(after.daemon);
  expect(after.exec.processes.map(({ command }) => command.id)).toEqual([free]);
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

test("claimRoot() says what to do when the root cannot be written", async () => {
  const host = memoryHost({ files: { "/mine": null } });
  const error = Object.assign(new Error("EROFS: read-only file system, open '/mine/.drydock'"), { code: "EROFS" });
  const readOnly = { ...host, fs: { ...host.fs, open: () => Promise.reject(error) } as typeof host.fs };
  await expect(claimRoot("/mine", readOnly)).rejects.toThrow(
    "Cannot use /mine: read-only file system. Choose another directory: use -g",
  );
});

test("makeRoot() makes what is missing above, and ends where a name cannot be made", async () => {
  const host = memoryHost({ files: { "/file": "", "/proc": null } });
  await makeRoot("/a/b/c", host);
  await makeRoot("/a/b/c", host);
  expect((await host.fs.stat("/a/b/c")).isDirectory()).toBe(true);
  await expect(makeRoot("/file", host)).rejects.toThrow(
    "Unable to get the full path to root (/file): mkdir /file: file exists",
  );
  // As /proc does: the parent is there, the name cannot be.
  const missing = Object.assign(new Error("ENOENT: no such file or directory, mkdir '/proc/x'"), { code: "ENOENT" });
  const proc = { fs: { ...host.fs, mkdir: () => Promise.reject(missing) } as typeof host.fs };
  await expect(makeRoot("/proc/x", proc)).rejects.toThrow("mkdir /proc/x: no such file or directory. Choose another");
});

test("restore() removes files that were not written to their end", async () => {
  const before = await fixture();
  const id = await before.create({}, "web");
  const path = `/root/containers/${id}`;
  const names = await before.host.fs.readdir(path);
  for (const name of ["config.json.tmp", "hostconfig.json.tmp"]) await before.host.fs.writeFile(`${path}/${name}`, "{");
  await restore((await reboot(before)).daemon);
  expect(await before.host.fs.readdir(path)).toEqual(names);
});

test("restore() gives containers their names again when the names were lost", async () => {
  const before = await fixture();
  const [web, db] = [await before.create({}, "web"), await before.create({}, "db")];
  const after = await fixture({ host: before.host });
  await restore(after.daemon);
  expect([after.daemon.mustGet("web").id, after.daemon.mustGet("db").id]).toEqual([web, db]);
});

test("restore() removes volumes that never reached their container, and keeps all others", async () => {
  const before = await fixture();
  const { daemon, host } = before;
  const { process } = await before.start({ Volumes: { "/data": {} } }, "web");
  const web = daemon.mustGet("web");
  const removed = await before.create({}, "removed");
  const ofRemoved = await daemon.volumes.create(removed);
  await before.run("delete", [removed]);
  process.exit(0);
  await settle();
  // Killed while it started: made, but not written down in the container.
  const lost = await daemon.volumes.create(web.id);
  // Killed while it was removed: the content goes first.
  const halfGone = await daemon.volumes.create(removed);
  await host.fs.rm(halfGone, { recursive: true });
  const ids = [Object.values(web.volumes ?? {})[0] ?? "", ofRemoved].map((path) => path.split("/").at(-1)).sort();

  const after = await reboot(before);
  await restore(after.daemon);
  expect(await host.fs.stat(lost).catch(() => "gone")).toBe("gone");
  expect((await host.fs.readdir("/root/volumes")).sort()).toEqual(ids);
  expect((await host.fs.readdir("/root/vfs/dir")).sort()).toEqual(ids);
});

test("restore() finishes a removal with volumes, but for those that others use", async () => {
  const before = await fixture();
  const { daemon, host } = before;
  const { id, process } = await before.start({ Volumes: { "/own": {}, "/shared": {} } }, "going");
  const going = daemon.mustGet("going").volumes ?? {};
  const other = await before.start({}, "staying");
  const staying = daemon.mustGet("staying");
  staying.volumes = { "/s": going["/shared"] ?? "" };
  process.exit(0);
  other.process.exit(0);
  await settle();
  await host.fs.rename(`/root/containers/${id}`, `/root/containers/${id}.volumes.removing`);

  const after = await reboot(before);
  await restore(after.daemon);
  expect(await host.fs.readdir("/root/containers")).toEqual([staying.id]);
  expect(await host.fs.readdir("/root/vfs/dir")).toEqual([(going["/shared"] ?? "").split("/").at(-1)]);
});

test("delete frees the layers before it writes the names, and a name that stays is taken over", async () => {
  const f = await fixture();
  const id = await f.create({}, "web");
  const { containerGraph } = f.daemon;
  const purge = containerGraph.purge.bind(containerGraph);
  let layersThen: string[] = [];
  containerGraph.purge = () => {
    layersThen = [...f.driver.layers.keys()].filter((layer) => layer.startsWith(id));
    throw new Error("no space left on device");
  };
  await expect(f.run("delete", ["web"])).rejects.toThrow("no space left on device");
  expect(layersThen).toEqual([]);
  expect(await f.host.fs.readdir("/root/containers")).toEqual([]);
  containerGraph.purge = purge;
  expect(f.daemon.get("web")).toBeUndefined();
  const again = await f.create({}, "web");
  expect(f.daemon.mustGet("web").id).toBe(again);
});

test("create leaves nothing on a full disk, and its error is the first one", async () => {
  const f = await fixture();
  const full = new Error("no space left on device");
  f.daemon.containerGraph.purge = () => {
    throw new Error("purge failed too");
  };
  f.driver.create = () => Promise.reject(full);
  await expect(f.create({}, "web")).rejects.toThrow("no space left on device");
  expect(await f.host.fs.readdir("/root/containers")).toEqual([]);
  expect([f.daemon.beingCreated.size, f.host.stderr.text]).toEqual([
    0,
    expect.stringContaining("Cannot release the name"),
  ]);
});
