/**
 * The network of containers as other programs see it: addresses, published ports, links, the daemon's flags, and the
 * files in /etc that tell of it.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { okWith } from "../support/commands.ts";
import {
  hasRoot,
  makeNetns,
  namespacesOf,
  run,
  startDaemon,
  type TestDaemon,
  type TestNetns,
} from "../support/daemon.ts";
import { BUSYBOX, startRegistry } from "../support/images.ts";
import { ask } from "../support/traces.ts";

const isRoot = hasRoot("a network needs root");

const image = "busybox";
/** For what happens behind the answer. */
const PATIENTLY = { timeout: 10_000 };
/** The daemon's network has this address on a wire to the outside, where the other one is. */
const [HERE, OUTSIDE] = ["10.99.0.1", "10.99.0.2"];

/** One root for all: each test has a daemon of its own on it, in a network of its own. */
let dir: string;
let root: string;
let netns: TestNetns;
let outside: TestNetns;
let daemon: TestDaemon;
const programs: ChildProcess[] = [];

beforeAll(async () => {
  if (!isRoot) return;
  dir = mkdtempSync(join(tmpdir(), "dd-network-"));
  root = join(dir, "root");
  const first = makeNetns();
  const registry = await startRegistry(first.prefix);
  await registry.push("busybox", [BUSYBOX]);
  const puller = await startDaemon({ netns: first, root });
  const name = `${registry.address}/busybox`;
  expect((await puller.docker("pull", name)).code).toBe(0);
  expect((await puller.docker("tag", name, image)).code).toBe(0);
  await puller.remove();
  await registry.stop();
  first.remove();
});
afterAll(() => {
  if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
});

async function ip(netns: TestNetns, ...words: string[]): Promise<void> {
  const { code, stderr } = await run(["ip", "-n", netns.name, ...words]);
  if (code !== 0) throw new Error(`ip ${words.join(" ")}: ${stderr}`);
}

/** Two networks with a wire between them. */
async function makeNetworks(): Promise<void> {
  netns = makeNetns();
  outside = makeNetns();
  await ip(netns, "link", "add", "uplink", "type", "veth", "peer", "name", "eth0", "netns", outside.name);
  for (const [where, link, address] of [
    [netns, "uplink", HERE],
    [outside, "eth0", OUTSIDE],
  ] as const) {
    await ip(where, "address", "add", `${address}/24`, "dev", link);
    await ip(where, "link", "set", link, "up");
  }
  // The outside knows nothing of the containers' addresses but where to ask.
  await ip(outside, "route", "add", "default", "via", HERE);
}

async function boot(...args: string[]): Promise<void> {
  daemon = await startDaemon({ netns, root, args });
}

/** Ends the daemon, its containers and everything else of a test. */
async function tearDown(): Promise<void> {
  for (const program of programs.splice(0)) program.kill("SIGKILL");
  if (daemon !== undefined) {
    for (const id of (await daemon.docker("ps", "-a", "-q")).stdout.split("\n").filter(Boolean)) {
      await daemon.docker("rm", "-f", "-v", id);
    }
    await daemon.remove();
  }
  outside.remove();
  netns.remove();
}

const ok = async (...args: string[]) => (await okWith(daemon.docker, ...args)).trim();

/** A container that does nothing, and ends when it is asked to; its id. */
const idle = (...flags: string[]) =>
  ok("run", "-d", ...flags, image, "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 100 & wait; done");
const inspect = async <T>(name: string, path: string) =>
  JSON.parse(await ok("inspect", "-f", `{{json .${path}}}`, name)) as T;
const addressOf = (name: string) => inspect<string>(name, "NetworkSettings.IPAddress");
const portsOf = (name: string) =>
  inspect<Record<string, { HostIp: string; HostPort: string }[] | null>>(name, "NetworkSettings.Ports");
const rules = async () =>
  (await daemon.inside("iptables-save")).stdout.split("\n").filter((line) => line.startsWith("-A"));
const containerRules = async () => (await rules()).filter((rule) => /--[ds]port/.test(rule));
/** A place to call from or to listen in: a prefix for a command. */
const inContainer = (id: string) => ["nsenter", `--net=${join(namespacesOf(root), id)}`];

const SERVER = `
  const [proto, port] = process.argv.slice(1);
  if (proto === "tcp") {
    const server = require("node:net").createServer((s) => s.on("error", () => {}).end(s.remoteAddress.replace("::ffff:", "")));
    server.listen(Number(port), "0.0.0.0", () => console.log("ready"));
  } else {
    const s = require("node:dgram").createSocket("udp4");
    s.on("message", (m, from) => s.send(from.address, from.port, from.address));
    s.bind(Number(port), () => console.log("ready"));
  }`;

const CLIENT = `
  const [proto, ip, port] = process.argv.slice(1);
  const say = (text) => { console.log(text); process.exit(); };
  setTimeout(say, 1500, "no answer");
  if (proto === "tcp") {
    const s = require("node:net").connect(Number(port), ip);
    let text = "";
    s.on("error", (e) => say(e.code)).on("data", (d) => { text += d; }).on("end", () => say(text));
  } else {
    const s = require("node:dgram").createSocket("udp4");
    s.on("error", (e) => say(e.code)).on("message", (m) => say(String(m)));
    s.connect(Number(port), ip, () => s.send("hello"));
  }`;

/** Listens somewhere, and answers with the address it was called from. */
async function serve(where: readonly string[], proto: string, port: number): Promise<void> {
  const words = [...where, process.execPath, "-e", SERVER, proto, String(port)];
  const child = spawn(words[0] ?? "", words.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  programs.push(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
}

/** What a call brings: the address the other side saw, the code of an error, or "no answer". */
async function call(where: readonly string[], proto: string, to: string, port: number | string): Promise<string> {
  return (await run([...where, process.execPath, "-e", CLIENT, proto, to, String(port)])).stdout.trim();
}

const vm = describe.runIf(isRoot);

vm("addresses and ports", () => {
  beforeEach(async () => {
    await makeNetworks();
    await boot();
  });
  afterEach(tearDown);

  test("addresses are given in turn; one that was given back waits for its next turn", async () => {
    const first = await idle();
    const second = await idle("--net", "none"); // takes one, and has no link
    const third = await idle();
    expect(await Promise.all([first, second, third].map(addressOf))).toEqual([
      "172.17.0.2",
      "172.17.0.3",
      "172.17.0.4",
    ]);
    expect(await ok("run", "--rm", "--net", "none", image, "ls", "/sys/class/net")).toBe("lo");
    const settings = await inspect<object>(third, "NetworkSettings");
    expect(settings).toMatchObject({ Gateway: "172.17.42.1", Bridge: "docker0", IPPrefixLen: 16, PortMapping: null });
    expect(
      (await run([...inContainer(third), "ip", "-4", "route"])).stdout.split("\n").map((line) => line.trim()),
    ).toEqual([
      "default via 172.17.42.1 dev eth0",
      "172.17.0.0/16 dev eth0 proto kernel scope link src 172.17.0.4",
      "",
    ]);
    await ok("stop", "-t", "0", first);
    expect(await inspect(first, "NetworkSettings")).toEqual({
      Bridge: "",
      Gateway: "",
      IPAddress: "",
      IPPrefixLen: 0,
      PortMapping: null,
      Ports: null,
    });
    await ok("start", first);
    expect(await addressOf(first)).toBe("172.17.0.6"); // .5 was that of the container with loopback only
  });

  test("a published port is reached from outside, by loopback, by address, from containers and from itself", async () => {
    const web = await idle("-p", "8080:80", "-p", "8080:53/udp");
    const other = await idle();
    const [address, foreign] = [await addressOf(web), await addressOf(other)];
    const gateway = "172.17.42.1";
    const places: [who: string, where: readonly string[], to: string, seen: string][] = [
      // By the filter: the container sees who calls.
      ["outside", outside.prefix, HERE, OUTSIDE],
      ["the host, by its address", netns.prefix, HERE, HERE],
      ["the host, by the bridge's", netns.prefix, gateway, gateway],
      // By the daemon's own sockets.
      ["the host, by loopback", netns.prefix, "127.0.0.1", gateway],
      ["another container, by the bridge's address", inContainer(other), gateway, gateway],
      ["itself, by the bridge's address", inContainer(web), gateway, gateway],
    ];
    await serve(inContainer(web), "tcp", 80);
    await serve(inContainer(web), "udp", 53);
    const answers = await Promise.all(
      places.flatMap(([who, where, to, seen]) =>
        ["tcp", "udp"].map(async (proto) => [`${proto} from ${who}`, await call(where, proto, to, 8080), seen]),
      ),
    );
    expect(answers.map(([who, answer]) => [who, answer])).toEqual(answers.map(([who, , seen]) => [who, seen]));
    // Datagrams come back from the bridge's address, as in 1.2.0: who has asked another one of the host does not hear them.
    for (const where of [inContainer(other), inContainer(web)])
      expect(await call(where, "tcp", HERE, 8080)).toBe(gateway);
    // Not by a port that nobody published, but within the bridge by the container's own.
    expect(await call(outside.prefix, "tcp", HERE, 80)).toBe("ECONNREFUSED");
    expect(await call(inContainer(other), "tcp", address, 80)).toBe(foreign);
    expect((await containerRules()).sort()).toEqual([
      `-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination ${address}:80`,
      `-A DOCKER ! -i docker0 -p udp -m udp --dport 8080 -j DNAT --to-destination ${address}:53`,
      `-A FORWARD -d ${address}/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT`,
      `-A FORWARD -d ${address}/32 ! -i docker0 -o docker0 -p udp -m udp --dport 53 -j ACCEPT`,
    ]);
    await ok("stop", "-t", "0", web);
    await expect.poll(containerRules, PATIENTLY).toEqual([]);
    for (const [who, where, to] of places.slice(0, 5)) {
      expect([who, await call(where, "tcp", to, 8080)]).toEqual([who, "ECONNREFUSED"]);
    }
  });

  test("-p in all its forms, -P: automatic ports go on after the last one, a port that somebody has is named", async () => {
    const auto = async (...flags: string[]) => {
      const id = await idle(...flags);
      return Object.fromEntries(
        Object.entries(await portsOf(id)).map(([port, bindings]) => [
          port,
          (bindings ?? []).map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}`),
        ]),
      );
    };
    expect(await auto("-p", "80")).toEqual({ "80/tcp": ["0.0.0.0:49153"] });
    // Both protocols count for themselves.
    expect(await auto("-p", "53/udp", "-p", "53/tcp")).toEqual({
      "53/udp": ["0.0.0.0:49153"],
      "53/tcp": ["0.0.0.0:49154"],
    });
    expect(await auto("-p", `${HERE}:7001:80`, "-p", `${HERE}::81`, "-p", "127.0.0.1::82", "-p", "7002:83")).toEqual({
      "80/tcp": [`${HERE}:7001`],
      "81/tcp": [expect.stringMatching(/^10\.99\.0\.1:491\d\d$/)],
      "82/tcp": [expect.stringMatching(/^127\.0\.0\.1:491\d\d$/)],
      "83/tcp": ["0.0.0.0:7002"],
    });
    // One port of the container may be published in many places.
    expect(await auto("-p", "7003:80", "-p", "7004:80", "-p", "127.0.0.1:7005:80")).toEqual({
      "80/tcp": ["0.0.0.0:7003", "0.0.0.0:7004", "127.0.0.1:7005"],
    });
    const all = await auto("-P", "--expose", "90", "--expose", "91/udp", "-p", "7006:92");
    expect(all).toEqual({
      "90/tcp": [expect.stringMatching(/^0\.0\.0\.0:4915\d$/)],
      "91/udp": ["0.0.0.0:49154"],
      "92/tcp": ["0.0.0.0:7006"],
    });

    // A container has it, on the same or on another address; a program has it.
    await serve(netns.prefix, "tcp", 7100);
    await serve(netns.prefix, "udp", 7101);
    const before = await rules();
    for (const [spec, taken] of [
      ["7002:80", "0.0.0.0:7002"],
      ["127.0.0.1:7002:80", "127.0.0.1:7002"],
      [`${HERE}:7001:80`, `${HERE}:7001`],
      ["7100:80", "0.0.0.0:7100"],
      ["7101:80/udp", "0.0.0.0:7101"],
    ] as const) {
      const { code, stderr } = await daemon.docker("run", "-d", "-p", spec, image, "sleep", "1000");
      expect(code).toBe(1);
      expect(stderr).toContain(`Bind for ${taken} failed: port is already allocated`);
    }
    // The same number, but on an address of its own or by the other protocol.
    expect(await auto("-p", "127.0.0.1:7001:80", "-p", "7001:80/udp", "-p", "7101:80")).toEqual({
      "80/tcp": ["127.0.0.1:7001", "0.0.0.0:7101"],
      "80/udp": ["0.0.0.0:7001"],
    });
    expect((await rules()).filter((rule) => !before.includes(rule) && !/7001|7101|--dport 80 /.test(rule))).toEqual([]);
    const body = { Image: image, Cmd: ["true"], ExposedPorts: { "70000/tcp": {} } };
    const { Id } = JSON.parse((await ask(daemon, "POST", "/containers/create", body)).body) as { Id: string };
    expect(await ask(daemon, "POST", `/containers/${Id}/start`, { PublishAllPorts: true })).toMatchObject({
      status: 500,
      body: expect.stringContaining("Invalid ContainerPort: 70000"),
    });
    expect((await rules()).filter((rule) => rule.includes("70000"))).toEqual([]);
  });

  test("a port and an address are free again after a stop, a crash of the program, and a crash of the daemon", async () => {
    const again = async () => {
      const id = await idle("-p", "7200:80", "-p", "7200:80/udp");
      expect((await containerRules()).length).toBe(4);
      return id;
    };
    const held = async () => (await daemon.inside("ss", "-Hlntu", "sport = :7200")).stdout.split("\n").length - 1;
    const free = () => expect.poll(async () => [await held(), await containerRules()], PATIENTLY).toEqual([0, []]);
    const first = await again();
    expect(await held()).toBe(2);
    await ok("stop", "-t", "0", first);
    await free();

    const second = await again();
    process.kill(await inspect<number>(second, "State.Pid"), "SIGKILL");
    await free();
    expect(await inspect(second, "State.ExitCode")).toBe(-1);

    await again();
    await daemon.end("SIGKILL");
    const crashed = daemon;
    expect((await containerRules()).length).toBe(4);
    await boot();
    await free();
    expect(await addressOf(await again())).toBe("172.17.0.2");
    await crashed.remove();

    // And when the daemon ends in good order.
    expect(await daemon.end()).toBe(0);
    await free();
    await boot();
  });
});

vm("links with --icc=false", () => {
  beforeEach(async () => {
    await makeNetworks();
    await boot("--icc=false");
  });
  afterEach(tearDown);

  test("open the linked ports and nothing else, as long as both ends run and the link is there", async () => {
    const store = await idle("--name", "store", "--expose", "5432", "--expose", "53/udp");
    const web = await idle("--name", "web", "--link", "store:data", "--link", "store:again");
    const other = await idle("--name", "other");
    const to = await addressOf(store);
    for (const [proto, port] of [
      ["tcp", 5432],
      ["tcp", 80],
      ["udp", 53],
    ] as const) {
      await serve(inContainer(store), proto, port);
    }
    await serve(inContainer(web), "tcp", 5432);
    const from = await addressOf(web);
    const calls = async () =>
      Object.fromEntries(
        await Promise.all(
          [
            ["linked tcp", web, "tcp", to, 5432],
            ["linked udp", web, "udp", to, 53],
            ["another port", web, "tcp", to, 80],
            ["the other way", store, "tcp", from, 5432],
            ["not linked", other, "tcp", to, 5432],
          ].map(async ([what, id, proto, ip, port]) => [
            what,
            await call(inContainer(id as string), proto as string, ip as string, port as number),
          ]),
        ),
      ) as Record<string, string>;
    const nobody = "no answer";
    const linked = { "linked tcp": from, "linked udp": from };
    const closed = { "another port": nobody, "the other way": nobody, "not linked": nobody };
    const between = (child: string, parent: string) =>
      ["53 udp", "5432 tcp"].flatMap((text) => {
        const [port, proto] = text.split(" ");
        const over = `-i docker0 -o docker0 -p ${proto} -m ${proto}`;
        return [
          `-A FORWARD -s ${child}/32 -d ${parent}/32 ${over} --sport ${port} -j ACCEPT`,
          `-A FORWARD -s ${parent}/32 -d ${child}/32 ${over} --dport ${port} -j ACCEPT`,
        ];
      });
    const once = between(to, from).sort();
    expect(await calls()).toEqual({ ...linked, ...closed });
    expect((await containerRules()).sort()).toEqual([...once, ...once].sort());
    expect((await rules()).filter((rule) => / -j DROP$/.test(rule))).toEqual([
      "-A FORWARD -i docker0 -o docker0 -j DROP",
    ]);

    // Of two links one may go; with the last one the way is closed.
    await ok("rm", "--link", "web/again");
    expect((await containerRules()).sort()).toEqual(once);
    expect(await calls()).toMatchObject(linked);
    await ok("rm", "--link", "web/data");
    expect(await containerRules()).toEqual([]);
    expect(await calls()).toMatchObject({ "linked tcp": nobody, "linked udp": nobody });
    expect(await inspect(web, "HostConfig.Links")).toBe(null);
    expect((await daemon.docker("rm", "--link", "web")).stderr).toContain(
      "Conflict, cannot remove the default name of the container",
    );
    expect((await daemon.docker("rm", "--link", "web/data")).stderr).toContain("No such link: web/data");
    await ok("rm", "-f", web);

    // Either side's end closes it; the parent's next start opens it again.
    const again = await idle("--name", "web", "--link", "store:data");
    expect(await containerRules()).toHaveLength(4);
    await ok("stop", "-t", "0", again);
    await expect.poll(containerRules, PATIENTLY).toEqual([]);
    await ok("start", again);
    expect(await containerRules()).toHaveLength(4);
    await ok("kill", store);
    await expect.poll(containerRules, PATIENTLY).toEqual([]);
    const failed = await daemon.docker("restart", "-t", "0", again);
    expect(failed.stderr).toContain("Cannot link to a non running container: /store AS /web/data");
    await ok("start", store);
    await ok("start", again);
    expect((await containerRules()).sort()).toEqual(between(await addressOf(store), await addressOf(again)).sort());
    expect(readFileSync(await inspect<string>(again, "HostsPath"), "utf8")).toContain(
      `${await addressOf(store)}\tdata\n`,
    );
    await ok("rm", "-f", store);
    await expect.poll(containerRules, PATIENTLY).toEqual([]);

    // A daemon that allows it takes the rule back.
    await daemon.end();
    await boot();
    expect((await rules()).filter((rule) => /-i docker0 -o docker0/.test(rule))).toEqual([
      "-A FORWARD -i docker0 -o docker0 -j ACCEPT",
    ]);
  });
});

/** What a program prints in a container of its own. */
const sh = (flags: string[], script: string) => ok("run", "--rm", ...flags, image, "sh", "-c", script);
const address = async (link: string) =>
  (await daemon.inside("ip", "-4", "-o", "address", "show", link)).stdout.split(/\s+/)[3];
const masquerade = async () => (await rules()).filter((rule) => rule.includes("MASQUERADE"));
const forwarding = async () => (await daemon.inside("cat", "/proc/sys/net/ipv4/ip_forward")).stdout.trim();
/** Rules of 1.2.0 for a bridge with nothing on it. */
const baseRules = (bridge: string, network: string) =>
  [
    `-A FORWARD -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    `-A FORWARD -i ${bridge} ! -o ${bridge} -j ACCEPT`,
    `-A FORWARD -i ${bridge} -o ${bridge} -j ACCEPT`,
    "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
    "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
    `-A POSTROUTING -s ${network} ! -o ${bridge} -j MASQUERADE`,
  ].sort();

vm("the daemon's flags", () => {
  beforeEach(makeNetworks);
  afterEach(tearDown);

  test("none: docker0 with its address and rules, containers go out under the host's address", async () => {
    await run([...netns.prefix, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward"]);
    await boot();
    expect(await address("docker0")).toBe("172.17.42.1/16");
    expect((await rules()).sort()).toEqual(baseRules("docker0", "172.17.0.0/16"));
    expect(await forwarding()).toBe("1");
    await serve(outside.prefix, "tcp", 90);
    expect(await call(inContainer(await idle()), "tcp", OUTSIDE, 90)).toBe(HERE);
  });

  test("--ip-masq=false: under their own address; --ip-forward=false: the machine stays no router", async () => {
    await run([...netns.prefix, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward"]);
    await boot("--ip-masq=false", "--ip-forward=false");
    expect(await masquerade()).toEqual([]);
    expect(await forwarding()).toBe("0");
    await serve(outside.prefix, "tcp", 90);
    const id = await idle();
    expect(await call(inContainer(id), "tcp", OUTSIDE, 90)).toBe("no answer");
    await run([...netns.prefix, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
    expect(await call(inContainer(id), "tcp", OUTSIDE, 90)).toBe(await addressOf(id));
  });

  test("--bip and --fixed-cidr: another network, and a part of it that is used up", async () => {
    await boot("--bip", "10.8.0.1/24", "--fixed-cidr", "10.8.0.128/30");
    expect(await address("docker0")).toBe("10.8.0.1/24");
    expect((await rules()).sort()).toEqual(baseRules("docker0", "10.8.0.0/24"));
    const [first, second] = [await idle(), await idle()];
    expect([await addressOf(first), await addressOf(second)]).toEqual(["10.8.0.129", "10.8.0.130"]);
    const none = await daemon.docker("run", "-d", image, "sleep", "1000");
    expect(none.stderr).toContain("no available ip addresses on network");
    await ok("rm", "-f", first);
    await expect.poll(async () => (await daemon.docker("run", "--rm", image, "true")).code, PATIENTLY).toBe(0);
    expect(await sh([], "ip route | grep default")).toContain("default via 10.8.0.1 dev eth0");
  });

  test("-b: a bridge of the user's, whose address and links are kept", async () => {
    await ip(netns, "link", "add", "br9", "type", "bridge");
    await ip(netns, "address", "add", "192.168.77.1/24", "dev", "br9");
    await ip(netns, "link", "set", "br9", "up");
    await boot("-b", "br9");
    expect((await daemon.inside("ip", "link", "show", "docker0")).code).toBe(1);
    expect((await rules()).sort()).toEqual(baseRules("br9", "192.168.77.0/24"));
    const id = await idle("-p", "7300:80");
    expect(await inspect(id, "NetworkSettings")).toMatchObject({
      Bridge: "br9",
      Gateway: "192.168.77.1",
      IPAddress: "192.168.77.2",
      IPPrefixLen: 24,
    });
    await serve(inContainer(id), "tcp", 80);
    expect(await call(outside.prefix, "tcp", HERE, 7300)).toBe(OUTSIDE);
    expect((await daemon.inside("ip", "-o", "link", "show", "master", "br9")).stdout).toMatch(/^\d+: veth/);
    await ok("rm", "-f", id);
    expect(await daemon.end()).toBe(0);
    expect(await address("br9")).toBe("192.168.77.1/24");
    await boot("-b", "none");
    expect(await sh(["-p", "7300:80"], "ls /sys/class/net; grep -v ip6 /etc/hosts")).toMatch(
      /^lo\n127\.0\.1\.1\t[0-9a-f]{12}\n127\.0\.0\.1\tlocalhost$/,
    );
  });

  test("--ip: where ports are published that name no address", async () => {
    await boot("--ip", HERE);
    const id = await idle("-p", "7400:80", "-p", "127.0.0.1:7401:80", "-P", "--expose", "81");
    expect(await portsOf(id)).toEqual({
      "80/tcp": [
        { HostIp: HERE, HostPort: "7400" },
        { HostIp: "127.0.0.1", HostPort: "7401" },
      ],
      "81/tcp": [{ HostIp: HERE, HostPort: "49153" }],
    });
    await serve(inContainer(id), "tcp", 80);
    expect(await call(outside.prefix, "tcp", HERE, 7400)).toBe(OUTSIDE);
    expect(await call(netns.prefix, "tcp", "127.0.0.1", 7400)).toBe("ECONNREFUSED");
    expect(await call(netns.prefix, "tcp", "127.0.0.1", 7401)).toBe("172.17.42.1");
    expect(await call(outside.prefix, "tcp", HERE, 7401)).toBe("ECONNREFUSED");
    const ofAddress = (await rules()).filter((rule) => rule.startsWith("-A DOCKER"));
    expect(ofAddress.every((rule) => rule.includes(`-d ${HERE}/32`))).toBe(true);
  });

  test("--iptables=false: no rule at all, and published ports are reached from everywhere", async () => {
    await boot();
    await daemon.end();
    await daemon.inside("iptables", "-t", "nat", "-F");
    await daemon.inside("iptables", "-F");
    await boot("--iptables=false");
    expect(await rules()).toEqual([]);
    const id = await idle("-p", "7500:80", "-p", "7500:53/udp");
    await serve(inContainer(id), "tcp", 80);
    await serve(inContainer(id), "udp", 53);
    const other = inContainer(await idle());
    for (const proto of ["tcp", "udp"]) {
      for (const [where, to] of [
        [outside.prefix, HERE],
        [netns.prefix, "127.0.0.1"],
        [other, "172.17.42.1"],
      ] as const) {
        expect([proto, to, await call(where, proto, to, 7500)]).toEqual([proto, to, "172.17.42.1"]);
      }
    }
    expect(await rules()).toEqual([]);
  });

  test("--mtu, else that of the default route", async () => {
    const mtu = () => sh([], "ip link show eth0 | grep -o 'mtu [0-9]*'");
    await ip(netns, "link", "set", "uplink", "mtu", "1300");
    await ip(netns, "route", "add", "default", "via", OUTSIDE);
    await boot("--mtu", "1400");
    expect(await mtu()).toBe("mtu 1400");
    await daemon.end();
    await boot();
    expect(await mtu()).toBe("mtu 1300");
    await daemon.end();
    await ip(netns, "route", "del", "default");
    await boot();
    expect(await mtu()).toBe("mtu 1500");
  });

  test("--dns and --dns-search: for containers that do not choose themselves", async () => {
    const host = readFileSync("/etc/resolv.conf", "utf8");
    const resolv = (...flags: string[]) => sh(flags, "cat /etc/resolv.conf");
    await boot("--dns", "9.9.9.9", "--dns", "1.1.1.1", "--dns-search", "corp.example", "--dns-search", "example");
    const servers = "nameserver 9.9.9.9\nnameserver 1.1.1.1";
    expect(await resolv()).toBe(`${servers}\nsearch corp.example example`);
    expect(await resolv("--dns", "8.8.8.8")).toBe("nameserver 8.8.8.8\nsearch corp.example example");
    expect(await resolv("--dns-search", "other")).toBe(`${servers}\nsearch other`);
    expect(await resolv("--dns-search", ".")).toBe(servers);
    expect(await resolv("--net", "none")).toBe(`${servers}\nsearch corp.example example`);
    expect(await resolv("--net", "host")).toBe(host.trim());
  });

  test("a value that is none: the daemon ends with a line that says so", async () => {
    await ip(netns, "link", "add", "empty", "type", "bridge");
    await ip(netns, "link", "add", "docker0", "type", "bridge");
    await ip(netns, "address", "add", "172.20.0.1/16", "dev", "docker0");
    const cases: readonly (readonly [args: readonly string[], text: string])[] = [
      [["-b", "nope"], "route ip+net: no such network interface: nope; make it first (ip link add nope type bridge)"],
      [["-b", "empty"], "Interface empty has no IP addresses"],
      [["-b", "uplink"], "uplink is no bridge"],
      [
        ["-b", "docker0", "--bip", "10.1.0.1/16"],
        "You specified -b & --bip, mutually exclusive options. Please specify only one.",
      ],
      [["--bip", "10.1.0.1/16"], "bridge ip (172.20.0.1) does not match existing bridge configuration 10.1.0.1"],
      [["--bip", "10.1.0.1"], "invalid CIDR address: 10.1.0.1"],
      [["--fixed-cidr", "10.1.0.0/16"], "network does not contain specified subnet"],
      [["--fixed-cidr", "x"], "invalid CIDR address: x"],
      [
        ["--icc=false", "--iptables=false"],
        "You specified --iptables=false with --icc=false. ICC uses iptables to function. Please set --icc or --iptables to true.",
      ],
      [["--mtu", "20"], "Invalid --mtu: 20; choose 68 to 65535, or 0 for that of the default route"],
      [["--mtu", "x"], 'invalid value "x" for flag --mtu'],
      [["--ip", "x"], 'invalid value "x" for flag --ip: x is not an ip address'],
      [["--dns", "x"], 'invalid value "x" for flag --dns: x is not an ip address'],
      [["--dns-search", "a b"], 'invalid value "a b" for flag --dns-search: a b is not a valid domain'],
    ];
    const before = (await run([...netns.prefix, "iptables-save"])).stdout;
    for (const [args, text] of cases) {
      const failure = await startDaemon({ netns, root, args: [...args] }).then(
        (started) => {
          daemon = started;
          return "it started";
        },
        (cause: unknown) => String(cause),
      );
      expect(failure).toContain(text);
    }
    expect((await run([...netns.prefix, "iptables-save"])).stdout).toBe(before);
    expect((await run([...netns.prefix, "ip", "-o", "link"])).stdout).not.toContain("veth");
  });
});

vm("the files in /etc", () => {
  let etc: string;
  beforeEach(async () => {
    await makeNetworks();
    etc = mkdtempSync(join(dir, "etc-"));
  });
  afterEach(tearDown);

  /** A daemon on a host of that name, with these files; they can be written to later. */
  async function bootOn(files: { "resolv.conf": string; hosts?: string }, ...args: string[]): Promise<void> {
    const mounts = Object.entries({ hosts: "127.0.0.1\tlocalhost\n", ...files }).map(([name, text]) => {
      writeFileSync(join(etc, name), text);
      return `mount --bind ${join(etc, name)} /etc/${name} && `;
    });
    const script = `hostname box.example.com && ${mounts.join("")} exec "$@"`;
    const on = { ...netns, prefix: [...netns.prefix, "unshare", "-m", "-u", "sh", "-c", script, "sh"] };
    daemon = await startDaemon({ netns: on, root, args });
  }
  const fileOf = async (id: string, path: "ResolvConfPath" | "HostsPath" | "HostnamePath") =>
    readFileSync(await inspect<string>(id, path), "utf8");
  const DEFAULTS = [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "ff00::0\tip6-mcastprefix",
    "ff02::1\tip6-allnodes",
    "ff02::2\tip6-allrouters",
  ];

  test("resolv.conf: the host's byte for byte, once in a container's life; parts of it with parts of one's own", async () => {
    const hosts =
      "# made by hand\nnameserver 10.1.1.1 \nnameserver fe80::1\nsearch old.example\nsearch a.example b.example\noptions ndots:3\n";
    await bootOn({ "resolv.conf": hosts });
    const id = await idle();
    expect(await ok("run", "--rm", image, "cat", "/etc/resolv.conf")).toBe(hosts.trim());
    expect(await fileOf(id, "ResolvConfPath")).toBe(hosts);
    // IPv4 servers only, and the last line of domains.
    expect(await sh(["--dns", "9.9.9.9"], "cat /etc/resolv.conf")).toBe(
      "nameserver 9.9.9.9\nsearch a.example b.example",
    );
    expect(await sh(["--dns-search", "c.example"], "cat /etc/resolv.conf")).toBe(
      "nameserver 10.1.1.1\nsearch c.example",
    );
    writeFileSync(join(etc, "resolv.conf"), "nameserver 10.2.2.2\n");
    await ok("restart", "-t", "1", id);
    expect(await fileOf(id, "ResolvConfPath")).toBe(hosts);
    expect(await sh([], "cat /etc/resolv.conf")).toBe("nameserver 10.2.2.2");
  });

  test.each([
    ["of this machine", "nameserver 127.0.0.1\nnameserver 10.1.1.1\nsearch corp.example\n"],
    ["of Ubuntu", "# nameserver 10.1.1.1\nnameserver 127.0.1.1\nsearch corp.example\n"],
    ["that is not there", "search corp.example\n"],
  ])("resolv.conf with a server %s: public ones, and the host's domains", async (_what, hosts) => {
    await bootOn({ "resolv.conf": hosts });
    expect(daemon.log()).toContain(
      "Local (127.0.0.1) DNS resolver found in resolv.conf and containers can't use it. Using default external servers : [8.8.8.8 8.8.4.4]",
    );
    const resolv = (...flags: string[]) => sh(flags, "cat /etc/resolv.conf");
    expect(await resolv()).toBe("nameserver 8.8.8.8\nnameserver 8.8.4.4\nsearch corp.example");
    expect(await resolv("--dns", "9.9.9.9")).toBe("nameserver 9.9.9.9\nsearch corp.example");
    expect(await resolv("--net", "host")).toBe(hosts.trim());
    await daemon.end();
    await bootOn({ "resolv.conf": hosts }, "--dns", "10.3.3.3");
    expect(daemon.log()).not.toContain("DNS resolver found");
    expect(await resolv()).toBe("nameserver 10.3.3.3\nsearch corp.example");
  });

  test("hosts and hostname: the container's own, the host's with --net=host, another's with --net=container", async () => {
    const hosts = "127.0.0.1\tlocalhost\n10.9.9.9\tprinter\n";
    await bootOn({ "resolv.conf": "nameserver 10.1.1.1\n", hosts });
    const id = await idle("-h", "web.example.com", "--name", "web");
    const own = async () => (await fileOf(id, "HostsPath")).trimEnd().split("\n");
    expect(await own()).toEqual([`${await addressOf(id)}\tweb.example.com web`, ...DEFAULTS]);
    expect(await fileOf(id, "HostnamePath")).toBe("web.example.com\n");
    const short = await idle();
    expect((await fileOf(short, "HostsPath")).split("\n")[0]).toBe(`${await addressOf(short)}\t${short.slice(0, 12)}`);
    expect(await fileOf(short, "HostnamePath")).toBe(`${short.slice(0, 12)}\n`);

    // The file is the same one all the time; what a program writes there is seen, and is gone with the next start.
    writeFileSync(await inspect<string>(id, "HostsPath"), "1.2.3.4\tmine\n");
    const joined = await idle("--net", "container:web", "--name", "joined");
    for (const path of ["HostsPath", "ResolvConfPath", "Config.Hostname", "Config.Domainname"]) {
      expect([path, await inspect(joined, path)]).toEqual([path, await inspect(id, path)]);
    }
    expect(await inspect(joined, "HostnamePath")).toBe("");
    expect(await inspect(joined, "NetworkSettings.IPAddress")).toBe("");
    await ok("restart", "-t", "1", id);
    expect(await own()).toEqual([`${await addressOf(id)}\tweb.example.com web`, ...DEFAULTS]);

    const host = await idle("--net", "host");
    expect(await fileOf(host, "HostsPath")).toBe(hosts);
    expect(await fileOf(host, "HostnamePath")).toBe("box.example.com\n");
    expect(await inspect(host, "Config.Hostname")).toBe("box");
    expect(await inspect(host, "Config.Domainname")).toBe("example.com");
    const seen = "hostname; cat /etc/hostname; ls /sys/class/net | grep -c docker0";
    expect(await sh(["--net", "host"], seen)).toMatch(/^box(\.example\.com)?\nbox\.example\.com\n/);
    expect(await inspect(host, "NetworkSettings")).toMatchObject({ IPAddress: "", Ports: null });

    const none = await idle("--net", "none");
    expect((await fileOf(none, "HostsPath")).split("\n")[0]).toBe(`${await addressOf(none)}\t${none.slice(0, 12)}`);
    await ok("stop", "-t", "1", "web");
    for (const [net, text] of [
      ["container:web", "cannot join network of a non running container: web"],
      ["container:nobody", "no such container to join network: nobody"],
    ] as const) {
      expect((await daemon.docker("run", "-d", "--net", net, image, "true")).stderr).toContain(text);
    }
  });
});
