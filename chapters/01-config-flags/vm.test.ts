/**
 * What becomes of the flags on a real machine: a route with a small MTU, a name server on loopback, a linked root.
 */

import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DRYDOCK, makeNetns, run, startDaemon } from "../../test/support/daemon.ts";
import { BUSYBOX, startRegistry } from "../../test/support/images.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: chapter 01 on the real kernel needs root (network namespaces)");

test.runIf(isRoot)("001/5.0/19 001/5.0/26 a container has the MTU of the default route's link", async () => {
  const netns = makeNetns();
  const ip = (...words: string[]) => run(["ip", "-n", netns.name, ...words]);
  await ip("link", "add", "vpn0", "type", "veth", "peer", "name", "vpn1");
  await ip("link", "set", "vpn0", "mtu", "1450", "up");
  await ip("link", "set", "vpn1", "up");
  await ip("addr", "add", "192.0.2.2/24", "dev", "vpn0");
  expect((await ip("route", "add", "default", "via", "192.0.2.1")).code).toBe(0);
  const dir = mkdtempSync(join(tmpdir(), "dd-01-"));
  mkdirSync(join(dir, "disk"));
  symlinkSync(join(dir, "disk"), join(dir, "link"));
  const daemon = await startDaemon({ netns, root: join(dir, "link"), driver: "vfs" });
  const registry = await startRegistry(netns.prefix);
  try {
    await registry.push("busybox", [BUSYBOX]);
    const image = `${registry.address}/busybox`;
    expect((await daemon.docker("pull", image)).code).toBe(0);
    const { stdout } = await daemon.docker("run", "--rm", image, "cat", "/sys/class/net/eth0/mtu");
    expect(stdout).toBe("1450\n");
    // The root that the daemon works with is the real one.
    expect(realpathSync(join(dir, "link"))).toBe(join(dir, "disk"));
    expect(readFileSync(join(dir, "disk/.drydock"), "utf8")).not.toBe("");
  } finally {
    await registry.stop();
    await daemon.remove();
    netns.remove();
    rmSync(dir, { recursive: true, force: true });
  }
});

test.runIf(isRoot)("001/5.0/20 -b none makes no bridge and no rules", async () => {
  const daemon = await startDaemon({ driver: "vfs", args: ["-b", "none"] });
  try {
    expect((await daemon.inside("ip", "link", "show", "docker0")).code).not.toBe(0);
    expect((await daemon.inside("iptables-save")).stdout).not.toContain("DOCKER");
  } finally {
    await daemon.remove();
  }
});

test.runIf(isRoot)("001/5.1/1 a left-over argument shows the usage and ends with 0; a wrong flag with 2", async () => {
  const dir = mkdtempSync(join(tmpdir(), "dd-01-"));
  try {
    const over = await run([DRYDOCK, "-d", "-g", join(dir, "root"), "-p", join(dir, "pid"), "extra"]);
    expect([over.code, over.stdout]).toEqual([0, ""]);
    expect(over.stderr).toMatch(/^Usage of .*docker:\n/);
    const wrong = await run([DRYDOCK, "-d", "--dns", "example.com"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/^invalid value "example.com" for flag --dns: example.com is not an ip address\n/);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test.runIf(isRoot)(
  "001/5.0/13 the contradiction of -b and --bip is found by the daemon, which ends with 1",
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "dd-01-"));
    writeFileSync(join(dir, "keep"), "");
    const words = [DRYDOCK, "-d", "-H", `unix://${dir}/s`, "-g", join(dir, "root"), "-p", join(dir, "pid")];
    try {
      const { code, stderr } = await run([...words, "-b", "br0", "--bip", "10.0.0.1/24"]);
      expect(code).toBe(1);
      expect(stderr).toContain("You specified -b & --bip, mutually exclusive options. Please specify only one.");
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
);
