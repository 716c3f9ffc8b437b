/**
 * What a daemon that was killed left running: containers, and programs that were about to start some.
 *
 * Nothing here asks `runc`, which takes a tenth of a second for each container: the kernel knows all that is needed.
 *
 * @origin daemon/execdriver/native/driver.go (*driver).Terminate
 * @module
 */

import { join } from "node:path/posix";
import { isErrno } from "../../../errdefs/errdefs.ts";
import type { Host } from "../../../host/host.ts";

type LeftoversHost = Pick<Host, "fs" | "kernel" | "clock">;

const SIGKILL = 9;
/** How long the kernel may take to let go of processes that were killed, and how often it is asked. */
const [patienceMs, pauseMs] = [3000, 10];

/**
 * Ends every `runc` that an earlier daemon started for this root and that has not finished: it would make a container
 * that nobody knows.
 *
 * @param state - the directory that was given to `runc --root`
 */
export async function endLaunches(state: string, { fs, kernel, clock }: LeftoversHost): Promise<void> {
  const launches = async (): Promise<number[]> => {
    const pids = (await fs.readdir("/proc")).filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(
      pids.map(async (pid) => {
        const words = await readIfThere(fs, `/proc/${pid}/cmdline`);
        return words.includes(`\0--root\0${state}\0`) ? [Number(pid)] : [];
      }),
    );
    return found.flat();
  };
  await untilTrue(clock, async () => {
    const left = await launches();
    for (const pid of left) kernel.kill(pid, SIGKILL);
    return left.length === 0;
  });
}

/**
 * Kills everything in a container's cgroups, also when it is frozen, and removes them. Who is in there belongs to the
 * container, whatever became of its first process.
 *
 * @returns whether nothing is left
 */
export async function endCgroups(id: string, host: LeftoversHost): Promise<boolean> {
  const { fs, kernel, clock } = host;
  const mounts = kernel.mounts().filter(({ fstype }) => fstype === "cgroup" || fstype === "cgroup2");
  const paths = [...new Set(mounts.map(({ mountpoint }) => join(mountpoint, "docker", id)))];
  return await untilTrue(clock, async () => {
    const left = await Promise.all(
      paths.map(async (path) => {
        const pids = (await readIfThere(fs, join(path, "cgroup.procs"))).split("\n").map(Number);
        // A process that this one cannot see is shown as 0, and 0 means ourselves.
        for (const pid of pids) if (pid > 1) kernel.kill(pid, SIGKILL);
        await thaw(fs, path);
        return removed(fs, path);
      }),
    );
    return left.every(Boolean);
  });
}

/** A frozen process is killed only when it thaws. */
async function thaw(fs: Host["fs"], path: string): Promise<void> {
  for (const [name, text] of [
    ["freezer.state", "THAWED"],
    ["cgroup.freeze", "0"],
  ] as const) {
    // Each version has one of them, and most hierarchies of version 1 have none. No file of that name is ever made.
    await fs.writeFile(join(path, name), text, { flag: "r+" }).catch(() => undefined);
  }
}

async function removed(fs: Host["fs"], path: string): Promise<boolean> {
  try {
    await fs.rmdir(path);
    return true;
  } catch (cause) {
    if (isErrno(cause, "ENOENT")) return true;
    if (isErrno(cause, "EBUSY", "ENOTEMPTY")) return false;
    throw cause;
  }
}

/** The text of a file; "" where it is gone, goes while it is read, or is not for us. */
async function readIfThere(fs: Host["fs"], path: string): Promise<string> {
  try {
    return await fs.readFile(path, "latin1");
  } catch (cause) {
    if (isErrno(cause, "ENOENT", "ESRCH", "ENODEV", "EACCES", "EPERM", "EOPNOTSUPP", "ENOTSUP")) return "";
    throw cause;
  }
}

/** Asks again and again, for a while. */
async function untilTrue(clock: Host["clock"], ask: () => Promise<boolean>): Promise<boolean> {
  const until = clock.monotonicMs() + patienceMs;
  while (!(await ask())) {
    if (clock.monotonicMs() >= until) return false;
    await clock.sleep(pauseMs);
  }
  return true;
}
