/**
 * A daemon of its own for a test: own root, own socket, own network namespace; and a check that nothing of it is left.
 */

import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const REPOSITORY = join(import.meta.dirname, "../..");

/** The bundled engine, client and daemon. */
export const DRYDOCK = join(REPOSITORY, "bin/docker");

/** Whether we are root. @param why - what needs it, said when we are not: `"containers need root"` */
export function hasRoot(why: string): boolean {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) console.log(`skipped: ${why}`);
  return isRoot;
}

/** What a program did. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A network namespace that lives until `remove()`. */
export interface TestNetns {
  /** Command and arguments to put before another command. */
  readonly prefix: string[];
  readonly name: string;
  remove(): void;
}

let serial = 0;

/** For a daemon with a hundred containers to start again, on a machine that has other things to do. */
const PATIENCE_MS = 90_000;

/** Makes a network namespace with loopback up. */
export function makeNetns(): TestNetns {
  const name = `drydock-t${process.pid}-${serial++}`;
  const ip = (...args: string[]) => {
    const done = spawnSync("ip", args, { encoding: "utf8" });
    if (done.status !== 0) throw new Error(`ip ${args.join(" ")}: ${done.stderr}`);
  };
  ip("netns", "add", name);
  ip("-n", name, "link", "set", "lo", "up");
  // nsenter, not `ip netns exec`: that one mounts a new /sys, without the cgroups.
  return {
    name,
    prefix: ["nsenter", `--net=/run/netns/${name}`],
    remove: () => spawnSync("ip", ["netns", "del", name]),
  };
}

/** The network everything else is in. */
const NO_NETNS: TestNetns = { name: "", prefix: [], remove: () => {} };

/** Runs a program to its end. */
export function run(
  words: string[],
  options: { input?: string | Buffer; env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<Result> {
  const [command = "", ...args] = words;
  return new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      { env: { ...process.env, ...options.env }, maxBuffer: 256 << 20, timeout: options.timeoutMs ?? 60_000 },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === "number" ? error.code : 128) : 0;
        resolve({ code, stdout, stderr });
      },
    );
    child.stdin?.on("error", () => {}); // a program that does not read its input
    child.stdin?.end(options.input ?? "");
  });
}

/** How a daemon is to be started. */
export interface DaemonOptions {
  /** More arguments for the daemon: `["-D"]`. */
  readonly args?: string[];
  readonly env?: Record<string, string>;
  /** The storage driver; default: the daemon's own choice. */
  readonly driver?: string;
  /** A root to go on with; the caller removes it. */
  readonly root?: string;
  /** Listening sockets to hand over as systemd does: descriptors of this process. */
  readonly sockets?: number[];
  /** A namespace to run in; default: a new one that goes with the daemon. `"none"`: ours, and no bridge. */
  readonly netns?: TestNetns | "none";
}

/** A running daemon. */
export interface TestDaemon {
  readonly dir: string;
  readonly root: string;
  readonly socket: string;
  readonly pidFile: string;
  readonly netns: TestNetns;
  readonly process: ChildProcess;
  /** Everything it wrote so far. */
  log(): string;
  /** Exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Our own client. */
  docker(...args: string[]): Promise<Result>;
  /** Today's `docker` command. */
  today(...args: string[]): Promise<Result>;
  /** A program inside the daemon's network. */
  inside(...words: string[]): Promise<Result>;
  /** Sends a signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<number | string>;
  /** Ends the daemon and removes everything. @returns what was left behind before: mounts, links, rules */
  remove(): Promise<string[]>;
}

/** The unmodified client of today: the first `docker` on PATH that is not ours. */
export const TODAY = ["/usr/local/bin/docker", "/usr/bin/docker"].find((path) => existsSync(path)) ?? "docker";

/** The words of a command that speaks to a daemon. @param binary - the client; default: our own */
export function clientWords({ netns, socket }: Pick<TestDaemon, "netns" | "socket">, binary = DRYDOCK): string[] {
  return [...netns.prefix, binary, "-H", `unix://${socket}`];
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => connection.write("GET /_ping HTTP/1.0\r\n\r\n"));
    connection.on("data", (data) => {
      connection.destroy();
      resolve(data.includes("200 OK"));
    });
    connection.on("error", () => resolve(false));
    connection.on("close", () => resolve(false));
  });
}

/** Where a daemon with this root keeps its containers' network namespaces. */
export function namespacesOf(root: string): string {
  return join("/run/drydock", createHash("sha256").update(root).digest("hex").slice(0, 12), "netns");
}

/** What a daemon with this root has left in the kernel. */
export function leftovers(dir: string, netns: TestNetns): string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(dir))
    .map((line) => `mount ${line.split(" ")[4]}`);
  if (netns === NO_NETNS) return mounts;
  const links = spawnSync("ip", ["-n", netns.name, "-o", "link"], { encoding: "utf8" })
    .stdout.split("\n")
    .filter((line) => /veth/.test(line))
    .map((line) => `link ${line}`);
  const rules = spawnSync(netns.prefix[0] ?? "", [...netns.prefix.slice(1), "iptables-save"], { encoding: "utf8" })
    .stdout.split("\n")
    .filter((line) => /--to-destination|-d 172\.17\.\S+ .*--dport/.test(line))
    .map((line) => `rule ${line}`);
  return [...mounts, ...links, ...rules];
}

/** Starts a daemon and waits until it answers. */
export async function startDaemon(options: DaemonOptions = {}): Promise<TestDaemon> {
  const dir = mkdtempSync(join(tmpdir(), "dd-"));
  const root = options.root ?? join(dir, "root");
  const socket = join(dir, "s");
  const pidFile = join(dir, "pid");
  const netns = options.netns === "none" ? NO_NETNS : (options.netns ?? makeNetns());
  const network = options.netns === "none" ? ["-b", "none"] : [];
  const driver = options.driver ? ["-s", options.driver] : [];
  const sockets = options.sockets ?? [];
  // A shell knows its own process id, which stays that of the daemon.
  const handOver = ["sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=${sockets.length} exec "$@"`, "sh"];
  const words = [
    ...netns.prefix,
    ...(sockets.length > 0 ? handOver : []),
    DRYDOCK,
    "-d",
    "-H",
    `unix://${socket}`,
    "-g",
    root,
    "-p",
    pidFile,
    ...driver,
    ...network,
    ...(options.args ?? []),
  ];
  const child = spawn(words[0] ?? "", words.slice(1), {
    stdio: ["ignore", "pipe", "pipe", ...sockets],
    env: { ...process.env, ...options.env },
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (data) => {
      log += data;
    });
  const ended = new Promise<number | string>((resolve) =>
    child.once("exit", (code, signal) => resolve(code ?? signal ?? 0)),
  );
  const cleanUp = () => {
    // A daemon that was not allowed to clean up leaves its containers running.
    const state = join(root, "execdriver/native/.runc");
    if (options.root === undefined) {
      for (const id of listDir(state)) spawnSync("runc", ["--root", state, "delete", "--force", id]);
    }
    const mounts = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((path) => path.startsWith(dir));
    for (const path of mounts.reverse()) spawnSync("umount", ["-l", path]);
    rmSync(dir, { recursive: true, force: true });
    // Of a daemon that was killed; on a root of its own no other one uses them.
    if (options.root === undefined) {
      const namespaces = namespacesOf(root);
      for (const name of listDir(namespaces)) spawnSync("umount", ["-l", join(namespaces, name)]);
      rmSync(dirname(namespaces), { recursive: true, force: true });
    }
    if (options.netns === undefined) netns.remove();
  };
  // Patience costs nothing: one that ends is seen at once.
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await answers(socket))) {
    const end = child.exitCode ?? child.signalCode;
    if (end !== null || Date.now() > deadline) {
      child.kill("SIGKILL");
      cleanUp();
      throw new Error(`The daemon did not start (${end ?? `no answer in ${PATIENCE_MS / 1000} s`}):\n${log}`);
    }
    // Asking without a pause would take a processor from the daemon.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const end = async (signal: NodeJS.Signals = "SIGTERM") => {
    child.kill(signal);
    const how = await ended;
    // Of a daemon on a root of the caller's a good end leaves nothing here.
    if (options.root !== undefined && listDir(dir).length === 0) rmSync(dir, { recursive: true, force: true });
    return how;
  };
  return {
    dir,
    root,
    socket,
    pidFile,
    netns,
    process: child,
    ended,
    end,
    log: () => log,
    docker: (...args) => run([...clientWords({ netns, socket }), ...args], { env: { HOME: dir } }),
    today: (...args) => run([...clientWords({ netns, socket }, TODAY), ...args], { env: { HOME: dir } }),
    inside: (...words) => run([...netns.prefix, ...words]),
    remove: async () => {
      if (child.exitCode === null && child.signalCode === null) await end();
      // The kernel takes a namespace and its links down behind the last process: that is not ours to wait for.
      for (let tries = 0; tries < 100 && leftovers(dir, netns).some((line) => line.startsWith("link ")); tries++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const left = leftovers(dir, netns);
      cleanUp();
      return left;
    },
  };
}

/** Names below a directory, "" when it is missing: what is on disk of images and containers. */
export function listDir(path: string): string[] {
  return existsSync(path) ? readdirSync(path).sort() : [];
}
