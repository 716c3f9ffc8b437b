/**
 * Containers on the real kernel: mounts, streams, policies, networks, and many at once.
 */

import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { okWith, provide } from "../support/commands.ts";
import { clientWords, DRYDOCK, hasRoot, run, startDaemon, type TestDaemon, TODAY } from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";

const isRoot = hasRoot("containers need root");
const vm = test.runIf(isRoot);

let daemon: TestDaemon;
let registry: TestRegistry;
let image: string;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  registry = await startRegistry(daemon.netns.prefix);
  image = await provide(daemon, registry, "busybox", [BUSYBOX]);
  const layers = [BUSYBOX, { "data/file": "from the image" }, { escape: { link: "/../../../../tmp" } }];
  await provide(daemon, registry, "volume", layers, { config: { Volumes: { "/data": {} } } });
});
afterAll(async () => {
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

const sha = (data: Buffer | string) => createHash("sha256").update(data).digest("hex");

/** Runs the client with bytes for its input. */
function withInput(input: Buffer, ...args: string[]) {
  return run([...clientWords(daemon), ...args], { input });
}

const ok = (...args: string[]) => okWith(daemon.docker, ...args);

vm("run passes megabytes through standard input and output unchanged", async () => {
  const input = Buffer.from(randomBytes(3 << 19).toString("hex"));
  const back = await withInput(input, "run", "--rm", "-i", image, "cat");
  expect(sha(back.stdout)).toBe(sha(input));
  const out = await ok("run", "--rm", image, "sh", "-c", "yes 0123456789abcde | head -c 4194304");
  expect(sha(out)).toBe(sha("0123456789abcde\n".repeat(4194304 / 16)));
});

vm("binds are writable or not, files too, and never leave the container's root", async () => {
  const dir = join(daemon.dir, "bind");
  mkdirSync(dir);
  writeFileSync(join(dir, "file"), "on the host\n");
  expect(await ok("run", "--rm", "-v", `${dir}:/b`, image, "sh", "-c", "cat /b/file; echo new > /b/new")).toBe(
    "on the host\n",
  );
  expect(readFileSync(join(dir, "new"), "utf8")).toBe("new\n");
  const refused = await daemon.docker("run", "--rm", "-v", `${dir}:/b:ro`, image, "sh", "-c", "echo x > /b/x");
  expect([refused.code, refused.stderr]).toEqual([1, "sh: can't create /b/x: Read-only file system\n"]);
  expect(await ok("run", "--rm", "-v", `${dir}/file:/etc/motd:ro`, image, "cat", "/etc/motd")).toBe("on the host\n");
  const hostile = `${registry.address}/volume`;
  expect(await ok("run", "--rm", "-v", `${dir}:/escape/b`, hostile, "cat", "/tmp/b/file")).toBe("on the host\n");
});

vm("image volumes begin with the image's files, outlive the container, and go with rm -v", async () => {
  const name = `${registry.address}/volume`;
  expect(await ok("run", "--name", "vol", name, "sh", "-c", "cat /data/file; echo more > /data/more")).toBe(
    "from the image",
  );
  expect(await ok("run", "--rm", "--volumes-from", "vol", image, "cat", "/data/more")).toBe("more\n");
  const readOnly = await daemon.docker("run", "--rm", "--volumes-from", "vol:ro", image, "touch", "/data/x");
  expect(readOnly.stderr).toContain("Read-only file system");
  await ok("rm", "-v", "vol");
  expect((await run(["find", `${daemon.root}/vfs/dir`, "-mindepth", "1"])).stdout).toBe("");
});

/** The same by today's client, which knows commands that ours does not have yet. */
async function today(...args: string[]): Promise<string> {
  const result = await daemon.today(...args);
  expect(`${args.join(" ")}: ${result.code} ${result.stderr}`).toMatch(/: 0 /);
  return result.stdout;
}

vm("a restart policy starts a container again until it is stopped", async () => {
  await ok("run", "-d", "--name", "always", "--restart=always", image, "sh", "-c", "echo run; sleep 0.1; exit 3");
  await expect.poll(async () => (await ok("logs", "always")).length, { timeout: 10_000 }).toBeGreaterThanOrEqual(12);
  await ok("stop", "-t", "1", "always");
  expect(await ok("inspect", "-f", "{{.State.Running}} {{.State.Restarting}}", "always")).toBe("false false\n");
  await ok("rm", "always");
});

vm("pause stops time for a container, top shows its processes", async () => {
  await ok("run", "-d", "--name", "p", image, "sh", "-c", "while true; do date +%s%N; sleep 0.05; done");
  await today("pause", "p");
  expect(await ok("ps")).toContain("(Paused)");
  const before = await ok("logs", "p");
  expect(await ok("logs", "p")).toBe(before);
  await today("unpause", "p");
  await expect.poll(async () => (await ok("logs", "p")).length).toBeGreaterThan(before.length);
  expect(await today("top", "p")).toContain("date +%s%N");
  await ok("rm", "-f", "p");
});

vm("containers share a network, take the host's, or have none", async () => {
  await ok("run", "-d", "--name", "server", image, "httpd", "-f", "-p", "80", "-h", "/etc");
  const hosts = await ok("run", "--rm", "--net", "container:server", image, "wget", "-qO-", "http://127.0.0.1/hosts");
  expect(hosts).toContain("127.0.0.1\tlocalhost");
  expect(await ok("run", "--rm", "--link", "server:web", image, "wget", "-qO-", "http://web/hosts")).toBe(hosts);
  expect(await ok("run", "--rm", "--net", "none", image, "ls", "/sys/class/net")).toBe("lo\n");
  expect(await ok("run", "--rm", "--net", "host", image, "ls", "/sys/class/net")).toContain("docker0");
  await ok("rm", "-f", "server");
});

vm("twenty containers at once all run, each with an address of its own", async () => {
  const outs = await Promise.all(
    Array.from({ length: 20 }, (_, i) => ok("run", "--rm", image, "sh", "-c", `hostname -i; echo ${i}`)),
  );
  expect(outs.map((out) => out.split("\n")[1])).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
  expect(await ok("ps", "-a", "-q")).toBe("");
});

vm("a client that stops reading holds up its own container only, and frees it by going away", async () => {
  const stuck = spawn(
    daemon.netns.prefix[0] ?? "",
    [...daemon.netns.prefix.slice(1), DRYDOCK, "-H", `unix://${daemon.socket}`, "run", "--name", "stuck", image, "yes"],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  await expect.poll(async () => (await daemon.docker("ps")).stdout).toContain("stuck");
  stuck.kill("SIGSTOP");
  const start = performance.now();
  expect(await ok("run", "--rm", image, "echo", "others")).toBe("others\n");
  expect(performance.now() - start).toBeLessThan(5000);
  stuck.kill("SIGKILL");
  await ok("kill", "stuck");
  await ok("rm", "stuck");
});

vm("export and diff show what a container changed", async () => {
  await ok("run", "--name", "ch", image, "sh", "-c", "echo new > /new; rm /etc/passwd");
  expect((await today("diff", "ch")).split("\n").sort()).toEqual(expect.arrayContaining(["A /new", "D /etc/passwd"]));
  const list = await run(["sh", "-c", `${TODAY} -H unix://${daemon.socket} export ch | tar -t`]);
  expect(list.stdout).toMatch(/^(\.\/)?new$/m);
  expect(list.stdout).not.toMatch(/^(\.\/)?etc\/passwd$/m);
  await ok("rm", "ch");
});
