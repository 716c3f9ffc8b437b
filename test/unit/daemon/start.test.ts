import { expect, test } from "vitest";
import { createDaemonEnvironment } from "../../../src/daemon/environment.ts";
import { isLocalDns } from "../../../src/daemon/local-dns.ts";
import { parsePs } from "../../../src/daemon/top.ts";
import { parseBindVolumeSpec } from "../../../src/daemon/volumes.ts";
import { newConfig } from "../../../src/runconfig/from-json.ts";
import { fixture } from "./fixture.ts";

test("start gives the driver the whole command", async () => {
  const { start, daemon } = await fixture();
  const { id, process } = await start(
    { Cmd: ["sh", "-c", "x"], Env: ["A=1", "PATH=/mine"], User: "nobody", Hostname: "h", Memory: 1 << 20, Cpuset: "0" },
    "web",
  );
  expect(process.command).toMatchObject({
    id,
    rootfs: `/layers/${id}`,
    entrypoint: "sh",
    args: ["-c", "x"],
    env: ["PATH=/mine", "HOSTNAME=h", "A=1"],
    user: "nobody",
    tty: false,
    network: { kind: "none" },
    resources: { memory: 1 << 20, memorySwap: 0, cpuShares: 0, cpuset: "0" },
    privileged: false,
  });
  expect(process.command.mounts.map((m) => [m.source, m.destination, m.writable, m.private])).toEqual([
    [`/root/containers/${id}/resolv.conf`, "/etc/resolv.conf", true, true],
    [`/root/containers/${id}/hostname`, "/etc/hostname", true, true],
    [`/root/containers/${id}/hosts`, "/etc/hosts", true, true],
  ]);
  expect(daemon.mustGet(id).resolvConfPath).toBe(`/root/containers/${id}/resolv.conf`);
});

test("start writes hosts, hostname and resolv.conf", async () => {
  const { start, host } = await fixture({ config: { dns: ["9.9.9.9"] } });
  const { id } = await start({ Hostname: "h", Domainname: "d.e" });
  const read = (name: string) => host.fs.readFile(`/root/containers/${id}/${name}`, "utf8");
  expect(await read("hostname")).toBe("h.d.e\n");
  expect(await read("hosts")).toContain("127.0.1.1\th.d.e h\n");
  expect(await read("resolv.conf")).toBe("nameserver 9.9.9.9\nsearch a.b\n");
});

test("start mounts binds, makes their sources and mount points, and keeps read-only ones so", async () => {
  const { create, run, exec, host, daemon } = await fixture();
  const id = await create();
  await host.fs.mkdir("/data");
  const next = exec.next();
  await run("start", [id], { Binds: ["/data:/d:ro", "/new/dir:/e"] });
  const { command } = await next;
  expect(command.mounts.slice(3)).toEqual([
    { source: "/data", destination: "/d", writable: false, private: false },
    { source: "/new/dir", destination: "/e", writable: true, private: false },
  ]);
  expect((await host.fs.stat("/new/dir")).isDirectory()).toBe(true);
  expect((await host.fs.stat(`/layers/${id}/d`)).isDirectory()).toBe(true);
  expect(daemon.mustGet(id).volumesRW).toEqual({ "/d": false, "/e": true });
});

test("start never follows a link of the image out of its root", async () => {
  const { create, run, host, driver } = await fixture();
  const id = await create({ WorkingDir: "/out/work" });
  await host.fs.symlink("/../../../etc", `/layers/${id}/out`);
  await host.fs.mkdir("/data");
  await run("start", [id], { Binds: ["/data:/out/bind"] });
  expect((await host.fs.stat(`/layers/${id}/etc/bind`)).isDirectory()).toBe(true);
  expect((await host.fs.stat(`/layers/${id}/etc/work`)).isDirectory()).toBe(true);
  expect(await host.fs.readdir("/etc")).toEqual(["resolv.conf"]);
  expect(driver.mounted.get(id)).toBe(1);
});

test("start makes the image's volumes, fills them, and shares them by VolumesFrom", async () => {
  const { create, start, run, exec, host, daemon } = await fixture();
  const id = await create({ Volumes: { "/data": {} } }, "own");
  await host.fs.mkdir(`/layers/${id}/data`, { recursive: true });
  await host.fs.writeFile(`/layers/${id}/data/file`, "content");
  const next = exec.next();
  await run("start", ["own"]);
  const source = (await next).command.mounts.at(-1)?.source ?? "";
  expect(source).toMatch(/^\/root\/vfs\/dir\/[0-9a-f]{64}$/);
  expect(await host.fs.readFile(`${source}/file`, "utf8")).toBe("content");
  const other = await start({ HostConfig: { VolumesFrom: ["own:ro"] } }, "other");
  expect(other.process.command.mounts.at(-1)).toEqual({
    source,
    destination: "/data",
    writable: false,
    private: false,
  });
  await run("delete", ["own"], { forceRemove: true, removeVolume: true });
  expect(daemon.volumes.ids()).toHaveLength(1);
  await run("delete", ["other"], { forceRemove: true, removeVolume: true });
  expect(daemon.volumes.ids()).toEqual([]);
});

test.each([
  [{ Binds: ["rel:/d"] }, "cannot bind mount volume: rel volume paths must be absolute."],
  [{ Binds: ["/a:/b:ro:x"] }, "Invalid volume specification: /a:/b:ro:x"],
  [{ Binds: ["/a:/"] }, "Illegal bind destination: /"],
  [{ VolumesFrom: ["nope"] }, "Container nope not found. Impossible to mount its volumes"],
  [{ VolumesFrom: ["web:xx"] }, "Malformed volumes-from specification: web:xx"],
  [{ NetworkMode: "container:nope" }, "no such container to join network: nope"],
  [{ NetworkMode: "weird" }, "invalid network mode: weird"],
])("start with %j fails, and gives the mount back", async (hostConfig, message) => {
  const { create, run, driver } = await fixture();
  const id = await create({}, "web");
  await expect(run("start", ["web"], hostConfig)).rejects.toThrow(`Cannot start container web: ${message}`);
  expect(driver.mounted.has(id)).toBe(false);
});

test("start takes any path for a volume, and leaves none where that cannot be", async () => {
  const f = await fixture();
  const paths = ["__proto__", "constructor", "/a"];
  const Volumes = Object.fromEntries(paths.map((path) => [path, {}]));
  const { id } = await f.start({ Volumes }, "odd");
  expect(Object.keys(f.daemon.mustGet(id).volumes ?? {}).sort()).toEqual([...paths].sort());
  const made = f.daemon.volumes.ids().length;
  expect(made).toBe(3);

  const failing = await f.create({ Volumes: { "/b": {} } }, "failing");
  const { readdir } = f.host.fs;
  f.host.fs.readdir = (() => Promise.reject(new Error("no space left on device"))) as unknown as typeof readdir;
  await expect(f.run("start", [failing])).rejects.toThrow("no space left on device");
  f.host.fs.readdir = readdir;
  expect([f.daemon.volumes.ids().length, f.daemon.mustGet(failing).volumes]).toEqual([made, {}]);
});

test("start links only to containers that run", async () => {
  const { create, run, start, daemon } = await fixture();
  await start({ ExposedPorts: { "80/tcp": {} }, Env: ["PW=x"] }, "child");
  await create({}, "stopped");
  await create({}, "web");
  await expect(run("start", ["web"], { Links: ["nope:x"] })).rejects.toThrow("Could not find entity for nope");
  await expect(run("start", ["web"], { Links: ["web:self"] })).rejects.toThrow("Cannot set self as child");
  daemon.eng.register("link", () => undefined);
  await run("start", ["web"], { Links: ["child:db"] });
  expect(JSON.parse(await run("container_inspect", ["web"])).HostConfig.Links).toEqual(["/child:/web/db"]);
  expect(daemon.mustGet("web").command?.env).toContain("DB_ENV_PW=x");
  expect(daemon.get("web/db")?.name).toBe("/child");
  await create({}, "other");
  await expect(run("start", ["other"], { Links: ["stopped:x"] })).rejects.toThrow(
    "Cannot start container other: Cannot link to a non running container: /stopped AS /other/x",
  );
  await run("delete", ["web/db"], { removeLink: true });
  expect(daemon.get("web/db")).toBeUndefined();
});

test("createDaemonEnvironment() puts the user's values in the place of the defaults", () => {
  const config = newConfig({ Hostname: "h", Tty: true, Env: ["TERM=vt100", "X=1", "DB_NAME=/mine"] });
  expect(createDaemonEnvironment(config, ["DB_NAME=/web/db"])).toEqual([
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOSTNAME=h",
    "TERM=vt100",
    "DB_NAME=/mine",
    "X=1",
  ]);
});

test.each([
  ["/a:/b", true],
  ["/a:/b:rw", true],
  ["/a:/b:RW", true],
  ["/a:/b:ro", false],
  ["/a:/b:rw,z", true],
  ["/a:/b:ro,z", false],
  ["/a:/b:bogus", false],
])("parseBindVolumeSpec() of %s: writable is %s", (spec, writable) => {
  expect(parseBindVolumeSpec(spec)).toEqual({ hostPath: "/a", volPath: "/b", writable });
});

test.each([
  ["nameserver 127.0.0.1\n", true],
  ["# nameserver 8.8.8.8\nnameserver 127.0.1.1", true],
  ["nameserver 10.0.0.1\nnameserver 127.0.0.1\n", false],
  ["search a\n", true],
])("isLocalDns() of %j is %s", (text, local) => {
  expect(isLocalDns(text)).toBe(local);
});

test("parsePs() picks the rows of the container and joins what is too much", () => {
  const text = "UID PID CMD\nroot 7 sh -c a b\nroot 8 other\n";
  expect(parsePs(text, new Set([7]))).toEqual({
    titles: ["UID", "PID", "CMD"],
    processes: [["root", "7", "sh -c a b"]],
  });
  expect(() => parsePs("A B\n", new Set())).toThrow("Couldn't find PID field in ps output");
});
