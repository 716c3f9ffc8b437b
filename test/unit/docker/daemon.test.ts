import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type DaemonParts, mainDaemon } from "../../../src/docker/daemon.ts";
import { installDockerFlags } from "../../../src/docker/flags.ts";
import type { Engine } from "../../../src/engine/engine.ts";
import type { Job } from "../../../src/engine/job.ts";
import { memoryHost, tee } from "../../../src/host/memory/memory.ts";
import { Logger } from "../../../src/pkg/log/log.ts";
import { FlagSet } from "../../../src/pkg/mflag/mflag.ts";
import { deferred } from "../../../src/sync/deferred.ts";
import { BufferWriter } from "../../../src/sync/io.ts";

/** A daemon of fakes, started with these arguments. */
function start(args: string[], replace: Partial<DaemonParts> = {}) {
  const host = memoryHost();
  const both = new BufferWriter();
  tee(host, both);
  const log = new Logger(host);
  const set = new FlagSet("docker", "continue", { stderr: host.stderr, exit: (code) => host.signals.exit(code) });
  const flags = installDockerFlags(set, { HOME: "/root" });
  set.parse(args);
  const world: { eng?: Engine; serveapi?: Job } = {};
  const closed = deferred();
  const parts: DaemonParts = {
    register(eng) {
      world.eng = eng;
      eng.register("init_networkdriver", (job) => {
        job.logf("creating new bridge for docker0");
        job.logf("getting iface addr");
      });
      eng.register("serveapi", (job) => {
        world.serveapi = job;
        log.info(`Listening for HTTP on unix (${job.args[0]?.slice(7)})`);
        return closed.promise;
      });
      eng.register("acceptconnections", () => undefined);
    },
    async newDaemon(_config, eng) {
      await eng.job("init_networkdriver").run();
      log.info("Loading containers: ");
      log.raw("..");
      log.info(": done.");
      return { install: (engine) => engine.register("containers", () => undefined) };
    },
    ...replace,
  };
  const done = mainDaemon(flags, host, log, set, parts);
  done.catch(() => undefined);
  const lines = () =>
    both
      .toString()
      .replaceAll(String(world.eng), "<engine>")
      .replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/gm, "<time>")
      .split("\n")
      .filter((line) => line !== "");
  return { host, world, done, lines, closed };
}

/** The original's log of a boot without `-D`, up to where it serves. */
const recorded = readFileSync(new URL("../../golden/records/boot-log.txt", import.meta.url), "utf8")
  .split("# the same without -D")[1]!
  .split("\n")
  .slice(1, 12)
  .filter((line) => !line.startsWith("#"));

test("mainDaemon() writes the lines of the original's boot, in the order of each of its two threads", async () => {
  const { host, lines } = start(["-H", "unix:///var/run/docker.sock", "-s", "vfs"]);
  await host.clock.advance(0);
  expect([...lines()].sort()).toEqual([...recorded].sort());
  const loader = (all: readonly string[]) =>
    all.filter((line) => /init_networkdriver|oading|done|acceptconn/.test(line));
  const main = (all: readonly string[]) => all.filter((line) => /daemon:|serveapi|Listening/.test(line));
  expect([loader(lines()), main(lines())]).toEqual([loader(recorded), main(recorded)]);
});

test("mainDaemon() serves on every -H and passes the flags on to the job", async () => {
  const { host, world } = start([
    "-H",
    "tcp://127.0.0.1:2375",
    "-H",
    "unix:///s",
    "--tlsverify",
    "--api-enable-cors",
    "-G",
    "wheel",
  ]);
  await host.clock.advance(0);
  expect(world.serveapi?.args).toEqual(["tcp://127.0.0.1:2375", "unix:///s"]);
  expect(Object.fromEntries(world.serveapi?.environ() ?? [])).toEqual({
    Logging: "1",
    EnableCors: "1",
    Version: "1.2.0",
    SocketGroup: "wheel",
    Tls: "0",
    TlsVerify: "1",
    TlsCa: "/root/.docker/ca.pem",
    TlsCert: "/root/.docker/cert.pem",
    TlsKey: "/root/.docker/key.pem",
    BufferRequests: "1",
  });
});

test("mainDaemon() shows the flags' values in its banner, not what they become", async () => {
  const { host, lines } = start([]);
  await host.clock.advance(0);
  expect(lines()).toContain("<time> docker daemon: 1.2.0 fa7b24f; execdriver: native; graphdriver: ");
});

test("mainDaemon() answers left-over arguments with the usage screen and starts nothing", async () => {
  const { host, world, done } = start(["run", "busybox"]);
  await done;
  expect(host.stderr.text).toContain("Usage of docker:");
  expect([world.eng, host.signals.trapped]).toEqual([undefined, []]);
});

test("mainDaemon() listens before the daemon exists and accepts when its handlers are installed", async () => {
  const gate = deferred();
  const { host, world, lines } = start(["-H", "unix:///s"], {
    async newDaemon() {
      await gate.promise;
      return { install: (eng) => eng.register("ps", () => undefined) };
    },
  });
  await host.clock.advance(1_000);
  expect(world.serveapi).toBeDefined();
  expect(lines().join()).not.toContain("acceptconnections");
  gate.resolve();
  await host.clock.advance(0);
  expect(lines().slice(-2)).toEqual([
    "[<engine>] +job acceptconnections()",
    "[<engine>] -job acceptconnections() = OK (0)",
  ]);
  expect(world.eng?.commands()).toContain("ps");
});

test.each<[string, Partial<DaemonParts>, string]>([
  [
    "the daemon cannot boot",
    { newDaemon: () => Promise.reject(new Error("pid file found, ensure docker is not running or delete /p")) },
    "pid file found, ensure docker is not running or delete /p",
  ],
  [
    "a handler's name is taken",
    { newDaemon: async () => ({ install: (eng) => eng.register("serveapi", () => undefined) }) },
    "Can't overwrite handler for command serveapi",
  ],
  [
    "the builtins cannot be registered",
    {
      register() {
        throw new Error("Can't overwrite handler for command version");
      },
    },
    "Can't overwrite handler for command version",
  ],
  [
    "a listener fails",
    {
      newDaemon: () => new Promise(() => undefined),
      register: (eng) =>
        eng.register("serveapi", (job) => job.errorf("listen tcp 10.0.0.1:1: cannot assign requested address")),
    },
    "listen tcp 10.0.0.1:1: cannot assign requested address",
  ],
])("mainDaemon() throws when %s", async (_, parts, message) => {
  await expect(start(["-H", "unix:///s"], parts).done).rejects.toThrow(message);
});

test("mainDaemon() takes back what was begun when it cannot boot", async () => {
  let taken = false;
  const { done } = start(["-H", "unix:///s"], {
    async newDaemon(_config, eng) {
      eng.onShutdown(() => {
        taken = true;
      });
      throw new Error("no bridge");
    },
  });
  await expect(done).rejects.toThrow("no bridge");
  expect(taken).toBe(true);
});

test("mainDaemon() ends when no listener is left", async () => {
  const { closed, done } = start(["-H", "unix:///s"]);
  closed.resolve();
  await expect(done).resolves.toBeUndefined();
});

test("mainDaemon() shuts the engine down on SIGTERM and exits 0, also in the middle of booting", async () => {
  const gate = deferred();
  const { host, world, done } = start(["-H", "unix:///s"], {
    async newDaemon(_config, eng) {
      await gate.promise;
      await eng.job("init_networkdriver").run();
      return { install: () => undefined };
    },
  });
  await host.clock.advance(0);
  let cleaned = false;
  let failed = false;
  done.catch(() => {
    failed = true;
  });
  world.eng?.onShutdown(() => {
    cleaned = true;
  });
  host.signals.raise("SIGTERM");
  gate.resolve();
  await host.clock.advance(0);
  expect([cleaned, host.signals.exits, failed]).toEqual([true, [0], false]);
});
