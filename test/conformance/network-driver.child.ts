/**
 * The promises of a network driver, kept in the network namespace this process was started in.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { initDriver } from "../../src/daemon/networkdriver/bridge/driver.ts";
import { createInterface, removeInterface } from "../../src/daemon/networkdriver/interface.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { Env } from "../../src/engine/env.ts";
import type { Host } from "../../src/host/host.ts";
import { linuxHost } from "../../src/host/linux/host.ts";
import { insideNetns } from "../../src/host/linux/netns.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { BufferWriter } from "../../src/sync/io.ts";

const root = mkdtempSync(join(tmpdir(), "drydock-network-"));
const real = linuxHost({ env: { PATH: process.env["PATH"] } });
const out = Object.assign(new BufferWriter(), { isTerminal: false });
const host: Host = { ...real, stdout: out, stderr: out };
const log = new Logger(host);

/** Boots a driver as the daemon does. */
async function boot(settings: Record<string, string> = {}, on: Host = host): Promise<Engine> {
  const engine = new Engine(on);
  engine.register("init_networkdriver", initDriver(on, log));
  const job = engine.job("init_networkdriver");
  const all = { EnableIptables: "1", InterContainerCommunication: "1", EnableIpForward: "1", ...settings };
  for (const [key, value] of Object.entries(all)) job.setenv(key, value);
  await job.run();
  return engine;
}

/** Runs a job and reads what it prints. */
async function run(engine: Engine, name: string, args: string[], env: Record<string, string> = {}): Promise<Env> {
  const job = engine.job(name, ...args);
  const answer = job.stdout.addEnv();
  for (const [key, value] of Object.entries(env)) job.setenv(key, value);
  await job.run();
  return answer;
}

/** All rules, as the program lists them. */
async function rules(): Promise<string[]> {
  const { stdout } = await real.exec.run("iptables-save", []);
  return stdout
    .toString()
    .split("\n")
    .filter((line) => line.startsWith("-A"));
}

/** A container without a process: an address, and a namespace with an interface. */
async function container(engine: Engine, id: string): Promise<{ ip: string; netnsPath: string; vethHost: string }> {
  const env = await run(engine, "allocate_interface", [id]);
  const ip = env.get("IP");
  const netnsPath = join(root, id);
  const { vethHost } = await createInterface(host, {
    id,
    netnsPath,
    bridge: env.get("Bridge"),
    ip,
    prefix: env.getInt("IPPrefixLen"),
    gateway: env.get("Gateway"),
    mtu: 1500,
  });
  return { ip, netnsPath, vethHost };
}

/** A server in a namespace that answers with the address it was called from. */
function serve(netnsPath: string, port: number): Server {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(`${socket.remoteAddress?.replace("::ffff:", "")}`);
  });
  insideNetns(netnsPath, () => server.listen(port)); // without a host name the socket is made at once
  return server;
}

/** What a connection from a namespace (or from here) brings; "no answer" after a moment. */
async function call(netnsPath: string | undefined, ip: string, port: number): Promise<string> {
  const program = `
    const socket = require("node:net").connect(${port}, "${ip}");
    setTimeout(() => { console.log("no answer"); process.exit(); }, 500);
    socket.on("error", (cause) => { console.log(cause.code); process.exit(); });
    let text = ""; socket.on("data", (part) => text += part);
    socket.on("end", () => { console.log(text); process.exit(); });`;
  const node = [process.execPath, "-e", program];
  const [command = "", ...args] = netnsPath === undefined ? node : ["nsenter", `--net=${netnsPath}`, ...node];
  return (await real.exec.run(command, args)).stdout.toString().trim();
}

/** Gives back everything a test took. */
async function release(engine: Engine, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    await run(engine, "release_interface", [id]);
    await removeInterface(host, { netnsPath: join(root, id) });
  }
}

const link = (name: string) => {
  const links = real.net.links();
  try {
    return links.list().find((one) => one.name === name);
  } finally {
    links.close();
  }
};

/** Removes the bridge and every rule, as after a boot of the machine. */
async function clean(): Promise<void> {
  const links = real.net.links();
  links.remove("docker0");
  links.close();
  for (const table of ["filter", "nat"]) {
    await real.exec.run("iptables", ["-t", table, "-F"]);
    await real.exec.run("iptables", ["-t", table, "-X"]);
  }
}

const BASE_RULES = [
  "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT",
  "-A FORWARD -i docker0 -o docker0 -j ACCEPT",
  "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
  "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
  "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
];

before(() => {
  const links = real.net.links();
  links.setUp("lo");
  links.close();
});

after(() => rmSync(root, { recursive: true, force: true }));

test("init makes docker0 with its address, its rules, and a router of the machine", async () => {
  const engine = await boot();
  const links = real.net.links();
  const bridge = links.list().find((one) => one.name === "docker0");
  assert.equal(bridge?.up, true);
  assert.match(bridge.mac, /^.[26ae]:/);
  assert.deepEqual(
    links
      .addresses()
      .filter(({ index }) => index === bridge.index)
      .map(({ address, prefix }) => `${address}/${prefix}`),
    ["172.17.42.1/16"],
  );
  links.close();
  assert.deepEqual((await rules()).sort(), [...BASE_RULES].sort());
  assert.equal(readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8"), "1\n");
  assert.equal(engine.hackGetGlobalVar("httpapi.bridgeIP"), "172.17.42.1");
  assert.match(
    out.toString(),
    /init_networkdriver\(\)\] creating new bridge for docker0\n.*init_networkdriver\(\)\] getting iface addr\n/s,
  );
});

test("init finds its own bridge and rules again", async () => {
  await boot();
  await boot({ BridgeIP: "172.17.42.1/16" });
  assert.deepEqual((await rules()).sort(), [...BASE_RULES].sort());
  await assert.rejects(boot({ BridgeIP: "10.1.2.3/16" }), {
    message: "bridge ip (172.17.42.1) does not match existing bridge configuration 10.1.2.3",
  });
});

test("the trace of a first boot is that of 1.2.0, command for command", async () => {
  await clean();
  const trace = Object.assign(new BufferWriter(), { isTerminal: false });
  await boot({}, { ...host, env: { ...host.env, DEBUG: "1" }, stderr: trace });
  const path = await real.exec.lookPath("iptables");
  const commands = trace
    .toString()
    .split("\n")
    .filter((line) => line.startsWith(`[debug] ${path}, [`));
  assert.deepEqual(
    commands.map((line) => line.slice(`[debug] ${path}, [`.length, -1)),
    [
      "--wait -C POSTROUTING -t nat -s 172.17.42.1/16 ! -o docker0 -j MASQUERADE",
      "--wait -I POSTROUTING -t nat -s 172.17.42.1/16 ! -o docker0 -j MASQUERADE",
      "--wait -D FORWARD -i docker0 -o docker0 -j DROP",
      "--wait -C FORWARD -i docker0 -o docker0 -j ACCEPT",
      "--wait -I FORWARD -i docker0 -o docker0 -j ACCEPT",
      "--wait -C FORWARD -i docker0 ! -o docker0 -j ACCEPT",
      "--wait -I FORWARD -i docker0 ! -o docker0 -j ACCEPT",
      "--wait -C FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "--wait -I FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "--wait -t nat -D PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
      "--wait -t nat -D OUTPUT -m addrtype --dst-type LOCAL ! --dst 127.0.0.0/8 -j DOCKER",
      "--wait -t nat -D OUTPUT -m addrtype --dst-type LOCAL -j DOCKER",
      "--wait -t nat -D PREROUTING -j DOCKER",
      "--wait -t nat -D OUTPUT -j DOCKER",
      "--wait -t nat -F DOCKER",
      "--wait -t nat -X DOCKER",
      "--wait -t nat -N DOCKER",
      "--wait -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
      "--wait -t nat -A OUTPUT -m addrtype --dst-type LOCAL ! --dst 127.0.0.0/8 -j DOCKER",
    ],
  );
});

test("containers have addresses in turn and reach each other and the host", async () => {
  const engine = await boot();
  const a = await container(engine, "a");
  const b = await container(engine, "b");
  assert.deepEqual([a.ip, b.ip], ["172.17.0.2", "172.17.0.3"]);
  assert.match(a.vethHost, /^veth[0-9a-f]{7}$/);
  const server = serve(b.netnsPath, 80);
  assert.equal(await call(a.netnsPath, b.ip, 80), a.ip);
  assert.equal(await call(undefined, b.ip, 80), "172.17.42.1");
  server.close();
  await release(engine, "a", "b");
});

test("an interface has the address, the route and the size it was asked for", async () => {
  const engine = await boot();
  const a = await container(engine, "a");
  const links = real.net.links(a.netnsPath);
  const eth0 = links.list().find(({ name }) => name === "eth0");
  assert.deepEqual([eth0?.up, eth0?.mtu, eth0?.mac], [true, 1500, "02:42:ac:11:00:02"]);
  assert.equal(links.list().find(({ name }) => name === "lo")?.up, true);
  assert.deepEqual(
    links
      .routes()
      .map(({ destination, gateway }) => [destination, gateway])
      .sort(),
    [
      ["0.0.0.0/0", "172.17.42.1"],
      ["172.17.0.0/16", undefined],
    ],
  );
  links.close();
  await release(engine, "a");
});

test("an interface is removed with its namespace, twice without error", async () => {
  const engine = await boot();
  const a = await container(engine, "a");
  await removeInterface(host, { netnsPath: a.netnsPath });
  await removeInterface(host, { netnsPath: a.netnsPath });
  assert.equal(existsSync(a.netnsPath), false);
  for (let round = 0; round < 200 && link(a.vethHost) !== undefined; round++) await real.clock.sleep(10);
  assert.equal(link(a.vethHost), undefined);
  await run(engine, "release_interface", ["a"]);
});

test("an interface that cannot be made leaves nothing", async () => {
  const netnsPath = join(root, "broken");
  const options = { id: "x", netnsPath, bridge: "nobridge", ip: "172.17.0.9", prefix: 16, gateway: "", mtu: 0 };
  const message = /^Cannot connect veth[0-9a-f]{7} to the bridge nobridge: no such device$/;
  await assert.rejects(createInterface(host, options), { message });
  assert.equal(existsSync(netnsPath), false);
});

test("many links are removed at once, and no other ones", async () => {
  const netns = join(root, "many");
  await real.net.createNetns(netns);
  const links = real.net.links();
  const names = Array.from({ length: 60 }, (_, i) => `many${i}`);
  for (const name of [...names, "other"]) links.addVeth({ name, peer: `p${name}`, peerNetns: netns, mtu: 0 });
  links.remove("many0", "nobody", ...names.slice(1));
  assert.deepEqual(
    links
      .list()
      .filter(({ name }) => /^many|other/.test(name))
      .map(({ name }) => name),
    ["other"],
  );
  links.remove("nobody");
  links.remove("nobody", "no-one");
  links.remove();
  links.remove("other");
  assert.equal(link("other"), undefined);
  links.close();
  await real.net.removeNetns(netns);
});

test("createInterface() replaces what an earlier daemon left at the path", async () => {
  const engine = await boot();
  await real.net.createNetns(join(root, "a"));
  const a = await container(engine, "a");
  assert.notEqual(link(a.vethHost), undefined);
  await release(engine, "a");
});

test("a published port is reached from outside, from loopback and from another container", async () => {
  const engine = await boot();
  const a = await container(engine, "a");
  const b = await container(engine, "b");
  const outside = join(root, "outside");
  await real.net.createNetns(outside);
  const links = real.net.links();
  links.addVeth({ name: "uplink", peer: "eth0", peerNetns: outside, mtu: 0 });
  links.addAddress("uplink", "10.99.0.1/24");
  links.setUp("uplink");
  const there = real.net.links(outside);
  there.addAddress("eth0", "10.99.0.2/24");
  there.setUp("eth0");
  const server = serve(a.netnsPath, 80);
  const env = await run(engine, "allocate_port", ["a"], { ContainerPort: "80", HostPort: "8080", Proto: "tcp" });
  assert.deepEqual([env.get("HostIP"), env.getInt("HostPort")], ["0.0.0.0", 8080]);
  // From outside by the packet filter: the container sees who calls.
  assert.equal(await call(outside, "10.99.0.1", 8080), "10.99.0.2");
  assert.equal(await call(undefined, "10.99.0.1", 8080), "10.99.0.1");
  // By the daemon's own forwarder.
  assert.equal(await call(undefined, "127.0.0.1", 8080), "172.17.42.1");
  assert.equal(await call(b.netnsPath, "172.17.42.1", 8080), "172.17.42.1");
  assert.deepEqual(
    (await rules()).filter((rule) => !BASE_RULES.includes(rule)),
    [
      "-A FORWARD -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT",
      "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80",
    ]
      .map((rule) => rule.replace("172.17.0.2", a.ip))
      .filter(Boolean),
  );
  await release(engine, "a", "b");
  assert.deepEqual((await rules()).sort(), [...BASE_RULES].sort());
  assert.equal(await call(undefined, "127.0.0.1", 8080), "ECONNREFUSED");
  server.close();
  there.close();
  links.remove("uplink");
  links.close();
  await real.net.removeNetns(outside);
});

test("a port published on 127.0.0.1 is there and nowhere else", async () => {
  const engine = await boot();
  const a = await container(engine, "a");
  const server = serve(a.netnsPath, 80);
  await run(engine, "allocate_port", ["a"], {
    ContainerPort: "80",
    HostIP: "127.0.0.1",
    HostPort: "8081",
    Proto: "tcp",
  });
  assert.equal(await call(undefined, "127.0.0.1", 8081), "172.17.42.1");
  assert.equal(await call(undefined, "172.17.42.1", 8081), "ECONNREFUSED");
  assert.deepEqual((await rules()).sort(), [...BASE_RULES].sort());
  await release(engine, "a");
  server.close();
});

test("a port that another program or another container has is refused", async () => {
  const engine = await boot();
  await run(engine, "allocate_interface", ["a"]);
  const other = createServer().listen(9000, "0.0.0.0");
  await once(other, "listening");
  const taken = { message: "Bind for 0.0.0.0:9000 failed: port is already allocated" };
  const ask = (port: string) =>
    run(engine, "allocate_port", ["a"], { ContainerPort: "80", HostPort: port, Proto: "tcp" });
  await assert.rejects(ask("9000"), taken);
  other.close();
  await once(other, "close");
  await ask("9000");
  await assert.rejects(ask("9000"), taken);
  await assert.rejects(run(engine, "allocate_port", ["a"], { ContainerPort: "80", Proto: "sctp" }), {
    message: "unsupported address type sctp",
  });
  for (const [name, value] of [
    ["HostIP", "nonsense"],
    ["HostPort", "99999"],
  ] as const) {
    const wrong = { ContainerPort: "80", Proto: "tcp", [name]: value };
    await assert.rejects(run(engine, "allocate_port", ["a"], wrong), { message: `Invalid ${name}: ${value}` });
  }
  await run(engine, "release_interface", ["a"]);
});

test("a port of an address that is not this machine's is a rule and nothing else", async () => {
  const engine = await boot();
  const { ip } = await container(engine, "a");
  const nowhere = { ContainerPort: "80", HostIP: "10.254.254.254", HostPort: "80", Proto: "tcp" };
  const env = await run(engine, "allocate_port", ["a"], nowhere);
  assert.deepEqual([env.get("HostIP"), env.getInt("HostPort")], ["10.254.254.254", 80]);
  const rule = `-A DOCKER -d 10.254.254.254/32 ! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination ${ip}:80`;
  assert.ok((await rules()).includes(rule));
  await release(engine, "a");
  assert.ok(!(await rules()).includes(rule));
});

test("automatic ports begin at 49153 and step over those that are in use", async () => {
  const engine = await boot();
  await run(engine, "allocate_interface", ["a"]);
  const other = createServer().listen(49154, "0.0.0.0");
  await once(other, "listening");
  const ports: number[] = [];
  for (const proto of ["tcp", "tcp", "udp"]) {
    ports.push((await run(engine, "allocate_port", ["a"], { ContainerPort: "80", Proto: proto })).getInt("HostPort"));
  }
  assert.deepEqual(ports, [49153, 49155, 49153]);
  other.close();
  await run(engine, "release_interface", ["a"]);
});

test("what is released once is not released twice", async () => {
  const engine = await boot();
  await run(engine, "allocate_interface", ["a"]);
  await run(engine, "release_interface", ["a"]);
  await assert.rejects(run(engine, "release_interface", ["a"]), { message: "No network information to release for a" });
});

test("without icc containers talk only where they are linked", async () => {
  const engine = await boot({ InterContainerCommunication: "0" });
  // Packets between ports of a bridge pass the filter only if the kernel says so.
  await real.fs.writeFile("/proc/sys/net/bridge/bridge-nf-call-iptables", "1\n").catch(() => undefined);
  const a = await container(engine, "a");
  const b = await container(engine, "b");
  const server = serve(b.netnsPath, 80);
  const ends = { ParentIP: a.ip, ChildIP: b.ip };
  const toggle = async (action: string) => {
    const job = engine.job("link", action);
    for (const [key, value] of Object.entries(ends)) job.setenv(key, value);
    job.setenvList("Ports", ["80/tcp"]);
    await job.run();
  };
  const filtered = existsSync("/proc/sys/net/bridge/bridge-nf-call-iptables");
  if (filtered) assert.equal(await call(a.netnsPath, b.ip, 80), "no answer");
  await toggle("-I");
  assert.equal(await call(a.netnsPath, b.ip, 80), a.ip);
  assert.equal((await rules()).filter((rule) => rule.includes(`${b.ip}/32`)).length, 2);
  await toggle("-D");
  assert.equal((await rules()).filter((rule) => rule.includes(`${b.ip}/32`)).length, 0);
  assert.ok((await rules()).includes("-A FORWARD -i docker0 -o docker0 -j DROP"));
  server.close();
  await release(engine, "a", "b");
});

test("without icc the kernel is told to filter the bridge; where it cannot, that is said", async () => {
  const path = "/proc/sys/net/bridge/bridge-nf-call-iptables";
  const programs: string[] = [];
  const missing = (times: number): Host => ({
    ...host,
    exec: {
      ...real.exec,
      run: (command, args, options) => {
        if (command !== "modprobe") return real.exec.run(command, args, options);
        programs.push(`${command} ${args.join(" ")}`);
        return real.exec.run("true", []);
      },
    },
    fs: {
      ...real.fs,
      writeFile: async (file: unknown) => {
        if (file !== path) return;
        programs.push("write");
        if (times-- > 0) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      },
    } as Host["fs"],
  });
  const said = () => out.toString().split("WARNING: containers can talk").length - 1;
  const before = said();
  await boot({ InterContainerCommunication: "0" }, missing(1));
  assert.deepEqual(programs.splice(0), ["write", "modprobe br_netfilter", "write"]);
  assert.equal(said(), before);
  await boot({ InterContainerCommunication: "0" }, missing(2));
  assert.deepEqual(programs.splice(0), ["write", "modprobe br_netfilter", "write"]);
  assert.equal(said(), before + 1);
  await boot({}, missing(1));
  assert.deepEqual(programs, []);
});

test("the rules of links and ports go with the daemon, when its containers are still there", async () => {
  const engine = await boot();
  const before = (await rules()).sort();
  const a = await container(engine, "a");
  for (const ChildIP of ["172.17.9.1", "172.17.9.1", "172.17.9.2"]) {
    const job = engine.job("link", "-I");
    for (const [key, value] of Object.entries({ ParentIP: a.ip, ChildIP })) job.setenv(key, value);
    job.setenvList("Ports", ["80/tcp", "53/udp"]);
    await job.run();
  }
  await run(engine, "allocate_port", ["a"], { ContainerPort: "80", Proto: "tcp" });
  assert.equal((await rules()).length, before.length + 12 + 2);
  await engine.shutdown();
  assert.deepEqual((await rules()).sort(), before);
  await removeInterface(host, { netnsPath: a.netnsPath });
});

test("without iptables there are no rules, and published ports work all the same", async () => {
  await clean();
  const engine = await boot({ EnableIptables: "0" });
  assert.deepEqual(await rules(), []);
  const a = await container(engine, "a");
  const server = serve(a.netnsPath, 80);
  await run(engine, "allocate_port", ["a"], { ContainerPort: "80", HostPort: "8082", Proto: "tcp" });
  assert.equal(await call(undefined, "127.0.0.1", 8082), "172.17.42.1");
  assert.deepEqual(await rules(), []);
  server.close();
  await release(engine, "a");
});

test("without masquerading there is no such rule, nor one from before", async () => {
  await boot();
  await boot({ EnableIpMasq: "0" });
  assert.equal(
    (await rules()).some((rule) => rule.includes("MASQUERADE")),
    false,
  );
});

test("a fixed range is kept to", async () => {
  const engine = await boot({ FixedCIDR: "172.17.5.0/30" });
  const ips: string[] = [];
  for (const id of ["a", "b"]) ips.push((await run(engine, "allocate_interface", [id])).get("IP"));
  assert.deepEqual(ips, ["172.17.5.1", "172.17.5.2"]);
  await assert.rejects(run(engine, "allocate_interface", ["c"]), { message: "no available ip addresses on network" });
  await assert.rejects(boot({ FixedCIDR: "10.0.0.0/24" }), { message: "network does not contain specified subnet" });
});

test("the leftovers of a killed daemon are removed, and nothing else", async () => {
  await clean();
  const killed: ChildProcess = spawn("true");
  await once(killed, "exit");
  const engine = await boot();
  const a = await container(engine, "a");
  const netns = join(root, "stale");
  await real.net.createNetns(netns);
  const links = real.net.links();
  for (const [name, alias] of [
    ["vethdead", `drydock ${killed.pid} 12345 x`],
    ["vethuser", ""],
  ] as const) {
    links.addVeth({
      name,
      peer: name.replace("veth", "e"),
      peerNetns: netns,
      mtu: 0,
      ...(alias === "" ? {} : { alias }),
    });
    links.setMaster(name, "docker0");
  }
  links.close();
  const own = ["-A", "FORWARD", "-p", "tcp", "--dport", "22", "-j", "ACCEPT"];
  await real.exec.run("iptables", own);
  await run(engine, "allocate_port", ["a"], { ContainerPort: "80", HostPort: "8083", Proto: "tcp" });
  await boot();
  assert.equal(link("vethdead"), undefined);
  assert.notEqual(link("vethuser"), undefined);
  assert.notEqual(link(a.vethHost), undefined);
  assert.deepEqual((await rules()).sort(), [...BASE_RULES, "-A FORWARD -p tcp -m tcp --dport 22 -j ACCEPT"].sort());
  await real.net.removeNetns(netns);
  // Its rules are gone already: giving the port back is no error for that.
  await release(engine, "a");
});

test("a bridge of the user's own is used, or missed by its name", async () => {
  await assert.rejects(boot({ BridgeIface: "br-none" }), {
    message: /^route ip\+net: no such network interface: br-none; /,
  });
  const links = real.net.links();
  links.addBridge("br-user");
  await assert.rejects(boot({ BridgeIface: "br-user" }), { message: "Interface br-user has no IP addresses" });
  links.addAddress("br-user", "192.168.77.1/24");
  links.setUp("br-user");
  await assert.rejects(boot({ BridgeIface: "lo" }), { message: /^lo is no bridge; / });
  const engine = await boot({ BridgeIface: "br-user" });
  const env = await run(engine, "allocate_interface", ["a"]);
  assert.equal(env.get("IP"), "192.168.77.2");
  assert.equal(env.get("Mask"), "ffffff00");
  links.remove("br-user");
  links.close();
});

test("a range that is in use is stepped over", async () => {
  await clean();
  const links = real.net.links();
  links.addBridge("br-other");
  links.addAddress("br-other", "172.17.0.1/16");
  links.setUp("br-other");
  const engine = await boot();
  assert.equal(engine.hackGetGlobalVar("httpapi.bridgeIP"), "10.0.42.1");
  links.remove("br-other");
  links.close();
});

test("a bridge that was left without its address is completed", async () => {
  await clean();
  const links = real.net.links();
  links.addBridge("docker0");
  links.close();
  const engine = await boot();
  assert.equal(engine.hackGetGlobalVar("httpapi.bridgeIP"), "172.17.42.1");
  assert.equal(link("docker0")?.up, true);
});

test("bridge none means no network at all", async () => {
  await clean();
  const engine = await boot({ BridgeIface: "none" });
  assert.deepEqual(
    engine.commands().filter((name) => name.includes("interface")),
    [],
  );
  assert.equal(link("docker0"), undefined);
  assert.deepEqual(await rules(), []);
});
