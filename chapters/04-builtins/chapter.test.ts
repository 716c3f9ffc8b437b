import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ROUTES } from "../../src/api/server/routes.ts";
import { register } from "../../src/builtins/builtins.ts";
import { Engine } from "../../src/engine/engine.ts";
import { Events } from "../../src/events/events.ts";
import type { MemoryHost } from "../../src/host/memory/memory.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { Service } from "../../src/registry/service.ts";
import { BufferWriter } from "../../src/sync/io.ts";
import { goldenRecords } from "../../test/support/golden.ts";
import { start } from "../03-signal-trap/main.ts";
import { claim } from "../lib/claim.ts";
import { RegistryV1 } from "../lib/registry-v1.ts";
import { CATALOGUE, namesOf } from "./catalogue.ts";
import { demo, wrapped } from "./demo.ts";
import { cellsOf, live } from "./live.ts";
import { machine, rulesOf } from "./machine.ts";
import { initNetwork, load } from "./main.ts";
import { detailOf, follow } from "./trace.ts";
import { readWishes } from "./wishes.ts";

const BUILTINS = ["daemon", "remote", "events", "version", "registry"] as const;

/** An engine with its builtins, on the machine of the demonstration, and the order in which names came. */
function loaded(options: Partial<Parameters<typeof machine>[0]> = {}, ...flags: string[]) {
  const world = machine({ taken: [], ...options });
  const started = start(["-d", ...flags], world.host);
  if (started === undefined) throw new Error("There is a word too many");
  const { eng } = started;
  eng.logging = false;
  const order: string[] = [];
  const original = eng.register.bind(eng);
  eng.register = (name, handler) => {
    original(name, handler);
    order.push(name);
  };
  load(started, world.host);
  return { ...world, ...started, order };
}

/** The output of a job. */
async function run(eng: Engine, name: string, args: string[] = [], env: Record<string, string> = {}): Promise<string> {
  const job = eng.job(name, ...args);
  for (const [key, value] of Object.entries(env)) job.setenv(key, value);
  const out = new BufferWriter();
  job.stdout.add(out);
  await job.run();
  return out.toString();
}

const trace = (...args: string[]) => follow(readWishes(args));

/** The commands of iptables that the original logged while it booted, without the program's own `--wait`. */
function recordedRules(): string[] {
  const log = readFileSync(new URL("../../test/golden/records/boot-log.txt", import.meta.url), "utf8");
  const all = [...log.matchAll(/iptables, \[(?:--wait )?(.*)\]/g)].map(([, words]) => words ?? "");
  return all.slice(0, all.findIndex((words) => words.startsWith("-t nat -A OUTPUT")) + 1);
}

const tracedRules = ({ stderr }: MemoryHost) =>
  [...stderr.text.matchAll(/iptables, \[(?:--wait )?(.*)\]/g)].map(([, words]) => words ?? "");

claim("001/5.4/1", "five calls bring the table from 1 name to 10, in the order of builtins.Register", () => {
  const { eng, order } = loaded();
  expect(order).toEqual(BUILTINS.flatMap((part) => namesOf(part)));
  expect(eng.commands()).toHaveLength(10);
});

claim(
  "001/5.4/2",
  "the nine names are the network's one, the API's two, three of events, version, and auth and search",
  () => {
    expect(BUILTINS.map((part) => namesOf(part))).toEqual([
      ["init_networkdriver"],
      ["serveapi", "acceptconnections"],
      ["events", "log", "subscribers_count"],
      ["version"],
      ["auth", "search"],
    ]);
    expect(loaded().eng.commands()).toEqual(["commands", ...namesOf(...BUILTINS)].sort());
  },
);

claim(
  "001/5.4.1/1",
  "init_networkdriver is registered and does not run: no interface, no rule, no file changes",
  () => {
    const { eng, links, host } = loaded();
    expect(eng.commands()).toContain("init_networkdriver");
    expect(links.list().map(({ name }) => name)).toEqual(["lo", "eth0"]);
    expect(host.exec.calls).toEqual([]);
    expect(host.volume.readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8")).toBe("0\n");
  },
);

claim("001/5.4.1/2", "InitDriver finds the address, makes bridge and rules, and registers four handlers", async () => {
  const { eng, flags, links, host } = loaded({}, "-D");
  host.env["DEBUG"] = "1";
  const before = eng.commands();
  expect(await initNetwork(eng, flags.config)).toBe(true);
  expect(links.list().at(-1)).toMatchObject({ name: "docker0", up: true });
  expect(links.addresses().at(-1)).toMatchObject({ address: "172.17.42.1", prefix: 16 });
  expect(recordedRules()).toHaveLength(19);
  expect(tracedRules(host)).toEqual(recordedRules());
  expect(eng.commands().filter((name) => !before.includes(name))).toEqual(namesOf("bridge").sort());
});

claim(
  "001/5.4.1/3",
  "a bridge is made only where docker0 is missing, at the first of 12 ranges that is free",
  async () => {
    const made = async (options: Parameters<typeof loaded>[0], ...flags: string[]) => {
      const { eng, flags: parsed, links } = loaded(options, ...flags);
      const failure = await initNetwork(eng, parsed.config).catch((cause: Error) => cause.message);
      const bridge = links.list().find(({ name }) => name === "docker0")?.index;
      const address = links.addresses().find(({ index }) => index === bridge)?.address;
      return [failure, address];
    };
    expect(await made({})).toEqual([true, "172.17.42.1"]);
    expect(await made({ bridge: "10.9.0.1/24" })).toEqual([true, "10.9.0.1"]);
    expect(await made({}, "-b", "br9")).toEqual([
      "route ip+net: no such network interface: br9; make it first (ip link add br9 type bridge), or leave out -b",
      undefined,
    ]);
    expect(await made({ bridge: "10.9.0.1/24" }, "--bip", "10.8.0.1/24")).toEqual([
      "bridge ip (10.9.0.1) does not match existing bridge configuration 10.8.0.1",
      "10.9.0.1",
    ]);
    expect(await made({}, "--bip", "10.8.0.1/24")).toEqual([true, "10.8.0.1"]);
    expect(await made({ taken: ["172.17.0.0/16"] })).toEqual([true, "10.0.42.1"]);
    expect(await made({ taken: ["172.16.0.0/12", "10.0.0.0/8", "192.168.42.0/23"] })).toEqual([true, "192.168.44.1"]);
    expect(await made({ taken: ["172.16.0.0/12", "10.0.0.0/8", "192.168.0.0/16"] })).toEqual([
      "Could not find a free IP address range for interface 'docker0'. Please configure its address manually and run " +
        "'docker -b docker0'",
      undefined,
    ]);
  },
);

claim(
  "001/5.4.1/4",
  "InitDriver also turns forwarding on, makes the chain DOCKER anew and leaves httpapi.bridgeIP",
  async () => {
    const { eng, flags, host } = loaded();
    const saved = "*nat\n:DOCKER - [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\nCOMMIT\n";
    host.exec.answer("iptables-save", { stdout: saved });
    await initNetwork(eng, flags.config);
    expect(host.volume.readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8")).toBe("1\n");
    expect(eng.hackGetGlobalVar("httpapi.bridgeIP")).toBe("172.17.42.1");
    const chain = rulesOf(host).filter((rule) => rule.includes("DOCKER"));
    expect(chain).toEqual([
      "nat    -D PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
      "nat    -F DOCKER",
      "nat    -X DOCKER",
      "nat    -N DOCKER",
      "nat    -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
      "nat    -A OUTPUT -m addrtype --dst-type LOCAL ! --dst 127.0.0.0/8 -j DOCKER",
    ]);
    const without = loaded({}, "--ip-forward=false", "--iptables=false");
    await initNetwork(without.eng, without.flags.config);
    expect(without.host.volume.readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8")).toBe("0\n");
    expect(rulesOf(without.host)).toEqual([]);
  },
);

claim(
  "001/5.4.2/1",
  "remote() registers serveapi and then acceptconnections; neither listens nor opens anything yet",
  async () => {
    const { eng, order, host } = loaded();
    expect(order.slice(1, 3)).toEqual(["serveapi", "acceptconnections"]);
    expect(host.stdout.text).not.toContain("Listening");
    host.env["NOTIFY_SOCKET"] = "/run/notify";
    await run(eng, "acceptconnections");
    expect(host.kernel.datagrams).toEqual([{ socketPath: "/run/notify", data: "READY=1" }]);
  },
);

claim(
  "001/5.4.3/1",
  "of the three event handlers only events has a route; log takes three words, and info reads the count",
  async () => {
    const { eng } = loaded();
    expect(["events", "log", "subscribers_count"].map((name) => detailOf(name)?.routes)).toEqual([
      ["GET /events"],
      [],
      [],
    ]);
    await expect(run(eng, "log", ["start", "c1"])).rejects.toThrow("usage: log ACTION ID FROM");
    expect(await run(eng, "log", ["start", "c1", "busybox"])).toBe("");
    expect(await run(eng, "subscribers_count")).toBe('{"count":0}\n');
    const stop = new AbortController();
    const reader = eng.job("events").run({ signal: stop.signal });
    expect(await run(eng, "subscribers_count")).toBe('{"count":1}\n');
    stop.abort();
    await reader;
    const info = goldenRecords("system").find(({ id }) => id === "system.008")?.response.body;
    expect(info).toMatchObject({ NEventsListener: 0 });
  },
);

claim("001/5.4.4/1", "version tells seven things, sorted; the kernel's only where it can be read", async () => {
  const { eng } = loaded();
  const recorded = goldenRecords("system").find(({ id }) => id === "system.004")?.response.body;
  const answer = JSON.parse(await run(eng, "version"));
  expect(Object.keys(answer)).toEqual(Object.keys(recorded as object));
  expect(answer).toMatchObject({
    ApiVersion: "1.14",
    Arch: "amd64",
    GitCommit: "fa7b24f",
    Os: "linux",
    Version: "1.2.0",
  });
  const odd = loaded();
  Object.assign(odd.host.machine, { kernelRelease: "unknown" });
  expect(Object.keys(JSON.parse(await run(odd.eng, "version")))).not.toContain("KernelVersion");
});

claim("001/5.4.5/1", "the registry's Install adds auth and search, and nothing else", () => {
  const { host } = machine({ taken: [] });
  const eng = new Engine(host);
  new Service(host, new Logger(host)).install(eng);
  expect(eng.commands()).toEqual(["auth", "commands", "search"]);
});

claim(
  "001/5.4.5/2",
  "auth takes another server's address, and search a registry's name in front of the term",
  async () => {
    const { host, eng } = loaded();
    const registry = new RegistryV1({ user: { username: "ann", password: "secret" } });
    registry.catalogue.push({ name: "some/thing", star_count: 1 });
    const asked: string[] = [];
    host.net.fetch = (url, { method = "GET", headers, body } = {}) => {
      asked.push(url);
      return registry.handle(new Request(url, { method, headers: { ...headers }, ...(body ? { body } : {}) }));
    };
    const authConfig = JSON.stringify({ username: "ann", password: "secret", serveraddress: "reg.test" });
    expect(await run(eng, "auth", [], { authConfig })).toBe("Login Succeeded\n");
    expect(await run(eng, "search", ["reg.test/some/thing"])).toContain('"name":"some/thing"');
    expect(new Set(asked.map((url) => new URL(url).origin))).toEqual(new Set(["https://reg.test"]));
  },
);

claim("001/5.4.5/3", "a name that is taken stops our Install; 1.2.0's goes on and says nothing", () => {
  const { host } = machine({ taken: [] });
  const eng = new Engine(host);
  eng.register("search", () => undefined);
  expect(() => new Service(host, new Logger(host)).install(eng)).toThrow("Can't overwrite handler for command search");
  expect(() => register(new Engine(host), host, new Logger(host))).not.toThrow();
});

claim(
  "002/1-8/14",
  "finding the address and making the bridge are two steps: with docker0 there, only the first is taken",
  async () => {
    const { eng, flags, links, host } = loaded({ bridge: "172.17.42.1/16" });
    eng.logging = true;
    const before = links.list();
    await initNetwork(eng, flags.config);
    expect(links.list()).toEqual(before);
    expect(host.stderr.text).not.toContain("creating new bridge");
    const fresh = loaded();
    fresh.eng.logging = true;
    await initNetwork(fresh.eng, fresh.flags.config);
    expect(fresh.host.stderr.text).toMatch(/creating new bridge for docker0\n(.*\n)*.*getting iface addr\n/);
  },
);

claim("002/1-8/15", "remote() is two registrations, the first of which decides whether there is a second", () => {
  const { host } = machine({ taken: [] });
  const eng = new Engine(host);
  eng.register("serveapi", () => undefined);
  expect(() => register(eng, host, new Logger(host))).toThrow("Can't overwrite handler for command serveapi");
  expect(eng.commands()).toEqual(["commands", "init_networkdriver", "serveapi"]);
});

claim("002/1-8/16", "what is counted are subscribers, and the handler is called subscribers_count", async () => {
  const { host } = machine({ taken: [] });
  const eng = new Engine(host);
  new Events(host).install(eng);
  expect(eng.commands()).toEqual(["commands", "events", "log", "subscribers_count"]);
  expect(JSON.parse(await run(eng, "subscribers_count"))).toEqual({ count: 0 });
});

claim("004/b/1", "serveapi is there after the builtins; pull, create and start come only with the daemon", async () => {
  const { steps } = await trace();
  const when = (name: string) => steps.find(({ added }) => added.includes(name))?.call;
  expect(["serveapi", "create", "start", "pull"].map(when)).toEqual([
    "builtins.Register(eng)",
    "Daemon.Install(eng)",
    "Daemon.Install(eng)",
    "TagStore.Install(eng)",
  ]);
});

claim(
  "004/b/6",
  "the job masquerades, lets containers out and answers in, and decides about traffic between them",
  async () => {
    const rules = async (...flags: string[]) => (await trace("steps=3", ...flags)).network?.rules ?? [];
    expect(await rules()).toEqual([
      "nat    -I POSTROUTING -s 172.17.42.1/16 ! -o docker0 -j MASQUERADE",
      "nat    -N DOCKER",
      "nat    -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
      "nat    -A OUTPUT -m addrtype --dst-type LOCAL ! --dst 127.0.0.0/8 -j DOCKER",
      "filter -I FORWARD -i docker0 -o docker0 -j ACCEPT",
      "filter -I FORWARD -i docker0 ! -o docker0 -j ACCEPT",
      "filter -I FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ]);
    expect((await rules("--icc=false"))[4]).toBe("filter -I FORWARD -i docker0 -o docker0 -j DROP");
    expect((await rules()).join("\n")).not.toContain("SNAT");
  },
);

test("a job is bound to its handler when it is made: what is registered later is too late for it", async () => {
  const { eng, flags } = loaded();
  const early = eng.job("allocate_interface", "c1");
  await initNetwork(eng, flags.config);
  await expect(early.run()).rejects.toThrow("allocate_interface: command not found");
  expect(JSON.parse(await run(eng, "allocate_interface", ["c1"]))).toMatchObject({ IP: "172.17.0.2" });
});

test("a name has one handler: the second registration fails, and the first stays", async () => {
  const { eng } = loaded();
  expect(() => eng.register("version", () => undefined)).toThrow("Can't overwrite handler for command version");
  expect(await run(eng, "version")).toContain('"Version":"1.2.0"');
});

test("the table only grows: not even a shutdown takes a name back", async () => {
  const { eng, flags } = loaded();
  const sizes = [eng.commands().length];
  await initNetwork(eng, flags.config);
  sizes.push(eng.commands().length);
  await eng.shutdown();
  sizes.push(eng.commands().length);
  expect(sizes).toEqual([10, 14, 14]);
});

test("who calls init_networkdriver knows its name only: another handler gets the same texts", async () => {
  const { flags } = loaded({}, "--icc=false", "--bip", "10.8.0.1/24");
  const eng = new Engine(machine({ taken: [] }).host);
  eng.logging = false;
  let seen: Record<string, string> = {};
  eng.register("init_networkdriver", (job) => {
    seen = Object.fromEntries(job.environ());
  });
  await initNetwork(eng, flags.config);
  expect(seen).toMatchObject({
    EnableIptables: "1",
    InterContainerCommunication: "0",
    EnableIpForward: "1",
    BridgeIface: "",
    BridgeIP: "10.8.0.1/24",
    DefaultBindingIP: "0.0.0.0",
  });
});

test("without a network nobody can have an interface", async () => {
  const { eng, flags } = loaded({}, "--bridge", "none");
  expect(await initNetwork(eng, flags.config)).toBe(false);
  await expect(run(eng, "allocate_interface", ["c1"])).rejects.toThrow("allocate_interface: command not found");
});

test("the last 64 events are remembered: as here, so in the record of 1.2.0", async () => {
  const recorded = goldenRecords("events").find(({ id }) => id === "events.031")?.response.body;
  expect(recorded).toHaveLength(64);
  const { answers } = await trace("steps=2", "log=65", "events=1");
  expect(answers[1]?.text.match(/"id":"c\d+"/g)).toHaveLength(64);
  expect(answers[1]?.text).not.toContain('"id":"c1"');
});

test("a name is no address: what no route runs is not served, whatever its name", () => {
  const run = new Set(ROUTES.flatMap(({ jobs }) => jobs));
  expect(["commands", ...namesOf(...BUILTINS)].filter((name) => !run.has(name)).sort()).toEqual([
    "acceptconnections",
    "commands",
    "init_networkdriver",
    "log",
    "serveapi",
    "subscribers_count",
  ]);
});

test("the catalogue of 1.2.0 has 50 names, each once, and grows 1, 10, 14, 36, 50", async () => {
  expect(new Set(CATALOGUE.map(({ name }) => name)).size).toBe(50);
  expect((await trace()).steps.map(({ original }) => original)).toEqual([1, 10, 14, 36, 50]);
  expect((await trace("--bridge=none")).steps.map(({ original }) => original)).toEqual([1, 10, 10, 32, 46]);
  const facts = (name: string) =>
    JSON.parse(readFileSync(new URL(`../../book/data/${name}.json`, import.meta.url), "utf8")).files;
  const [lines, symbols] = [facts("go-lines"), facts("go-symbols")];
  for (const { registered, handler, defined } of CATALOGUE) {
    for (const [file = "", line] of [registered.split(":"), defined.split(":")]) {
      expect(Number(line), `${file}:${line}`).toBeLessThanOrEqual(lines[file] ?? 0);
    }
    const [type, method] = handler.split(".");
    const known: string[] = symbols[defined.split(":")[0] ?? ""];
    if (handler !== "closure")
      expect(
        [method ?? type, `(*${type}).${method}`].some((one) => known.includes(one ?? "")),
        handler,
      ).toBe(true);
  }
});

test("every name that is registered here is one of 1.2.0's", async () => {
  const { steps } = await trace();
  let absent = 0;
  for (const { added, parts, missing, size, original } of steps) {
    absent += missing.length;
    expect([...added, ...missing].sort()).toEqual(namesOf(...parts).sort());
    expect(original - size).toBe(absent);
  }
});

/** What the demonstration prints. */
async function printed(...args: string[]): Promise<{ text: string; status: number }> {
  const out = new BufferWriter();
  const status = await demo(args, out);
  return { text: out.toString(), status };
}

/** The part of the output that depends on how much of 1.2.0 is there by now. */
async function install(...args: string[]): Promise<string> {
  const { steps } = await trace(...args);
  return steps
    .slice(3)
    .map(({ call, added, missing, size, original }, i) => {
      const here = size === original ? "" : `  (here ${size})`;
      const gap = missing.length === 0 ? "" : wrapped(["not here yet:", ...missing]);
      return `${i + 4}  ${call.padEnd(38)}${original}${here}\n${wrapped(added)}${gap}`;
    })
    .join("");
}

test("the demonstration shows the table growing", async () => {
  expect(await printed()).toEqual({
    status: 0,
    text: `docker -d

1  engine.New()                           1
     commands
2  builtins.Register(eng)                10
     daemon(eng)                        init_networkdriver
     remote(eng)                        serveapi acceptconnections
     events.New().Install(eng)          events log subscribers_count
     eng.Register("version", …)         version
     registry.NewService().Install(eng) auth search
3  the job init_networkdriver            14
     allocate_interface release_interface allocate_port link
   | bridge docker0, 172.17.42.1/16; httpapi.bridgeIP 172.17.42.1; ip_forward 1
   | nat    -I POSTROUTING -s 172.17.42.1/16 ! -o docker0 -j MASQUERADE
   | nat    -N DOCKER
   | nat    -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
   | nat    -A OUTPUT -m addrtype --dst-type LOCAL ! --dst 127.0.0.0/8 -j DOCKER
   | filter -I FORWARD -i docker0 -o docker0 -j ACCEPT
   | filter -I FORWARD -i docker0 ! -o docker0 -j ACCEPT
   | filter -I FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
${await install()}`,
  });
});

test("the demonstration runs what it is asked to run", async () => {
  const { text, status } = await printed("--bridge", "none", "version", "log=65", "events=1", "name=pull");
  expect(status).toBe(0);
  expect(text).toContain("3  the job init_networkdriver            10\n     does not run: there is to be no network\n");
  expect(text).toContain("5  TagStore.Install(eng)                 46");
  expect(text.slice(text.indexOf("\nversion\n"))).toBe(`
version
  {"ApiVersion":"1.14","Arch":"amd64","GitCommit":"fa7b24f","GoVersion":"memory","KernelVersion":"3.16.0","Os":"linux","Version":"1.2.0"}

log 65
  65 events are logged.

events 1
  {"status":"start","id":"c2","from":"busybox","time":1408566014}
  …
  {"status":"start","id":"c65","from":"busybox","time":1408566014}
  events: 64

pull
  registered by  TagStore.Install(eng), graph/service.go:26
  runs           TagStore.CmdPull, graph/pull.go:18
  routes         POST /images/create
`);
});

test("the demonstration asks the index, and shows no password", async () => {
  const { text } = await printed("steps=2", "search=busybox", "auth=ann:secret", "auth=ann:guess", "name=log");
  expect(text.slice(text.indexOf("\nsearch"))).toBe(`
search busybox
  [{"description":"Busybox base image.","is_official":true,"is_trusted":false,"name":"busybox","star_count":69}
  ,{"description":"Java","is_official":false,"is_trusted":true,"name":"jeanblanchard/busybox-java","star_count":3}
  ]

auth ann:…
  Login Succeeded

auth ann:…
  Wrong login/password, please try again

log
  registered by  events.New().Install(eng), events/events.go:33
  runs           Events.Log, events/events.go:84
  routes         none: only other code runs it
`);
});

test("the demonstration stops where a start would", async () => {
  const missing = await printed("-b", "br9");
  expect(missing.status).toBe(1);
  expect(missing.text).toContain(
    "   the job init_networkdriver fails: route ip+net: no such network interface: br9; make it first ",
  );
  expect(missing.text).toContain(".init_networkdriver()] bridge not found: br9\n");
  const again = await printed("twice");
  expect(again.status).toBe(1);
  expect(again.text).toContain("fails: Can't overwrite handler for command init_networkdriver\n");
});

test("the demonstration says what is wrong with its arguments, and lists them", async () => {
  expect(await printed("steps=9")).toEqual({ status: 2, text: "Cannot read steps=9: see --help\n" });
  expect(await printed("--nope")).toEqual({ status: 2, text: "flag provided but not defined: --nope\n" });
  expect(await printed("extra")).toEqual({
    status: 2,
    text: "There is a word that is neither a flag nor one of ours: see --help\n",
  });
  expect((await printed("--help")).text).toContain("events=1           since second 1\n");
});

/** The arguments behind everything in a picture that can be pressed. */
const buttons = (html: string) =>
  [...html.matchAll(/data-args="([^"]*)"/g)].map(
    ([, args]) => JSON.parse((args ?? "").replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))) as string[],
  );

test("the picture has a button for each step and each name, and marks without colour what a name is", async () => {
  const html = await live.draw([], "en");
  const pressed = buttons(html);
  expect(pressed.filter(([word]) => word?.startsWith("steps="))).toHaveLength(5);
  expect(
    pressed
      .filter(([word]) => word?.startsWith("name="))
      .map(([word]) => word?.slice(5))
      .sort(),
  ).toEqual(CATALOGUE.map(({ name }) => name).sort());
  const cells = cellsOf(await trace("name=pull"), "pull");
  const mark = (name: string) => cells.find((cell) => cell.name === name)?.mark;
  expect([mark("commands"), mark("auth"), mark("create"), mark("pull"), mark("images")]).toEqual([
    "1",
    "2",
    "4",
    "▸5",
    "+5",
  ]);
  const { steps } = await trace();
  for (const name of steps.flatMap(({ missing }) => missing)) expect(mark(name)).toMatch(/^…/);
});

test("the picture grows with the steps, and shows what a name is in both languages", async () => {
  expect(cellsOf(await trace("steps=2"), undefined)).toHaveLength(10);
  expect(cellsOf(await trace("steps=3"), undefined)).toHaveLength(14);
  const [en, zh] = await Promise.all([live.draw(["name=events"], "en"), live.draw(["name=events"], "zh")]);
  for (const html of [en, zh]) {
    expect(html).toContain("Events.Get — events/events.go:44");
    expect(html).toContain("GET /events");
  }
  expect(en).toContain("routes that run it");
  expect(zh).toContain("会执行它的路由");
  expect(zh).not.toContain("registered by");
});

test("the picture shows rules, answers and failures, and refuses arguments that are none", async () => {
  expect(await live.draw(["--icc=false"], "en")).toContain("-i docker0 -o docker0 -j DROP");
  expect(await live.draw(["steps=2", "log=65", "events=1"], "en")).toContain("… 62 …");
  expect(await live.draw(["--bridge=br9"], "zh")).toContain("no such network interface");
  await expect(live.draw(["steps=9"], "en")).rejects.toThrow("Cannot read steps=9");
  await expect(live.draw(["--nope"], "en")).rejects.toThrow("flag provided but not defined: --nope");
});

test("every preset can be drawn, and each control reads what it wrote", async () => {
  for (const { args } of live.presets) expect(await live.draw(args, "zh")).toContain("<svg");
  for (const control of live.controls) {
    if (control.kind === "switch") expect(control.read(control.write([], true))).toBe(true);
    if (control.kind === "range") expect(control.read(control.write([], 3))).toBe(3);
    if (control.kind === "choice") expect(control.read(control.write([], "172.17.0.0/16"))).toBe("172.17.0.0/16");
  }
});
