/**
 * `dockerd` 20.10 for comparison: own root, own sockets, a network of the test's.
 */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Result, run, type TestNetns, TODAY } from "./daemon.ts";

/** Whether this machine can run one: root, and the package installed. */
export const hasDockerd = process.getuid?.() === 0 && existsSync("/usr/sbin/dockerd");
if (!hasDockerd) console.log("skipped: comparisons with dockerd need root and the package docker.io");

/** One that runs. */
export interface Dockerd {
  readonly dir: string;
  readonly root: string;
  docker(...args: string[]): Promise<Result>;
  remove(): Promise<void>;
}

/** Starts one, without a bridge. @param args - `--insecure-registry` and the like */
export async function startDockerd(netns: TestNetns, args: string[] = []): Promise<Dockerd> {
  const dir = mkdtempSync(join(tmpdir(), "dockerd-"));
  const root = join(dir, "root");
  const [command = "", ...words] = [
    ...netns.prefix,
    "dockerd",
    ...["-H", `unix://${dir}/s`, "--data-root", root, "--exec-root", join(dir, "exec"), "--pidfile", join(dir, "pid")],
    ...["--storage-driver", "overlay2", "--bridge", "none", "--iptables=false", "--log-level", "error", ...args],
  ];
  const child = spawn(command, words, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (data) => {
    log += data;
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const docker = (...words: string[]) =>
    run([...netns.prefix, TODAY, "-H", `unix://${dir}/s`, ...words], { env: { HOME: dir } });
  const remove = async () => {
    child.kill();
    await ended;
    const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    const ours = mounts.map((line) => line.split(" ")[4] ?? "").filter((path) => path.startsWith(dir));
    for (const path of ours.reverse()) spawnSync("umount", ["-l", path]);
    rmSync(dir, { recursive: true, force: true });
  };
  const deadline = Date.now() + 30_000;
  while ((await docker("version")).code !== 0) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await remove();
      throw new Error(`dockerd did not start: ${log}`);
    }
  }
  return { dir, root, docker, remove };
}
