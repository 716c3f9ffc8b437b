import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as newDaemonModule from "../../src/daemon/new-daemon.ts";
import { mainDaemon } from "../../src/docker/daemon.ts";
import { main } from "../../src/docker/docker.ts";
import { Engine } from "../../src/engine/engine.ts";
import { type MemoryHost, memoryHost } from "../../src/host/memory/memory.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { deferred } from "../../src/sync/deferred.ts";
import { BufferWriter } from "../../src/sync/io.ts";
import { configure } from "../01-config-flags/main.ts";
import { claim } from "../lib/claim.ts";
import { demo, example, help, read, write } from "./demo.ts";
import { live } from "./live.ts";
import { faults, paths } from "./machine.ts";
import { boot } from "./main.ts";
import { stepTexts } from "./steps.ts";
import { follow, type Plan, type Trace } from "./trace.ts";

/** What 1.2.0 registers, from daemon/daemon.go:104-126 and graph/service.go:12-34. */
const handlers120 = {
  daemon:
    "attach build commit container_changes container_copy container_inspect containers create delete export info kill " +
    "logs pause resize restart start stop top unpause wait image_delete",
  images:
    "image_set image_tag tag image_get image_inspect image_tarlayer image_export history images viz load import pull push",
};

/** The log of the original's boot, with the lines of both halves as they came. */
const recorded = readFileSync(new URL("../../test/golden/records/boot-log.txt", import.meta.url), "utf8")
  .split(/^# the same without -D.*\n/m)[1]!
  .split("\n")
  .slice(0, 11);

const boots = (plan: Partial<Plan> = {}): Promise<Trace> =>
  follow({ disk: 10, containers: 2, clients: [30, 250, 700], ...plan });

/** Names of the steps of a half, in order. */
const order = (trace: Trace, lane: "main" | "loader") =>
  trace.steps.filter((step) => step.lane === lane).map(({ name }) => name);
const texts = (trace: Trace) => trace.log.map(({ text }) => text);

/** Runs the whole program; what it hands to the daemon's part. */
async function program(args: string[], given: { env?: Record<string, string>; argv0?: string } = {}) {
  const host = memoryHost({ env: { HOME: "/root", ...given.env } });
  const seen: { hosts: string[]; debug: string | undefined; pidfile: string }[] = [];
  const code = await main(args, host, {
    argv0: given.argv0 ?? "docker",
    mainDaemon: async ({ hosts, config }) =>
      void seen.push({ hosts: [...hosts.value.getAll()], debug: host.env["DEBUG"], pidfile: config.pidfile }),
  });
  return { code, seen, host };
}

/** The engine after a real boot, with its handlers before and after `Install`. */
async function installed(): Promise<{ eng: Engine; before: string[]; after: string[]; daemon: unknown }> {
  const seen: { eng?: Engine; daemon?: unknown; before?: string[] } = {};
  const files = { "/etc/resolv.conf": "nameserver 192.0.2.1\n", "/var/run": null, "/var/lib": null };
  const host = memoryHost({
    env: { HOME: "/root" },
    files,
    net: { links: () => ({ routes: () => [], close() {} }) as never },
  });
  const { memoryNames } = await import("../lib/memory-names.ts");
  const { DryDriver } = await import("../../src/daemon/execdriver/dry/driver.ts");
  const { newGraphDriver } = await import("../../src/daemon/graphdriver/graphdriver.ts");
  const done = deferred();
  void boot(["-d", "-b", "none", "-H", `unix://${paths.socket}`], host, {
    register(eng) {
      seen.eng = eng;
      eng.register("serveapi", () => done.promise);
      eng.register("acceptconnections", () => undefined);
    },
    async newDaemon(config, eng, itsHost, log) {
      const daemon = await newDaemonModule.newDaemon(config, eng, itsHost, log, {
        openGraph: async () => memoryNames(),
        graphDriver: (root) => newGraphDriver(root, { name: "vfs", env: {} }, itsHost, log),
        execDriver: async (root) => new DryDriver(root, itsHost),
      });
      seen.daemon = daemon;
      seen.before = eng.commands();
      return daemon;
    },
  });
  while (!host.stderr.text.includes("-job acceptconnections")) await host.clock.advance(0);
  const { eng, before = [], daemon } = seen;
  if (eng === undefined) throw new Error("no engine was made");
  return { eng, before, after: eng.commands().filter((name) => !before.includes(name)), daemon };
}

/** Sends a request to an address and reads the first line of the answer. */
async function asked(host: MemoryHost, proto: "unix" | "tcp", addr: string): Promise<string> {
  const connection = await host.net.dial(proto, addr);
  connection.write("GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
  let answer = "";
  for await (const chunk of connection) answer += String(chunk);
  return answer.split("\r\n")[0] ?? "";
}

claim(
  "001/1/1",
  "client and daemon speak HTTP, over a unix socket, over TCP, or over a socket that init opened",
  async () => {
    const host = memoryHost({
      env: { HOME: "/root", LISTEN_PID: "4242", LISTEN_FDS: "1" },
      files: { "/var/run": null },
    });
    host.network.inherit(3, { kind: "tcp", host: "127.0.0.1", port: 4000 });
    const { register } = await import("../../src/builtins/builtins.ts");
    const hosts = ["-H", "unix:///var/run/s", "-H", "tcp://127.0.0.1:2375", "-H", "fd://"];
    void boot(["-d", ...hosts], host, { register, newDaemon: async () => ({ install: () => undefined }) });
    await host.clock.advance(0);
    const answers = [
      await asked(host, "unix", "/var/run/s"),
      await asked(host, "tcp", "127.0.0.1:2375"),
      await asked(host, "tcp", "127.0.0.1:4000"),
    ];
    expect(answers).toEqual(Array(3).fill("HTTP/1.1 200 OK"));
  },
);

claim("001/4/1", "one program: with -d it runs the daemon's part, without it the client's", async () => {
  expect((await program(["-d"])).seen).toHaveLength(1);
  const client = await program(["ps"]);
  expect(client.seen).toEqual([]);
  expect(client.host.stderr.text).toContain("dial unix /var/run/docker.sock: no such file");
});

claim(
  "001/4/2",
  "-d, --daemon and both with =true start a daemon; with a longer dash it is the name of a command",
  async () => {
    for (const words of [["-d"], ["--daemon"], ["-d=true"], ["--daemon=true"]]) {
      expect((await program(words)).seen).toHaveLength(1);
    }
    const { set, flags } = configure(["–d"], memoryHost({ env: { HOME: "/root" } }));
    expect([flags.daemon.value, set.args()]).toEqual([false, ["–d"]]);
  },
);

claim(
  "001/4/3",
  "before the daemon's part come -v, then DEBUG, then the default host, which is not DOCKER_HOST",
  async () => {
    const version = await program(["-d", "-v"]);
    expect([version.code, version.seen, version.host.stdout.text]).toEqual([
      0,
      [],
      "Docker version 1.2.0, build fa7b24f\n",
    ]);
    const { seen } = await program(["-d", "-D"], { env: { DOCKER_HOST: "tcp://10.0.0.5:2375" } });
    expect(seen).toEqual([{ hosts: [`unix://${paths.socket}`], debug: "1", pidfile: paths.pidfile }]);
  },
);

claim("001/5/1", "flags are bound and addresses checked before mainDaemon() is called", async () => {
  const { code, seen, host } = await program(["-d", "-H", "gopher://x"]);
  expect([code, seen]).toEqual([2, []]);
  expect(host.stderr.text).toContain('invalid value "gopher://x" for flag -H');
  expect((await program(["-d", "-H", ":2375"])).seen[0]?.hosts).toEqual(["tcp://127.0.0.1:2375"]);
});

claim("001/5/2", "mainDaemon() takes eight steps, and the sixth goes on while the eighth serves", async () => {
  const trace = await boots();
  expect(order(trace, "main")).toEqual(["engine", "trap", "builtins", "banner", "serveapi"]);
  const serveapi = trace.steps.find(({ name }) => name === "serveapi");
  const loading = trace.steps.filter(({ lane }) => lane === "loader");
  expect([serveapi?.from, serveapi?.to]).toEqual([0, undefined]);
  expect(loading.at(-1)?.to).toBeGreaterThan(trace.listening ?? Number.POSITIVE_INFINITY);
  // The other two: the flags were read before, and left-over arguments end it all.
  const host = memoryHost({ env: { HOME: "/root" } });
  expect(await boot(["-d", "extra"], host)).toBe(0);
  expect([host.signals.trapped, host.stderr.text.split("\n")[0]]).toEqual([[], "Usage of docker:"]);
});

claim("001/5.5/1", "the goroutine calls NewDaemon, then Install, then the job acceptconnections", async () => {
  expect(order(await boots(), "loader").slice(-2)).toEqual(["install", "acceptconnections"]);
  expect(Object.keys(newDaemonModule)).toEqual(["newDaemon"]);
});

claim("001/5.5/2", "requests are accepted because the gate opens; systemd need not listen", async () => {
  const host = memoryHost({ files: { "/var/run": null }, env: { HOME: "/root" } });
  const { register } = await import("../../src/builtins/builtins.ts");
  const gate = deferred();
  const newDaemon = () => gate.promise.then(() => ({ install: () => undefined }));
  void boot(["-d", "-H", "unix:///var/run/s"], host, { register, newDaemon });
  await host.clock.advance(0);
  let answer = "";
  void asked(host, "unix", "/var/run/s").then((line) => {
    answer = line;
  });
  await host.clock.advance(60_000);
  expect([answer, host.env["NOTIFY_SOCKET"]]).toEqual(["", undefined]);
  gate.resolve();
  await host.clock.advance(0);
  expect([answer, host.kernel.datagrams]).toEqual(["HTTP/1.1 200 OK", []]);
});

claim(
  "001/5.5.1/1",
  "NewDaemon also sets up the network, the names, what was there before, and its own end",
  async () => {
    const trace = await boots();
    expect(order(trace, "loader")).toEqual(expect.arrayContaining(["pidfile", "network", "names", "containers"]));
    const late = await boots({ clients: [], signal: { name: "TERM", at: 500 } });
    expect([late.ended, late.left]).toEqual([{ at: expect.any(Number), status: 0 }, []]);
  },
);

claim(
  "001/5.5.2/1",
  "Install registers the daemon's handlers, none of them under a name that 1.2.0 has not",
  async () => {
    const { after } = await installed();
    const names = handlers120.daemon.split(" ");
    expect([names.length, handlers120.images.split(" ").length]).toEqual([22, 14]);
    const own = after.filter((name) => !handlers120.images.split(" ").includes(name));
    expect(own.length).toBeGreaterThanOrEqual(19);
    expect(own.filter((name) => !names.includes(name))).toEqual([]);
  },
);

claim("001/5.5.2/2", "the handlers of images are registered by a file of their own, graph/service", async () => {
  const { install } = await import("../../src/graph/service.ts");
  const host = memoryHost();
  const eng = new Engine(host);
  install({} as never, eng);
  const names = eng.commands().filter((name) => name !== "commands");
  expect(names).toEqual(expect.arrayContaining(["images", "pull", "tag", "history"]));
  expect(names.filter((name) => !handlers120.images.split(" ").includes(name))).toEqual([]);
});

claim("001/5.5.2/3", "the daemon itself is left in the engine under httpapi.daemon", async () => {
  const { eng, daemon } = await installed();
  expect(eng.hackGetGlobalVar("httpapi.daemon")).toBe(daemon);
});

claim("001/5.6/2", "the banner prints the configured names: graphdriver is empty unless -s was given", async () => {
  const banner = async (...args: string[]) => {
    const host = memoryHost({ env: { HOME: "/root" } });
    const parts = { register: () => undefined, newDaemon: () => new Promise<never>(() => undefined) };
    await boot(["-d", ...args], host, parts);
    return host.stderr.lines[0]?.slice(20);
  };
  expect(await banner()).toBe("docker daemon: 1.2.0 fa7b24f; execdriver: native; graphdriver: ");
  expect(await banner("-s", "vfs", "-e", "lxc")).toBe(
    "docker daemon: 1.2.0 fa7b24f; execdriver: lxc; graphdriver: vfs",
  );
  const trace = await boots();
  const from = (name: string) => trace.steps.find((step) => step.name === name)?.from;
  expect(from("banner")).toBeLessThan(from("graphdriver") ?? 0);
});

claim("001/6/1", "the engine schedules nothing: a job runs where it was called, beside any other", async () => {
  const eng = new Engine(memoryHost());
  const seen: string[] = [];
  const first = deferred();
  eng.register("slow", async () => {
    seen.push("slow begins");
    await first.promise;
    seen.push("slow ends");
  });
  eng.register("quick", () => void seen.push("quick"));
  const slow = eng.job("slow").run();
  await eng.job("quick").run();
  first.resolve();
  await slow;
  expect(seen).toEqual(["slow begins", "quick", "slow ends"]);
});

claim("002/1-8/1", "docker -d is one dash and a small letter; D stands for something else", async () => {
  expect((await program(["-d"])).seen).toHaveLength(1);
  expect((await program(["-D", "help"])).seen).toEqual([]);
  const { set } = configure(["D"], memoryHost({ env: { HOME: "/root" } }));
  expect(set.args()).toEqual(["D"]);
});

claim("002/1-8/17", "the function that makes the daemon is called newDaemon", () => {
  expect(newDaemonModule.newDaemon).toBeTypeOf("function");
  expect(mainDaemon.name).toBe("mainDaemon");
  expect(newDaemonModule).not.toHaveProperty("mainDaemon");
});

claim("002/1-8/21", "the goroutine loads the daemon: serveapi runs before there is one", async () => {
  const trace = await boots();
  const lines = texts(trace);
  const at = (part: string) => lines.findIndex((line) => line.includes(part));
  expect(at("+job serveapi")).toBeGreaterThanOrEqual(0);
  expect(at("+job serveapi")).toBeLessThan(at("+job init_networkdriver"));
  expect(at("+job init_networkdriver")).toBeLessThan(at("+job acceptconnections"));
});

claim("002/1-8/22", "the banner has four values: version, commit, exec driver, graph driver", async () => {
  const theirs = recorded.find((line) => line.includes("docker daemon:"))?.replace("<time> ", "");
  const host = memoryHost({ env: { HOME: "/root" } });
  await boot(["-d", "-s", "vfs"], host, { register: () => undefined, newDaemon: () => new Promise(() => undefined) });
  expect(host.stderr.lines[0]?.slice(20)).toBe(theirs);
});

claim("003/s2/1", "main() compares the program's own name with a list first; here no name is special", async () => {
  // 1.2.0 is docker-proxy under that name. Here that is a docker like any other.
  for (const argv0 of ["native", "/.dockerinit", "docker-proxy"]) {
    const { code, host } = await program(["-v"], { argv0 });
    expect([code, host.stdout.text]).toEqual([0, "Docker version 1.2.0, build fa7b24f\n"]);
  }
});

claim("004/b/5", "the order is graphdriver, graph, volumes, TagStore, network, graphdb, execdriver", async () => {
  const parts = ["graphdriver", "images", "volumes", "tags", "network", "names", "execdriver"];
  const trace = await boots({ containers: 0 });
  expect(order(trace, "loader").filter((name) => parts.includes(name))).toEqual(parts);
});

test("our boot writes the lines of the original's, each half in the original's order", async () => {
  const trace = await boots({ clients: [] });
  const id = /\[([0-9a-f]{8})/.exec(texts(trace).join("\n"))?.[1] ?? "";
  const ours = texts(trace).map((line) => line.replace(id, "<engine>"));
  const theirs = recorded.map((line) => line.replace("graphdriver: vfs", "graphdriver: "));
  expect([...ours].sort()).toEqual([...theirs].sort());
  const half = (all: string[], lines: RegExp) => all.filter((line) => lines.test(line));
  for (const lines of [/daemon:|serveapi|Listening/, /network|Loading|done|accept/]) {
    expect(half(ours, lines)).toEqual(half(theirs, lines));
  }
  // But not between the halves: with one thread, the banner is always the first line.
  expect([theirs[0], ours[0]]).toEqual([
    "[<engine>] +job init_networkdriver()",
    expect.stringContaining("docker daemon:"),
  ]);
});

test("rule 1: every client is answered in the end, whenever it came after the socket was there", async () => {
  const trace = await boots({ clients: [11, 100, 449, 450, 2000] });
  expect(trace.clients.map(({ end }) => end)).toEqual(Array(5).fill("answered"));
  expect(trace.clients.map(({ to }) => to)).toEqual([trace.gate, trace.gate, trace.gate, 450, 2000]);
});

test("rule 2: nobody is answered before Install", async () => {
  for (const disk of [1, 5, 40]) {
    const trace = await boots({ disk, clients: [disk * 2 + 1] });
    const install = trace.steps.find(({ name }) => name === "install");
    expect(trace.clients[0]?.to).toBeGreaterThanOrEqual(install?.from ?? Number.POSITIVE_INFINITY);
  }
});

test("rule 3: what is slow in the daemon does not delay the socket", async () => {
  const [few, many] = [await boots({ containers: 0 }), await boots({ containers: 50 })];
  expect(few.listening).toBe(many.listening);
  const [before, after] = [await boots({ disk: 5 }), await boots({ disk: 50 })];
  expect(after.listening).toBe((before.listening ?? 0) * 10);
  expect(after.gate).toBe((before.gate ?? 0) * 10);
});

test.each(faults)("rule 4: with the fault %s the daemon exits with 1, and whoever waited is cut off", async (fault) => {
  const trace = await boots({ fault, clients: [30] });
  expect([trace.ended?.status, trace.gate, trace.clients[0]?.end]).toEqual([1, undefined, "cut off"]);
});

test("rule 5: a daemon that is told to stop while it boots exits with 0 and leaves nothing", async () => {
  for (const at of [45, 165, 315, 345, 395]) {
    const { ended, left, gate } = await boots({ signal: { name: "TERM", at }, clients: [] });
    expect([ended?.status, left, gate]).toEqual([0, [], undefined]);
  }
});

test("the answers to Predict", async () => {
  // 1: which is first.
  expect(texts(await boots())[0]).toMatch(/graphdriver: $/);
  // 2: before there is a socket.
  expect((await boots({ clients: [0] })).clients[0]).toMatchObject({
    end: "refused",
    text: `connect ENOENT ${paths.socket}`,
  });
  // 3: the pid file of another daemon stays, our own goes.
  expect((await boots({ fault: "pidfile" })).left).toEqual([paths.pidfile]);
  expect((await boots({ fault: "bridge" })).left).toEqual([]);
  // 4: one address that cannot be had ends them all.
  const taken = await boots({ fault: "listen" });
  expect(taken.log.at(-1)?.text).toContain("listen tcp 127.0.0.1:2375: address already in use");
});

/** What the demonstration prints. */
async function printed(...args: string[]): Promise<{ text: string; status: number }> {
  const out = new BufferWriter();
  const status = await demo(args, out);
  return { text: out.toString().replace(/\d+ installed/, "<n> installed"), status };
}

test("the demonstration prints the log and both halves", async () => {
  expect(await printed()).toEqual(await printed(...example));
  expect((await printed()).text).toBe(`Each file operation takes 10 ms; containers from before: 2.

   ms  log of the daemon
    0  <time> docker daemon: 1.2.0 fa7b24f; execdriver: native; graphdriver:
    0  [00049d12] +job serveapi(unix:///var/run/docker.sock)
    0  [info] Listening for HTTP on unix (/var/run/docker.sock)
  310  [00049d12] +job init_networkdriver()
  310  [00049d12.init_networkdriver()] creating new bridge for docker0
  320  [00049d12.init_networkdriver()] getting iface addr
  350  [00049d12] -job init_networkdriver() = OK (0)
  390  [info] Loading containers:
  400  ..[info] : done.
  450  [00049d12] +job acceptconnections()
  450  [00049d12] -job acceptconnections() = OK (0)
  450  [info] GET /v1.14/containers/json
  450  [info] GET /v1.14/containers/json
  450  [00049d12] +job containers()
  450  [00049d12] +job containers()
  450  [00049d12] -job containers() = OK (0)
  450  [00049d12] -job containers() = OK (0)
  700  [info] GET /v1.14/containers/json
  700  [00049d12] +job containers()
  700  [00049d12] -job containers() = OK (0)

main   engine                   | 0
       trap                     | 0
       builtins                 | 0
       banner                   | 0
       serveapi                 ================================================>
                                 ^ the socket is there at 10 ms
loader settings, pid file       === 40
       machine, root               ======== 120
       storage driver                      = 20
       images graph                         == 30
       volumes                                == 20
       repository list                          ===== 80
       network, a job                                === 40
       names                                            = 10
       exec driver                                       = 20
       name servers                                       = 10
       old containers                                      ==== 60
       Install                                                 | 0
       acceptconnections                                       | 0
client comes at 30 ms             .............................* HTTP/1.1 200 OK after 420 ms
       comes at 250 ms                           ..............* HTTP/1.1 200 OK after 200 ms
       comes at 700 ms                                                          * HTTP/1.1 200 OK after 0 ms
                                                               ^ the gate opens at 450 ms

handlers: 10 after the builtins, 14 with the network, <n> installed
`);
});

test("the demonstration looks into a step", async () => {
  const { text } = await printed("--step", "network");
  expect(text).toContain(`
network (daemon/daemon.go:792-805), from 310 ms:
  [00049d12] +job init_networkdriver()
  [00049d12.init_networkdriver()] creating new bridge for docker0
  readFile /etc/resolv.conf
`);
  expect((await printed("--fail", "root", "--step", "network")).text).toContain(
    "network (daemon/daemon.go:792-805): it did not come to that",
  );
});

test("the demonstration shows nothing that would happen after the end of the process", async () => {
  const stopped = await boots({ signal: { name: "TERM", at: 330 }, clients: [700] });
  expect([stopped.ended, stopped.handlers]).toEqual([{ at: 370, status: 0 }, [10]]);
  const later = await boots({ signal: { name: "INT", at: 900 }, clients: [] });
  expect(later.steps.at(-1)).toMatchObject({ name: "acceptconnections", from: 450, to: 450 });
});

test("the demonstration says whose pid file is left", async () => {
  expect((await printed("--fail", "pidfile")).text).toContain(`left behind: ${paths.pidfile} (of another daemon)`);
  expect((await printed("--fail", "bridge")).text).toContain("left behind: nothing");
  expect(await live.draw(["--clients", "0", "--fail", "pidfile"], "en")).toMatch(
    /no socket there[\s\S]*\/docker\.pid \(of another daemon\)/,
  );
});

test("the demonstration explains itself, and what is wrong with the arguments", async () => {
  expect(await printed("--help")).toEqual({ text: help, status: 0 });
  for (const [args, complaint] of [
    [["--fast"], "There is no --fast."],
    [["--disk", "slow"], "--disk wants a whole number from 0 to 1000, not slow."],
    [["--disk"], "--disk wants a whole number from 0 to 1000, not nothing."],
    [["--fail", "all"], "--fail wants one of pidfile, root, bridge, listen, not all."],
    [["--signal", "KILL@3"], "--signal wants INT@MS or TERM@MS, not KILL@3."],
    [["--clients", "1,2,3,4,5,6,7"], "--clients wants up to 6 times: 30,250,700."],
  ] as const) {
    expect(await printed(...args)).toEqual({ text: `${complaint}\n\n${help}`, status: 2 });
  }
});

test("write() is the way back of read()", () => {
  const args = [
    "--disk",
    "20",
    "--containers",
    "1",
    "--clients",
    "5,9",
    "--fail",
    "root",
    "--signal",
    "INT@7",
    "--step",
    "tags",
  ];
  expect(write(read(args))).toEqual(args);
  expect(write(read([]))).toEqual(example);
});

test("the picture shows the gate, both halves and each client's wait", async () => {
  const drawn = await live.draw(live.example, "en");
  expect(drawn).toContain("the gate opens: 450 ms");
  for (const step of Object.values(stepTexts)) {
    if (step.go.startsWith("daemon/")) expect(drawn).toContain(`>${step.name.en} · `);
  }
  expect(drawn).toContain("comes at 30 ms: ✓ answered after 420 ms");
  expect(drawn).toContain("comes at 700 ms: ✓ answered at once");
  expect(drawn).toContain("serveapi holds");
});

test("the picture marks the step that failed, and the end", async () => {
  const drawn = await live.draw([...example, "--fail", "bridge"], "en");
  expect(drawn).toContain("exit status 1: 340 ms");
  expect(drawn).toMatch(/k-bad"[^>]*\/><text[^>]*>network, a job · ✗/);
  expect(drawn).not.toContain("the gate opens");
});

test("the picture opens a step that was chosen, and is in both languages", async () => {
  const args = [...example, "--step", "root"];
  expect(await live.draw(args, "en")).toContain("<td>mkdir /var/lib/docker</td>");
  const drawn = await live.draw(args, "zh");
  expect(drawn).toContain("这一步里发生的事: 系统检查、根目录");
  for (const preset of live.presets) expect(await live.draw(preset.args, "zh")).toContain("Daemon 的日志");
});

test("each control writes what it reads, and leaves the rest alone", () => {
  const [disk, containers, clients, fault, signal] = live.controls;
  const busy = ["--disk", "20", "--clients", "1,2", "--fail", "root", "--signal", "TERM@50"];
  if (disk?.kind === "range") expect(read(disk.write(busy, 35))).toEqual({ ...read(busy), disk: 35 });
  if (containers?.kind === "range") expect(containers.read(containers.write(busy, 7))).toBe(7);
  if (clients?.kind === "text") expect(clients.read(clients.write(busy, "3, 4"))).toBe("3,4");
  if (fault?.kind === "choice") expect(fault.read(fault.write(busy, ""))).toBe("");
  if (signal?.kind === "range") expect(signal.read(signal.write(busy, 0))).toBe(0);
  expect(live.controls).toHaveLength(5);
});

test("what the chapter starts from is what main() does", async () => {
  const host = memoryHost({ env: { HOME: "/root" } });
  const failing = { register: () => undefined, newDaemon: () => Promise.reject(new Error("no daemon today")) };
  expect(await boot(["-d"], host, failing)).toBe(1);
  const log = new Logger(memoryHost());
  expect(log.debugging).toBe(false);
  expect(host.stderr.lines.at(-1)?.slice(20)).toBe("no daemon today");
});
