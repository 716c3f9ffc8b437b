import { expect, test } from "vitest";
import { endCgroups, endLaunches } from "../../../../src/daemon/execdriver/native/leftovers.ts";
import type { Host } from "../../../../src/host/host.ts";
import { ManualClock } from "../../../../src/host/memory/clock.ts";

const fail = (code: string) => Object.assign(new Error(code), { code });

/** A machine with these files; cgroups go when nobody is in them any more. */
function machine(files: Record<string, string>, stubborn: readonly number[] = []) {
  const killed: number[] = [];
  const written: string[] = [];
  const clock = new ManualClock(0);
  const fs = {
    readdir: async () => [...new Set(Object.keys(files).map((path) => path.split("/")[2] ?? ""))],
    readFile: async (path: string) => {
      const text = files[path];
      if (text === undefined) throw fail("ENOENT");
      if (text === "secret") throw fail("EACCES");
      return text;
    },
    writeFile: async (path: string, text: string) => {
      if (!(path in files)) throw fail("ENOENT");
      written.push(`${path} ${text}`);
    },
    rmdir: async (path: string) => {
      const procs = files[`${path}/cgroup.procs`];
      if (procs === undefined) throw fail("ENOENT");
      if (procs !== "") throw fail("EBUSY");
      delete files[`${path}/cgroup.procs`];
    },
  };
  const kernel = {
    mounts: () => [
      { fstype: "cgroup", mountpoint: "/cg/cpu" },
      { fstype: "cgroup", mountpoint: "/cg/freezer" },
      { fstype: "tmpfs", mountpoint: "/cg" },
    ],
    kill: (pid: number) => {
      killed.push(pid);
      if (stubborn.includes(pid)) return true;
      for (const [path, text] of Object.entries(files)) {
        if (path.endsWith("cgroup.procs")) files[path] = text.replace(new RegExp(`^${pid}\n`, "m"), "");
        if (path === `/proc/${pid}/cmdline`) delete files[path];
      }
      return true;
    },
  };
  return {
    host: { fs, kernel, clock } as unknown as Pick<Host, "fs" | "kernel" | "clock">,
    clock,
    killed,
    written,
    files,
  };
}

/** Lets time pass until the work is done. */
async function finish<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let over = false;
  void work.finally(() => {
    over = true;
  });
  while (!over) await clock.advance(10);
  return work;
}

test("endCgroups() kills everybody in every hierarchy, thaws, and removes the cgroups", async () => {
  const { host, clock, killed, written, files } = machine({
    "/cg/cpu/docker/x/cgroup.procs": "40\n41\n",
    "/cg/freezer/docker/x/cgroup.procs": "40\n41\n",
    "/cg/freezer/docker/x/freezer.state": "FROZEN\n",
    "/cg/cpu/docker/other/cgroup.procs": "50\n",
  });
  expect(await finish(clock, endCgroups("x", host))).toBe(true);
  expect([...new Set(killed)].sort()).toEqual([40, 41]);
  expect(written).toContain("/cg/freezer/docker/x/freezer.state THAWED");
  expect(Object.keys(files)).toEqual(["/cg/freezer/docker/x/freezer.state", "/cg/cpu/docker/other/cgroup.procs"]);
});

test("endCgroups() never signals itself for a process that it cannot see, and gives up after a while", async () => {
  const { host, clock, killed } = machine({ "/cg/cpu/docker/x/cgroup.procs": "0\n1\n" });
  const work = finish(clock, endCgroups("x", host));
  expect(await work).toBe(false);
  expect(killed).toEqual([]);
  expect(clock.monotonicMs()).toBe(3000);
});

test("endCgroups() finds nothing to do", async () => {
  const { host, clock } = machine({});
  expect(await endCgroups("x", host)).toBe(true);
  expect(clock.monotonicMs()).toBe(0);
});

test("endLaunches() ends each runc of this root and leaves the others alone", async () => {
  const { host, clock, killed } = machine({
    "/proc/1/cmdline": "init\0",
    "/proc/60/cmdline": "runc\0--root\0/r/.runc\0--log\0x\0run\0c\0",
    "/proc/61/cmdline": "/bin/sh\0/tools/runc\0--root\0/r/.runc\0run\0",
    "/proc/62/cmdline": "runc\0--root\0/r/.runc2\0run\0",
    "/proc/63/cmdline": "sleep\0/r/.runc\0",
    "/proc/64/cmdline": "secret",
    "/proc/self/cmdline": "node\0--root\0/r/.runc\0",
  });
  await finish(clock, endLaunches("/r/.runc", host));
  expect(killed.sort()).toEqual([60, 61]);
});
