/**
 * What every execution driver promises, on the one that really runs something.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Command, Started } from "../../src/daemon/execdriver/driver.ts";
import { DryDriver } from "../../src/daemon/execdriver/dry/driver.ts";
import { NativeDriver } from "../../src/daemon/execdriver/native/driver.ts";
import { linuxHost } from "../../src/host/linux/host.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { deferred } from "../../src/sync/deferred.ts";
import { BufferWriter } from "../../src/sync/io.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: the native driver needs root (namespaces, cgroups)");

const host = linuxHost();
const base = mkdtempSync(join(tmpdir(), "exec-driver-"));
const rootfs = join(base, "rootfs");
const state = join(base, "native");
let driver: NativeDriver;
let serial = 0;

beforeAll(async () => {
  mkdirSync(join(rootfs, "bin"), { recursive: true });
  mkdirSync(join(rootfs, "etc"));
  copyFileSync("/usr/bin/busybox", join(rootfs, "bin/busybox"));
  for (const name of ["sh", "cat", "sleep", "true", "stty", "id", "hostname", "ls", "grep", "yes", "head"]) {
    symlinkSync("busybox", join(rootfs, "bin", name));
  }
  writeFileSync(join(rootfs, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nweb:x:33:44::/srv:/bin/sh\n");
  if (isRoot) driver = await NativeDriver.init(state, host, new Logger(host));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

function command(words: string[], more: Partial<Command> = {}): Command {
  const [entrypoint = "", ...args] = words;
  return {
    id: `exec-driver-${process.pid}-${serial++}`,
    rootfs,
    entrypoint,
    args,
    env: ["PATH=/bin", "HOSTNAME=box"],
    workingDir: "/",
    user: "",
    tty: false,
    openStdin: false,
    network: { kind: "none" },
    resources: { memory: 0, memorySwap: 0, cpuShares: 0, cpuset: "" },
    mounts: [],
    devices: [],
    privileged: false,
    capAdd: [],
    capDrop: [],
    ...more,
  };
}

async function run(cmd: Command, stdin?: AsyncIterable<Uint8Array>, started: (info: Started) => void = () => {}) {
  const stdout = new BufferWriter();
  const stderr = new BufferWriter();
  const status = await driver.run(cmd, stdin ? { stdin, stdout, stderr } : { stdout, stderr }, started);
  await driver.settled(cmd.id);
  return { ...status, stdout: stdout.toString(), stderr: stderr.toString() };
}

async function* lines(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

const vm = test.runIf(isRoot);

vm("run() delivers all output on its own stream, then the exit code", async () => {
  const result = await run(command(["sh", "-c", "echo out; echo err >&2; exit 3"]));
  expect(result).toEqual({ exitCode: 3, stdout: "out\n", stderr: "err\n" });
});

vm("run() gives real pipes: /dev/stdout can be opened", async () => {
  expect((await run(command(["sh", "-c", "echo x > /dev/stdout"]))).stdout).toBe("x\n");
});

vm("run() feeds standard input and ends it", async () => {
  const result = await run(command(["cat"], { openStdin: true }), lines("one\n", "two\n"));
  expect(result.stdout).toBe("one\ntwo\n");
});

vm("run() gives a terminal that can be resized", async () => {
  const cmd = command(["sh", "-c", "read x; stty size; exit 5"], { tty: true, openStdin: true });
  const resized = deferred();
  async function* afterResize() {
    await resized.promise;
    yield Buffer.from("\n");
  }
  const result = await run(cmd, afterResize(), ({ console }) => {
    console?.resize(33, 101);
    resized.resolve();
  });
  expect(result.stdout).toContain("33 101\r\n");
  expect(result.exitCode).toBe(5);
});

vm("run() names a program that is not there, and leaves nothing", async () => {
  const cmd = command(["nosuchcommand"]);
  await expect(run(cmd)).rejects.toThrow('exec: "nosuchcommand": executable file not found in $PATH');
  expect(existsSync(join(state, cmd.id))).toBe(false);
  expect(readdirSync(join(state, ".runc"))).toEqual([]);
});

vm("run() is not held up by a failure of which runc has much to say", async () => {
  const long = "x".repeat(200_000);
  await expect(run(command(["true"], { env: [long] }))).rejects.toThrow("invalid environment variable");
  await expect(run(command([long]))).rejects.toThrow(/file name too long|argument list too long|not found/);
});

vm("run() looks the user up in the container's own files", async () => {
  expect((await run(command(["id"], { user: "web" }))).stdout).toMatch(/uid=33\S* gid=44/);
  await expect(run(command(["id"], { user: "ghost" }))).rejects.toThrow("Unable to find user ghost");
});

vm("kill() ends a container by a signal; the exit code is −1 and the signal is told", async () => {
  const cmd = command(["sleep", "100"]);
  const result = await run(cmd, undefined, () => void driver.kill(cmd.id, 9));
  expect(result).toMatchObject({ exitCode: -1, signal: 9 });
  expect(driver.isRunning(cmd.id)).toBe(false);
  await expect(driver.kill(cmd.id, 9)).rejects.toThrow("does not exist");
});

vm.each([false, true])(
  "kill() ends a container whose output nobody takes (terminal: %s); nothing is lost",
  async (tty) => {
    const cmd = command(["sh", "-c", "while true; do echo 0123456789; done"], { tty });
    const full = deferred();
    let bytes = 0;
    const stuck = {
      write(chunk: Uint8Array | string) {
        bytes += chunk.length;
        full.resolve();
        return new Promise<void>(() => undefined);
      },
    };
    const running = deferred<number>();
    const ended = driver.run(cmd, { stdout: stuck, stderr: stuck }, ({ pid }) => running.resolve(pid));
    await full.promise;
    const first = bytes;
    // Until it waits for somebody to read: then there is more to come.
    const state = `/proc/${await running.promise}/stat`;
    await expect.poll(() => /\) (\w)/.exec(readFileSync(state, "utf8"))?.[1], { timeout: 10_000 }).toBe("S");
    await driver.kill(cmd.id, 9);
    expect(await ended).toMatchObject({ exitCode: -1, signal: 9 });
    expect(bytes).toBeGreaterThan(first); // what was in the pipe
    await driver.settled(cmd.id);
  },
);

vm("pids() lists the processes, and pause() freezes them", async () => {
  const cmd = command(["sh", "-c", "sleep 100 & wait"]);
  const running = deferred();
  const ended = run(cmd, undefined, () => running.resolve());
  await running.promise;
  await expect.poll(() => driver.pids(cmd.id).then((pids) => pids.length)).toBe(2);
  await driver.pause(cmd.id);
  await driver.unpause(cmd.id);
  await driver.kill(cmd.id, 9);
  await ended;
});

vm("run() hides the host: hostname, processes, capabilities, descriptors", async () => {
  const script = "hostname; ls /proc | grep -c '^[0-9]'; grep CapEff /proc/self/status; ls /proc/self/fd | grep -c .";
  const { stdout } = await run(command(["sh", "-c", script]));
  const [name, processes, caps, fds] = stdout.split("\n");
  expect(name).toBe("box");
  expect(Number(processes)).toBeLessThanOrEqual(4);
  expect(caps).toBe("CapEff:\t00000000a80425fb");
  expect(Number(fds)).toBeLessThanOrEqual(4);
});

vm("run() takes what a privileged container may have from what the daemon has", async () => {
  expect((await run(command(["true"], { privileged: true }))).exitCode).toBe(0);
});

vm("terminate() ends what an earlier daemon left, and leftovers() finds it", async () => {
  const cmd = command(["sleep", "100"]);
  const running = deferred<number>();
  const ended = run(cmd, undefined, ({ pid }) => running.resolve(pid));
  await running.promise;
  // A second driver on the same directory is what the next daemon is.
  const next = await NativeDriver.init(state, host, new Logger(host));
  expect(await next.leftovers()).toContain(cmd.id);
  await next.terminate(cmd.id);
  expect(await next.leftovers()).not.toContain(cmd.id);
  expect((await ended).signal).toBe(9);
});

vm("terminate() ends a container that is frozen, and one that runc never wrote down", async () => {
  const cmd = command(["sh", "-c", "sleep 100 & wait"]);
  const running = deferred<number>();
  const ended = run(cmd, undefined, ({ pid }) => running.resolve(pid));
  await running.promise;
  await driver.pause(cmd.id);
  const next = await NativeDriver.init(state, host, new Logger(host));
  // What a daemon leaves that was killed between the cgroup and the state: only its directory tells of it.
  const half = command([]).id;
  const [path] = ["/sys/fs/cgroup/devices/docker", "/sys/fs/cgroup/docker"].filter((parent) => existsSync(parent));
  mkdirSync(join(path ?? "", half));
  const stray = spawn("sleep", ["100"]);
  writeFileSync(join(path ?? "", half, "cgroup.procs"), String(stray.pid));
  const strayEnd = once(stray, "exit");
  mkdirSync(join(state, half));
  expect(await next.leftovers()).toEqual(expect.arrayContaining([cmd.id, half]));
  await Promise.all([next.terminate(cmd.id), next.terminate(half)]);
  expect((await ended).signal).toBe(9);
  expect(await strayEnd).toEqual([null, "SIGKILL"]);
  expect([existsSync(join(path ?? "", half)), existsSync(join(path ?? "", cmd.id))]).toEqual([false, false]);
  expect(readdirSync(state)).toEqual([".runc"]);
});

vm("leftovers() stops a runc that an earlier daemon has started, and no other one", async () => {
  const start = (root: string) =>
    spawn("sh", ["-c", "while :; do sleep 1; done", "runc", "--root", root, "run", "x"], { stdio: "ignore" });
  const [ours, others] = [start(join(state, ".runc")), start(join(base, "other/.runc"))];
  const end = once(ours, "exit");
  const next = await NativeDriver.init(state, host, new Logger(host));
  await next.leftovers();
  expect(await end).toEqual([null, "SIGKILL"]);
  expect(others.exitCode ?? others.signalCode).toBe(null);
  others.kill("SIGKILL");
});

vm("run() twenty times at once leaves no cgroup, no state and no directory", async () => {
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => run(command(["sh", "-c", `exit ${i}`]))));
  expect(results.map((r) => r.exitCode)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(readdirSync(state)).toEqual([".runc"]);
  expect(readdirSync(join(state, ".runc"))).toEqual([]);
  const cgroup = "/sys/fs/cgroup/devices/docker";
  const left = existsSync(cgroup)
    ? readdirSync(cgroup).filter((name) => name.startsWith(`exec-driver-${process.pid}`))
    : [];
  expect(left).toEqual([]);
});

test("the dry driver writes the bundle it would run, and says so", async () => {
  const dry = new DryDriver(join(base, "dry"), host);
  const stdout = new BufferWriter();
  const cmd = command(["echo", "hi"]);
  const status = await dry.run(cmd, { stdout, stderr: stdout }, () => {});
  expect(status).toEqual({ exitCode: 0 });
  expect(stdout.toString()).toBe(`dry run: would run "echo hi" from the bundle ${join(base, "dry", cmd.id)}\n`);
  expect(existsSync(join(base, "dry", cmd.id, "config.json"))).toBe(true);
  await dry.terminate(cmd.id);
  expect(existsSync(join(base, "dry", cmd.id))).toBe(false);
});
