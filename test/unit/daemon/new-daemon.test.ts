import { expect, test } from "vitest";
import type { DaemonConfig } from "../../../src/daemon/config.ts";
import type { GraphDriver } from "../../../src/daemon/graphdriver/driver.ts";
import { newDaemon } from "../../../src/daemon/new-daemon.ts";
import { Engine } from "../../../src/engine/engine.ts";
import { type MemoryHost, memoryHost } from "../../../src/host/memory/memory.ts";
import { newSqliteConn } from "../../../src/pkg/graphdb/conn-sqlite3.ts";
import { Logger } from "../../../src/pkg/log/log.ts";
import { daemonConfig, FakeExecDriver, FakeGraphDriver } from "./fixture.ts";

async function boot(given: { config?: Partial<DaemonConfig>; host?: MemoryHost } = {}) {
  const host = given.host ?? memoryHost({ files: { "/etc/resolv.conf": "nameserver 10.0.0.1\n", "/run/x": "" } });
  const eng = new Engine(host);
  eng.logging = false;
  const config = daemonConfig({ root: "/data/docker", ...given.config });
  const daemon = await newDaemon(config, eng, host, new Logger(host), {
    openGraph: () => newSqliteConn(":memory:", host),
    graphDriver: async () => new FakeGraphDriver(host.fs) as unknown as GraphDriver,
    execDriver: async () => new FakeExecDriver(),
  });
  return { daemon, eng, host, config };
}

test("newDaemon() makes its directories, marks the root as its own, and writes its pid", async () => {
  const { host, eng } = await boot();
  expect((await host.fs.readdir("/data/docker")).sort()).toEqual([
    ...[".drydock", "containers", "graph", "repositories-vfs", "tmp", "volumes"],
  ]);
  expect(await host.fs.readFile("/run/docker.pid", "utf8")).toBe(String(host.machine.pid));
  expect(host.env["TMPDIR"]).toBe("/data/docker/tmp");
  expect(host.stdout.text).toBe("[info] Loading containers: \n[info] : done.\n");
  expect(host.stderr.lines).toEqual([expect.stringContaining("WARNING: mountpoint for memory not found")]);
  await eng.shutdown();
  await expect(host.fs.stat("/run/docker.pid")).rejects.toMatchObject({ code: "ENOENT" });
});

test("newDaemon() leaves no pid file behind when the engine is shut down before or while it is written", async () => {
  for (const early of [true, false]) {
    const host = memoryHost({ files: { "/etc/resolv.conf": "nameserver 10.0.0.1\n", "/run/x": "" } });
    const eng = new Engine(host);
    eng.logging = false;
    const start = () => newDaemon(daemonConfig({ root: "/data/docker" }), eng, host, new Logger(host));
    const shutdown = early ? eng.shutdown() : undefined;
    const booting = start().catch((cause: Error) => cause.message);
    await (shutdown ?? eng.shutdown());
    expect(await host.fs.readdir("/run")).toEqual(["x"]);
    if (early) expect(await booting).toBe("Cannot boot: the engine is shut down");
  }
});

test("newDaemon() installs the jobs of containers once", async () => {
  const { daemon, eng } = await boot();
  daemon.install(eng);
  for (const name of ["create", "start", "wait", "containers", "info", "image_delete"]) {
    expect(eng.commands()).toContain(name);
  }
  expect(() => daemon.install(eng)).toThrow(/^Could not register "attach": /);
});

test("newDaemon() adapts to a user who is not root, and says so once", async () => {
  const files = { "/etc/resolv.conf": "nameserver 10.0.0.1\n", "/run/x": "" };
  const host = memoryHost({ files, machine: { uid: 1000 } });
  const { config } = await boot({ host, config: { bridgeIface: "", graphDriver: "overlay" } });
  expect([config.graphDriver, config.execDriver, config.bridgeIface]).toEqual(["vfs", "dry", "none"]);
  expect(host.stdout.text.match(/Not running as root/g)).toHaveLength(1);
});

test("newDaemon() refuses other systems, contradictions and a root that is in use", async () => {
  const mac = memoryHost({ files: { "/run/x": "" }, machine: { os: "darwin" } });
  await expect(boot({ host: mac })).rejects.toThrow("The Docker daemon is only supported on linux");
  await expect(boot({ config: { bridgeIP: "10.0.0.1/24" } })).rejects.toThrow("You specified -b & --bip");
  const used = memoryHost({ files: { "/etc/resolv.conf": "", "/data/docker/.drydock": "9\n", "/run/x": "" } });
  used.kernel.lockFile = () => false;
  await expect(boot({ host: used })).rejects.toThrow(
    "Cannot use /data/docker: in use by another daemon (pid 9). Use -g",
  );
});

test("newDaemon() takes public name servers when the host's is local, and fails without resolv.conf", async () => {
  const { config, host } = await boot({
    host: memoryHost({ files: { "/etc/resolv.conf": "nameserver 127.0.0.1\n", "/run/x": "" } }),
  });
  expect(config.dns).toEqual(["8.8.8.8", "8.8.4.4"]);
  expect(host.stdout.text).toContain("Using default external servers : [8.8.8.8 8.8.4.4]");
  await expect(boot({ host: memoryHost({ files: { "/run/x": "" } }) })).rejects.toThrow("ENOENT");
});

test("newDaemon() empties its own temporary directory", async () => {
  const host = memoryHost({
    files: {
      "/etc/resolv.conf": "nameserver 10.0.0.1\n",
      "/run/x": "",
      "/data/docker/.drydock": "",
      "/data/docker/tmp/old": "",
    },
  });
  await boot({ host });
  expect(await host.fs.readdir("/data/docker/tmp")).toEqual([]);
});

test("newDaemon() asks for runc before it makes anything", async () => {
  const host = memoryHost({ files: { "/etc/resolv.conf": "", "/run/x": "" } });
  const eng = new Engine(host);
  eng.logging = false;
  const booting = newDaemon(daemonConfig({ root: "/data/docker" }), eng, host, new Logger(host));
  await expect(booting).rejects.toThrow("runc is not on PATH. Install it");
  await expect(host.fs.stat("/data")).rejects.toMatchObject({ code: "ENOENT" });
});

test("newDaemon() puts a broken file of names aside", async () => {
  const files = {
    "/etc/resolv.conf": "nameserver 10.0.0.1\n",
    "/run/x": "",
    "/data/docker/.drydock": "",
    "/data/docker/linkgraph.db": "bad",
  };
  const host = memoryHost({ files });
  const eng = new Engine(host);
  eng.logging = false;
  await newDaemon(daemonConfig({ root: "/data/docker" }), eng, host, new Logger(host), {
    openGraph: async (path) => {
      if (await host.fs.stat(path).catch(() => undefined)) throw new Error("file is not a database");
      return newSqliteConn(":memory:", host);
    },
    graphDriver: async () => new FakeGraphDriver(host.fs) as unknown as GraphDriver,
    execDriver: async () => new FakeExecDriver(),
  });
  expect(await host.fs.readFile("/data/docker/linkgraph.db.corrupt", "utf8")).toBe("bad");
  expect(host.stderr.text).toContain(
    "Cannot read /data/docker/linkgraph.db: file is not a database; it is kept as /data/docker/linkgraph.db.corrupt",
  );
  await eng.shutdown();
});
