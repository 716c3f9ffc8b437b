/**
 * What init_networkdriver does to a real kernel: the daemon itself, each time in a network namespace of its own.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { DRYDOCK, makeNetns, run, startDaemon, type TestDaemon, type TestNetns } from "../../test/support/daemon.ts";

/** What is missing here, in a word; "" when nothing is. */
function missing(): string {
  if (process.platform !== "linux") return "this is not Linux";
  if (process.getuid?.() !== 0) return "this user is not root";
  for (const program of ["ip", "nsenter", "iptables", "iptables-save"]) {
    if (!["/sbin", "/usr/sbin", "/bin", "/usr/bin"].some((directory) => existsSync(join(directory, program)))) {
      return `there is no ${program}`;
    }
  }
  try {
    const netns = makeNetns();
    try {
      execFileSync(netns.prefix[0] ?? "", [...netns.prefix.slice(1), "iptables", "-t", "nat", "-S"], { stdio: "pipe" });
    } finally {
      netns.remove();
    }
  } catch (cause) {
    return `no network namespace with a packet filter can be made (${String(cause).split("\n")[0]})`;
  }
  return "";
}

const reason = missing();
if (reason !== "") console.info(`The network driver is not tried on this kernel: ${reason}.`);

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** A namespace that goes when its test ends. */
function namespace(): TestNetns {
  const netns = makeNetns();
  undo.push(() => netns.remove());
  return netns;
}

async function inside(netns: TestNetns, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await run([...netns.prefix, ...words]);
  if (code !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
  return stdout;
}

/** A bridge of somebody else's, with an address: the kernel adds the route to its network. */
async function bridge(netns: TestNetns, name: string, address: string): Promise<void> {
  await inside(netns, "ip", "link", "add", name, "type", "bridge");
  await inside(netns, "ip", "addr", "add", address, "dev", name);
  await inside(netns, "ip", "link", "set", name, "up");
}

async function start(netns: TestNetns, ...args: string[]): Promise<TestDaemon> {
  const daemon = await startDaemon({ driver: "vfs", netns, args });
  undo.push(() => daemon.remove());
  return daemon;
}

const addressOf = async (netns: TestNetns, name = "docker0") =>
  / inet (\S+)/.exec(await inside(netns, "ip", "-o", "-4", "addr", "show", "dev", name))?.[1];

/** The rules of a table as the kernel has them, without those that came with the namespace. */
const rules = async (netns: TestNetns, table: string) =>
  (await inside(netns, "iptables", "-t", table, "-S")).split("\n").filter((line) => /^-(?:A|N)/.test(line));

describe.skipIf(reason !== "")("init_networkdriver on this kernel", () => {
  test("001/5.4.1/2 the daemon makes docker0 with 172.17.42.1/16, sets it up, and says so in its log", async () => {
    const netns = namespace();
    const daemon = await start(netns);
    expect(await addressOf(netns)).toBe("172.17.42.1/16");
    const state = await inside(netns, "ip", "-d", "-o", "link", "show", "docker0");
    expect(state).toMatch(/<[^>]*\bUP\b[^>]*>/);
    expect(state).toContain(" bridge ");
    expect(daemon.log()).toMatch(/\+job init_networkdriver\(\)\n(?:.*\n)*.*creating new bridge for docker0\n/);
    expect(daemon.log()).toContain("-job init_networkdriver() = OK (0)");
  });

  test("004/b/6 the kernel holds one rule for NAT, three for forwarding, and the chain DOCKER", async () => {
    const netns = namespace();
    await start(netns);
    expect(await rules(netns, "nat")).toEqual([
      "-N DOCKER",
      "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
      "-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
      "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
    ]);
    expect(await rules(netns, "filter")).toEqual([
      "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT",
      "-A FORWARD -i docker0 -o docker0 -j ACCEPT",
    ]);
  });

  test("004/b/6 with --icc=false what is between containers is dropped", async () => {
    const netns = namespace();
    await start(netns, "--icc=false");
    expect(await rules(netns, "filter")).toContain("-A FORWARD -i docker0 -o docker0 -j DROP");
  });

  test("001/5.4.1/4 a second daemon finds the rules and adds none, and the chain DOCKER is made anew", async () => {
    const netns = namespace();
    const first = await start(netns);
    const before = [await rules(netns, "nat"), await rules(netns, "filter")];
    await first.end("SIGKILL");
    await inside(netns, "iptables", "-t", "nat", "-A", "DOCKER", "-p", "tcp", "--dport", "1", "-j", "RETURN");
    await start(netns);
    expect([await rules(netns, "nat"), await rules(netns, "filter")]).toEqual(before);
  });

  test("001/5.4.1/4 packets are forwarded, unless --ip-forward=false", async () => {
    for (const [flag, expected] of [
      ["--ip-forward=false", "0"],
      ["--ip-forward=true", "1"],
    ] as const) {
      const netns = namespace();
      await inside(netns, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward");
      await start(netns, flag);
      expect((await inside(netns, "cat", "/proc/sys/net/ipv4/ip_forward")).trim(), flag).toBe(expected);
    }
  });

  test("001/5.4.1/3 the first of the twelve ranges that meets no route is taken", async () => {
    const netns = namespace();
    await bridge(netns, "vpn0", "172.17.9.9/16");
    await bridge(netns, "vpn1", "10.0.200.1/24");
    const daemon = await start(netns, "-D");
    expect(await addressOf(netns)).toBe("10.1.42.1/16");
    expect(daemon.log()).toContain("172.17.42.1/16 requested network overlaps with existing network");
    expect(daemon.log()).toContain("10.0.42.1/16 requested network overlaps with existing network");
  });

  test("001/5.4.1/3 a bridge that was named and is missing ends the daemon, and none is made", async () => {
    const netns = namespace();
    const directory = mkdtempSync(join(tmpdir(), "drydock-br9-"));
    undo.push(() => rmSync(directory, { recursive: true, force: true }));
    const files = ["-g", join(directory, "root"), "-p", join(directory, "pid"), "-H", `unix://${directory}/sock`];
    const { code, stdout, stderr } = await run([...netns.prefix, DRYDOCK, "-d", "-s", "vfs", "-b", "br9", ...files]);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain("init_networkdriver()] bridge not found: br9\n");
    expect(stdout + stderr).toContain("no such network interface");
    expect(await inside(netns, "ip", "-o", "link")).not.toMatch(/br9|docker0/);
    expect(await rules(netns, "filter")).toEqual([]);
  });

  test("001/5.4.1/3 a bridge that was named and is there is taken as it is", async () => {
    const netns = namespace();
    await bridge(netns, "br9", "10.77.0.1/24");
    await start(netns, "-b", "br9");
    expect(await addressOf(netns, "br9")).toBe("10.77.0.1/24");
    expect(await inside(netns, "ip", "-o", "link")).not.toContain("docker0");
    expect(await rules(netns, "nat")).toContain("-A POSTROUTING -s 10.77.0.0/24 ! -o br9 -j MASQUERADE");
  });

  test("001/5.4.1/1 with --bridge none the name is there and nobody runs it", async () => {
    const netns = namespace();
    const daemon = await start(netns, "--bridge", "none");
    expect(daemon.log()).not.toContain("init_networkdriver");
    expect(await inside(netns, "ip", "-o", "link")).not.toContain("docker0");
    expect([await rules(netns, "nat"), await rules(netns, "filter")]).toEqual([[], []]);
  });
});
