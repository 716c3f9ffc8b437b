import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { memoryHost, tee } from "../../../../src/host/memory/memory.ts";
import { BufferWriter, readAll } from "../../../../src/sync/io.ts";

test("ManualClock.advance() wakes sleepers in order, each at its own moment, also those who slept meanwhile", async () => {
  const { clock } = memoryHost({ now: 1_000 });
  const woken: [string, number][] = [];
  const sleep = (name: string, ms: number) => clock.sleep(ms).then(() => void woken.push([name, clock.now()]));
  void sleep("late", 200);
  void sleep("early", 100).then(() => sleep("nested", 50));
  await clock.advance(149);
  expect([woken, clock.sleepers]).toEqual([[["early", 1_100]], 2]);
  await clock.advance(100);
  expect(woken).toEqual([
    ["early", 1_100],
    ["nested", 1_150],
    ["late", 1_200],
  ]);
  expect([clock.now(), clock.nowNs(), clock.monotonicMs()]).toEqual([1_249, 1_249_000_000n, 249]);
});

test("ManualClock.sleep() throws the reason when it is aborted, and ManualClock.jump() wakes nobody", async () => {
  const { clock } = memoryHost();
  const stop = new AbortController();
  const sleeping = clock.sleep(10, stop.signal);
  clock.jump(4_102_444_800_000);
  expect([clock.sleepers, clock.now(), clock.monotonicMs()]).toEqual([1, 4_102_444_800_000, 0]);
  stop.abort(new Error("enough"));
  await expect(sleeping).rejects.toThrow("enough");
  await expect(clock.sleep(10, stop.signal)).rejects.toThrow("enough");
  expect(clock.sleepers).toBe(0);
});

test("ManualClock.skip() wakes one sleeper at its moment, and says when there is none", async () => {
  const { clock } = memoryHost({ now: 1_000 });
  const woken: [string, number][] = [];
  const sleep = (name: string, ms: number) => clock.sleep(ms).then(() => void woken.push([name, clock.monotonicMs()]));
  const [late, early] = [sleep("late", 200), sleep("early", 100)];
  expect(clock.skip()).toBe(true);
  await early;
  expect([woken, clock.sleepers]).toEqual([[["early", 100]], 1]);
  expect(clock.skip()).toBe(true);
  await late;
  expect([clock.skip(), clock.now()]).toEqual([false, 1_200]);
});

test("memoryHost() has its own files and nothing of the machine's", async () => {
  const host = memoryHost({ files: { "/etc/resolv.conf": "nameserver 8.8.8.8\n" } });
  await host.fs.mkdir("/var/lib/docker", { recursive: true, mode: 0o700 });
  await host.fs.writeFile("/var/lib/docker/x", "y");
  expect(await host.fs.readFile("/etc/resolv.conf", "utf8")).toBe("nameserver 8.8.8.8\n");
  expect(host.volume.toJSON()["/var/lib/docker/x"]).toBe("y");
  await expect(host.fs.readFile("/proc/version")).rejects.toMatchObject({ code: "ENOENT" });
});

test("RecordedExec answers from its script, writes calls down, and knows no other program", async () => {
  const host = memoryHost({
    exec: {
      ip: { stdout: "1: lo" },
      fail: ({ args }) => ({ code: args.length, stderr: "bad" }),
      killed: { signal: "SIGKILL" },
    },
  });
  expect(await host.exec.run("ip", ["link"])).toMatchObject({
    code: 0,
    signal: undefined,
    stdout: Buffer.from("1: lo"),
  });
  expect(await host.exec.run("killed", [])).toMatchObject({ code: undefined, signal: "SIGKILL" });
  await expect(readAll(host.exec.pipe("fail", ["a"], host.stdin))).rejects.toThrow("fail: bad");
  await expect(host.exec.run("runc", ["list"], { input: "x" })).rejects.toMatchObject({
    code: "ENOENT",
    syscall: "spawn runc",
  });
  expect(host.exec.calls.map((call) => [call.command, ...call.args])).toEqual([
    ["ip", "link"],
    ["killed"],
    ["fail", "a"],
    ["runc", "list"],
  ]);
  host.exec.answer("runc", {});
  expect([await host.exec.lookPath("runc"), await host.exec.lookPath("xz")]).toEqual(["/usr/bin/runc", undefined]);
});

test("MemoryKernel keeps a mount table", () => {
  const { kernel } = memoryHost();
  kernel.mount("none", "/mnt", "overlay", ["ro", "nosuid"], "lowerdir=/a");
  kernel.mount("/src", "/mnt", "", ["bind", "rec"]);
  kernel.mount("", "/mnt", "", ["remount", "bind", "ro"]);
  kernel.mount("", "/", "", ["private", "rec"]);
  expect(kernel.mounts().map((m) => [m.mountpoint, m.fstype, m.options, m.superOptions])).toEqual([
    ["/", "memfs", "rw", "rw"],
    ["/mnt", "overlay", "ro,nosuid", "ro,lowerdir=/a"],
    ["/mnt", "memfs", "ro", "rw"],
  ]);
  kernel.unmount("/mnt");
  kernel.unmount("/mnt");
  expect(() => kernel.unmount("/mnt")).toThrow(expect.objectContaining({ code: "EINVAL" }));
  expect(() => kernel.mount("", "/mnt", "", ["remount"])).toThrow(expect.objectContaining({ code: "EINVAL" }));
});

test("MemoryKernel remembers processes, signals, locks and the umask, and names what it cannot do", async () => {
  const { kernel } = memoryHost();
  kernel.processes.set(7, "100");
  kernel.locked.add("/lock");
  expect([kernel.kill(7, 15), kernel.processStartTime(7), kernel.kill(7, 9), kernel.kill(7, 15)]).toEqual([
    true,
    "100",
    true,
    false,
  ]);
  expect([kernel.lockFile("/lock"), kernel.lockFile("/other"), kernel.umask(0o77), kernel.umask(0o22)]).toEqual([
    false,
    true,
    0o22,
    0o77,
  ]);
  for (const call of [
    () => kernel.pipe(),
    () => kernel.mknod(),
    () => kernel.readFd(),
    () => kernel.writeFd(),
    () => kernel.closeFd(),
    () => kernel.lsetxattr(),
  ]) {
    expect(call).toThrow(/^Cannot call \w+: the memory host has no such kernel call$/);
  }
  await expect(kernel.receiveConsole()).rejects.toMatchObject({ code: "ENOSYS" });
  await expect(kernel.waitPid()).rejects.toMatchObject({ code: "ECHILD" });
});

test("memoryHost() is the same world for the same seed", () => {
  const [a, b, c] = [memoryHost({ seed: 5 }), memoryHost({ seed: 5 }), memoryHost({ seed: 6 })].map((h) =>
    h.random.bytes(16),
  );
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
});

test("memoryHost() answers fetch when told how, and names parts of the network it does not have", async () => {
  const host = memoryHost({ fetch: async (url) => new Response(url) });
  const reader = (await host.net.fetch("http://r/v2/")).body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("http://r/v2/");
  expect(() => host.net.links()).toThrow("Cannot call links(): the memory host has no network of this kind");
  expect(() => memoryHost().net.fetch("x")).toThrow("Cannot call fetch()");
  await expect(host.pool.close()).resolves.toBeUndefined();
});

test("memoryHost() hashes as the runtime does, without it, or as it is told", () => {
  const parts = ["a", Buffer.from("b"), "镜像", new Uint8Array(100)];
  for (const algorithm of ["md5", "sha1", "sha256"] as const) {
    const theirs = createHash(algorithm);
    const ours = memoryHost().hash(algorithm);
    for (const part of parts) {
      theirs.update(part);
      ours.update(part);
    }
    expect(ours.hex()).toBe(theirs.digest("hex"));
  }
  const fake = { update: () => fake, hex: () => "00" };
  expect(
    memoryHost({ hash: () => fake })
      .hash("sha256")
      .hex(),
  ).toBe("00");
});

test("MemorySignals delivers to all handlers until they leave, and records exits", () => {
  const { signals } = memoryHost();
  const seen: string[] = [];
  const off = signals.on("SIGTERM", () => seen.push("a"));
  signals.on("SIGTERM", () => seen.push("b"));
  expect([signals.raise("SIGTERM"), signals.raise("SIGHUP")]).toEqual([true, false]);
  off();
  signals.raise("SIGTERM");
  expect([seen, signals.trapped]).toEqual([["a", "b", "b"], ["SIGTERM"]]);
  expect(() => signals.exit(3)).toThrow(expect.objectContaining({ name: "ExitError", code: 3 }));
  expect(signals.exits).toEqual([3]);
});

test("MemoryTerminal reports its size and changes, and goes back to normal", async () => {
  const { terminal, stdout } = memoryHost({ terminal: true });
  let changes = 0;
  const off = terminal.onResize(() => changes++);
  terminal.resize({ height: 10, width: 20 });
  off();
  terminal.resize({ height: 1, width: 2 });
  const restore = await terminal.setRaw();
  expect([stdout.isTerminal, changes, terminal.size(), terminal.mode]).toEqual([
    true,
    1,
    { height: 1, width: 2 },
    "raw",
  ]);
  restore();
  (await terminal.disableEcho())();
  expect([terminal.mode, memoryHost().terminal.size()]).toEqual(["cooked", undefined]);
});

test("tee() brings both streams together in the order they are written", async () => {
  const host = memoryHost({ stdin: "typed" });
  const both = new BufferWriter();
  tee(host, both);
  host.stdout.write("1\n");
  host.stderr.write("2\n");
  host.stdout.write("3\n");
  expect([both.toString(), host.stdout.lines, host.stderr.text]).toEqual(["1\n2\n3\n", ["1", "3"], "2\n"]);
  expect((await readAll(host.stdin)).toString()).toBe("typed");
});
