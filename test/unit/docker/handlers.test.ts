/**
 * How the engine's table of handlers grows while the daemon boots, and what of 1.2.0's 50 names is there by now.
 */

import { expect, test } from "vitest";
import { register } from "../../../src/builtins/builtins.ts";
import { Daemon, type DaemonParts } from "../../../src/daemon/daemon.ts";
import { Engine, type Installer } from "../../../src/engine/engine.ts";
import { TagStore } from "../../../src/graph/tags.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import type { Links } from "../../../src/host/net.ts";
import { Logger } from "../../../src/pkg/log/log.ts";

/** 1.2.0's names, by who registers them, in the order of booting. */
const CATALOGUE = {
  engine: ["commands"],
  builtins: [
    "init_networkdriver",
    "serveapi",
    "acceptconnections",
    "events",
    "log",
    "subscribers_count",
    "version",
    "auth",
    "search",
  ],
  bridge: ["allocate_interface", "release_interface", "allocate_port", "link"],
  daemon: [
    "attach",
    "build",
    "commit",
    "container_changes",
    "container_copy",
    "container_inspect",
    "containers",
    "create",
    "delete",
    "export",
    "info",
    "kill",
    "logs",
    "pause",
    "resize",
    "restart",
    "start",
    "stop",
    "top",
    "unpause",
    "wait",
    "image_delete",
  ],
  graph: [
    "image_set",
    "image_tag",
    "tag",
    "image_get",
    "image_inspect",
    "image_tarlayer",
    "image_export",
    "history",
    "images",
    "viz",
    "load",
    "import",
    "pull",
    "push",
  ],
} as const;

/** What later parts of the engine bring: this list only ever gets shorter. */
const MISSING = {
  builtins: [],
  daemon: [],
  graph: [],
};

function fake(names: readonly string[]): Installer {
  return {
    install(eng) {
      for (const name of names) eng.register(name, () => undefined);
    },
  };
}

/** A machine whose bridge exists, and where rules can be set. */
function machine() {
  const docker0 = { index: 3, name: "docker0", up: true, mtu: 1500, mac: "02:00:00:00:00:01", master: 0, alias: "" };
  const links: Partial<Links> = {
    list: () => [docker0],
    addresses: () => [{ index: 3, address: "172.17.42.1", prefix: 16 }],
    routes: () => [],
    remove: () => undefined,
    close: () => undefined,
  };
  const host = memoryHost({ net: { links: () => links as Links }, exec: { iptables: {}, "iptables-restore": {} } });
  return { host, log: new Logger(host) };
}

/** The daemon as it would be, with nothing in it. */
function emptyDaemon({ host, log }: ReturnType<typeof machine>, eng: Engine): Daemon {
  const repositories = { install: (engine: Engine) => TagStore.prototype.install.call({} as TagStore, engine) };
  return new Daemon({ config: { root: "/" }, eng, host, log, repositories } as unknown as DaemonParts);
}

test("the table of handlers grows 1, 10, 14, 36, 50", () => {
  const eng = new Engine(memoryHost());
  const sizes = [eng.commands().length];
  for (const part of ["builtins", "bridge", "daemon", "graph"] as const) {
    fake(CATALOGUE[part]).install(eng);
    sizes.push(eng.commands().length);
  }
  expect(sizes).toEqual([1, 10, 14, 36, 50]);
});

test("the real parts register all names of 1.2.0 but those of later chapters, and no others", async () => {
  const world = machine();
  const eng = new Engine(world.host);
  eng.logging = false;
  const found: Record<string, string[]> = { engine: eng.commands() };
  const grown = (part: string) => {
    const before = new Set(Object.values(found).flat());
    found[part] = eng.commands().filter((name) => !before.has(name));
  };
  register(eng, world.host, world.log);
  grown("builtins");
  await eng.job("init_networkdriver").run();
  grown("bridge");
  emptyDaemon(world, eng).install(eng);
  grown("daemon and graph");

  const without = (names: readonly string[], gone: readonly string[]) =>
    names.filter((name) => !gone.includes(name)).sort();
  expect(found).toEqual({
    engine: ["commands"],
    builtins: without(CATALOGUE.builtins, MISSING.builtins),
    bridge: [...CATALOGUE.bridge].sort(),
    "daemon and graph": [
      ...without(CATALOGUE.daemon, MISSING.daemon),
      ...without(CATALOGUE.graph, MISSING.graph),
    ].sort(),
  });
});

test("init_networkdriver registers nothing when there is to be no bridge", async () => {
  const { host, log } = machine();
  const eng = new Engine(host);
  eng.logging = false;
  register(eng, host, log);
  const before = eng.commands();
  const job = eng.job("init_networkdriver");
  job.setenv("BridgeIface", "none");
  await job.run();
  expect(eng.commands()).toEqual(before);
});

test("Daemon.install() leaves the daemon where other parts find it, and refuses a second time", () => {
  const world = machine();
  const eng = new Engine(world.host);
  const daemon = emptyDaemon(world, eng);
  daemon.install(eng);
  expect(eng.hackGetGlobalVar("httpapi.daemon")).toBe(daemon);
  expect(() => daemon.install(eng)).toThrow(`Can't overwrite handler for command`);
});
