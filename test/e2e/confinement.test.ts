/**
 * What clients of today narrow a container down with: each is kept to, refused, or named in a warning; never ignored
 * without a word.
 */

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { provideBase } from "../support/commands.ts";
import { hasRoot, startDaemon, type TestDaemon } from "../support/daemon.ts";
import { ask } from "../support/traces.ts";

const isRoot = hasRoot("containers need root");
const vm = test.runIf(isRoot);

let daemon: TestDaemon;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  await provideBase(daemon);
});
afterAll(async () => {
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

const sh = async (flags: string[], script: string) => {
  const { code, stdout, stderr } = await daemon.today("run", "--rm", ...flags, "base", "sh", "-c", script);
  expect(stderr.replace(/^WARNING.*\n/gm, "")).toBe("");
  return `${stdout}${code === 0 ? "" : `(${code})`}`;
};

vm("--read-only: nothing can be written but in volumes and memory", async () => {
  const script = "touch /x 2>/dev/null || echo refused; touch /data/x /run/x /dev/shm/x && echo written";
  expect(await sh(["--read-only", "-v", "/data", "--tmpfs", "/run"], script)).toBe("refused\nwritten\n");
});

vm("--security-opt no-new-privileges, --ulimit, --oom-score-adj: the kernel says so", async () => {
  expect(await sh(["--security-opt", "no-new-privileges"], "grep NoNewPrivs /proc/self/status")).toBe(
    "NoNewPrivs:\t1\n",
  );
  expect(await sh(["--ulimit", "nofile=99:100"], "ulimit -n; ulimit -H -n")).toBe("99\n100\n");
  expect(await sh(["--oom-score-adj", "500"], "cat /proc/self/oom_score_adj")).toBe("500\n");
});

vm("--tmpfs and --shm-size: file systems of that size in memory", async () => {
  const script = "grep -E ' /(run|dev/shm) ' /proc/mounts";
  const lines = await sh(["--tmpfs", "/run:size=64k,exec", "--shm-size", "128k"], script);
  expect(lines).toMatch(/^tmpfs \/run tmpfs rw,nosuid,nodev,relatime,size=64k/m);
  expect(lines).toMatch(/ \/dev\/shm tmpfs .*size=128k/);
});

vm("--pids-limit, --cpus, --memory-reservation, --cpuset-mems: the cgroup has it", async () => {
  const { stdout } = await daemon.today(
    ...["run", "-d", "--pids-limit", "7", "--cpus", "0.5", "-m", "64m", "--memory-reservation", "32m"],
    ...["--cpuset-mems", "0", "base", "sleep", "1000"],
  );
  const id = stdout.trim();
  const file = (hierarchy: string, name: string) =>
    readFileSync(`/sys/fs/cgroup/${hierarchy}/docker/${id}/${hierarchy}.${name}`, "utf8").trim();
  expect([file("pids", "max"), file("cpu", "cfs_quota_us"), file("cpuset", "mems")]).toEqual(["7", "50000", "0"]);
  expect([file("memory", "limit_in_bytes"), file("memory", "soft_limit_in_bytes")]).toEqual(["67108864", "33554432"]);
  const inspected = JSON.parse((await ask(daemon, "GET", `/v1.30/containers/${id}/json`)).body).HostConfig;
  expect(inspected).toMatchObject({ PidsLimit: 7, NanoCpus: 500_000_000, MemoryReservation: 33_554_432 });
  // 1.2.0's clients see what they know.
  expect(Object.keys(JSON.parse((await ask(daemon, "GET", `/containers/${id}/json`)).body).HostConfig)).toHaveLength(
    15,
  );
  await daemon.docker("rm", "-f", id);
});

vm("--sysctl reaches the container's own kernel settings, never the machine's", async () => {
  const before = readFileSync("/proc/sys/net/ipv4/ip_default_ttl", "utf8");
  const script = "cat /proc/sys/net/ipv4/ip_default_ttl";
  expect(await sh(["--sysctl", "net.ipv4.ip_default_ttl=33"], script)).toBe("33\n");
  expect(readFileSync("/proc/sys/net/ipv4/ip_default_ttl", "utf8")).toBe(before);
  const refused = await daemon.today("run", "--rm", "--sysctl", "kernel.panic=1", "base", "true");
  expect([refused.code, refused.stderr]).toEqual([125, expect.stringContaining("kernel.panic")]);
});

vm.each([
  [["--pid", "host"], 'HostConfig.PidMode is not supported ("host"): leave it out'],
  [["--ipc", "host"], 'HostConfig.IpcMode is not supported ("host"): leave it out'],
  [["--uts", "host"], 'HostConfig.UTSMode is not supported ("host"): leave it out'],
  [["--cgroup-parent", "/x"], 'HostConfig.CgroupParent is not supported ("/x"): leave it out'],
  [["--device-cgroup-rule", "c 1:3 r"], "HostConfig.DeviceCgroupRules is not supported"],
  [["--mount", "type=bind,source=/tmp,target=/x"], "HostConfig.Mounts is not supported"],
  [["--runtime", "other"], "HostConfig.Runtime is not supported"],
  [["--device-read-bps", "/dev/null:1mb"], "HostConfig.BlkioDeviceReadBps is not supported"],
  [["--security-opt", "label=type:x"], "HostConfig.SecurityOpt is not supported (label=type:x): leave it out"],
  [["--ulimit", "nofile=5:4"], "ulimit soft limit must be less than or equal to hard limit: 5 > 4"],
  [["--tmpfs", "/x:size=1m,bogus"], 'Invalid tmpfs option "bogus"'],
  [["--tmpfs", "/x/..:size=1m"], "Invalid tmpfs destination"],
  [["-m", "64m", "--memory-swap", "32m"], "Minimum memoryswap limit should be larger than memory limit"],
])("%j is refused, and nothing is made", async (flags, text) => {
  const { code, stderr } = await daemon.today("run", ...flags, "base", "true");
  expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining(text)]);
  expect(code).not.toBe(0);
  expect((await daemon.docker("ps", "-a", "-q")).stdout).toBe("");
});

vm.each([
  [["--add-host", "a:1.2.3.4"], "HostConfig.ExtraHosts"],
  [["--dns-option", "ndots:1"], "HostConfig.DnsOptions"],
  [["--group-add", "99"], "HostConfig.GroupAdd"],
  [["--init"], "HostConfig.Init"],
  [["--log-driver", "none"], "HostConfig.LogConfig"],
])("%j has no effect, and the user is told", async (flags, key) => {
  const { code, stderr } = await daemon.today("run", "--rm", ...flags, "base", "true");
  expect([code, stderr]).toEqual([0, expect.stringContaining(`WARNING: ${key} is not supported and has no effect.`)]);
});

vm("what asks for nothing warns of nothing, and limits that 1.2.0 took mean the same", async () => {
  const flags = ["--security-opt", "seccomp=unconfined", "--ipc", "private", "--userns", "host"];
  const plain = await daemon.today("run", "--rm", ...flags, "--memory-swappiness", "-1", "base", "echo", "quiet");
  expect(plain).toEqual({ code: 0, stdout: "quiet\n", stderr: "" });
});

vm("a start of the old way is held to the same", async () => {
  const create = async (name: string) => {
    const made = await ask(daemon, "POST", `/containers/create?name=${name}`, {
      Image: "base",
      Cmd: ["sh", "-c", "touch /x && echo written"],
    });
    expect(made.status).toBe(201);
  };
  await create("old");
  const refused = await ask(daemon, "POST", "/containers/old/start", { PidMode: "host" });
  expect([refused.status, refused.body]).toEqual([500, expect.stringContaining("HostConfig.PidMode")]);
  expect((await ask(daemon, "POST", "/containers/old/start", { ReadonlyRootfs: true })).status).toBe(204);
  expect((await ask(daemon, "POST", "/containers/old/wait")).body).toBe('{"StatusCode":1}\n');
  await daemon.docker("rm", "old");
});
