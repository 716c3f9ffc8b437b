/**
 * Finds what a daemon leaves behind: a snapshot before, another after, and what the second has beyond the first.
 *
 * ```ts
 * const before = await snapshot(daemon);
 * …                                             // whatever should leave nothing
 * expect(await leaks(daemon, before)).toEqual([]);
 * ```
 *
 * Looks at mounts, network namespaces, interfaces, addresses, routes, iptables rules, ports, cgroups, processes, runc's
 * state, everything under the daemon's root and its run directory, and at the daemon's own descriptors and threads.
 */

import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { namespacesOf, run, type TestDaemon } from "./daemon.ts";

/** What is there at one moment. */
export interface Snapshot {
  /** Each thing once, with its kind first: `mount /tmp/dd-x/root/overlay/…`. */
  readonly things: ReadonlySet<string>;
  /** How many there are of what has no name: `fd socket`, `threads`. */
  readonly counts: ReadonlyMap<string, number>;
}

/** How strictly two snapshots are compared. */
export interface LeakOptions {
  /** Kinds or things that may be new: `/^file containers\//`. */
  readonly ignore?: RegExp;
  /** How many more of a count there may be; default 0, for threads 4: libuv starts them when it needs them. */
  readonly slack?: Readonly<Record<string, number>>;
  /** How long things may take to go, in milliseconds; default 10 s. */
  readonly timeoutMs?: number;
}

const CGROUPS = "/sys/fs/cgroup";
const POLL_MS = 25;

/** Directories of a storage driver: what is inside of a layer is the container's own business. */
const LAYER_CONTENT = /^(?:overlay\/(?!l\/)[^/]+\/[^/]+|aufs\/(?:diff|mnt)\/[^/]+|vfs\/dir\/[^/]+)$/;

/** Text of a file; "" when it is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Paths below a directory, but not what is inside of layers. */
function filesBelow(root: string): string[] {
  const found: string[] = [];
  const walk = (dir: string) => {
    let entries: ReturnType<typeof entriesOf>;
    try {
      entries = entriesOf(dir);
    } catch {
      return; // gone meanwhile
    }
    for (const entry of entries) {
      const path = join(dir, entry.name);
      const name = relative(root, path);
      found.push(name);
      if (entry.isDirectory() && !LAYER_CONTENT.test(name)) walk(path);
    }
  };
  walk(root);
  return found;
}

const entriesOf = (dir: string) => readdirSync(dir, { withFileTypes: true });

function mounts(pid: number, paths: readonly string[]): string[] {
  return read(`/proc/${pid}/mountinfo`)
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => paths.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)))
    .map((path) => `mount ${path}`);
}

/** Every process below this one; the daemon adopts what its children leave. */
function processes(pid: number): string[] {
  return list(`/proc/${pid}/task`)
    .flatMap((task) => read(`/proc/${pid}/task/${task}/children`).split(" "))
    .filter(Boolean)
    .map(Number)
    .flatMap((child) => {
      const stat = read(`/proc/${child}/stat`);
      const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
      const state = stat.slice(stat.lastIndexOf(")") + 2)[0] ?? "gone";
      return [`process ${child} ${name}${state === "Z" ? " (zombie)" : ""}`, ...processes(child)];
    });
}

/** Cgroups of containers this daemon ever spoke of: other daemons have theirs beside them. */
function cgroups(daemon: TestDaemon): string[] {
  const ids = new Set(daemon.log().match(/\b[0-9a-f]{64}\b/g) ?? []);
  const parents = [join(CGROUPS, "docker"), ...list(CGROUPS).map((name) => join(CGROUPS, name, "docker"))];
  return parents.flatMap((parent) =>
    list(parent)
      .filter((name) => ids.has(name))
      .map((name) => `cgroup ${join(parent, name)}`),
  );
}

/** Ports somebody listens on in the daemon's network: lines of /proc/net with their local address. */
function ports(pid: number): string[] {
  return ["tcp", "tcp6", "udp", "udp6"].flatMap((protocol) =>
    read(`/proc/${pid}/net/${protocol}`)
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state]) => state === (protocol.startsWith("tcp") ? "0A" : "07"))
      .map(([, local = ""]) => `port ${protocol} ${Number.parseInt(local.split(":")[1] ?? "", 16)} ${local}`),
  );
}

/** Interfaces, addresses, routes and rules. */
async function network({ netns }: TestDaemon): Promise<string[]> {
  if (netns.name === "") return [];
  const lines = async (kind: string, ...words: string[]) => {
    const { code, stdout, stderr } = await run([...netns.prefix, ...words]);
    if (code !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
    return stdout
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => `${kind} ${line.trim()}`);
  };
  const [links, addresses, routes, rules] = await Promise.all([
    lines("link", "ip", "-br", "link"),
    lines("address", "ip", "-4", "-br", "address"),
    lines("route", "ip", "-4", "route", "show", "table", "all"),
    lines("rule", "iptables-save"),
  ]);
  return [
    // The state and the flags of a link change with what is plugged in.
    ...links.map((line) => line.split(/\s+/).slice(0, 2).join(" ").replace(/@.*/, "")),
    ...addresses.map((line) => line.replace(/^(\S+ [^@\s]+)\S*\s+\S+\s*/, "$1 ")),
    ...routes.map((line) => line.replace(/ linkdown\b/, "")),
    ...numbered(rules.map((line) => line.replace(/ \[\d+:\d+\]$/, ""))),
  ];
}

/** The same rule twice is two rules. */
function numbered(lines: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return lines.map((line) => {
    const times = (seen.get(line) ?? 0) + 1;
    seen.set(line, times);
    return times === 1 ? line : `${line} (${times}.)`;
  });
}

/** The daemon's descriptors by what they are open on, and its threads. */
function counts(pid: number): Map<string, number> {
  const found = new Map<string, number>([["threads", list(`/proc/${pid}/task`).length]]);
  for (const fd of list(`/proc/${pid}/fd`)) {
    let target: string;
    try {
      target = readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      continue; // closed meanwhile
    }
    const kind = `fd ${target.replace(/:\[?\d+\]?$/, "")}`;
    found.set(kind, (found.get(kind) ?? 0) + 1);
  }
  return found;
}

/** Looks at everything a daemon may leave behind. @param root - when it is not the daemon's own */
export async function snapshot(daemon: TestDaemon, root: string = daemon.root): Promise<Snapshot> {
  const pid = daemon.process.pid ?? 0;
  const runDir = dirname(namespacesOf(root));
  const alive = existsSync(`/proc/${pid}/fd`) && daemon.process.exitCode === null;
  const own = alive ? pid : process.pid;
  const things = [
    ...mounts(own, [root, runDir]),
    // Made with the first volume there is, and kept.
    ...filesBelow(root).flatMap((path) => (/^vfs(\/dir)?$/.test(path) ? [] : [`file ${path}`])),
    ...filesBelow(runDir).map((path) => `run ${path}`),
    ...cgroups(daemon),
    ...(alive ? [...processes(pid), ...ports(pid)] : []),
    ...(await network(daemon)),
  ];
  return { things: new Set(things), counts: alive ? counts(pid) : new Map() };
}

/** What `after` has and `before` has not. */
export function difference(before: Snapshot, after: Snapshot, options: LeakOptions = {}): string[] {
  const slack: Record<string, number> = { threads: 4, ...options.slack };
  const more = [...after.things].filter((thing) => !before.things.has(thing));
  for (const [kind, count] of after.counts) {
    const was = before.counts.get(kind) ?? 0;
    if (count > was + (slack[kind] ?? 0)) more.push(`${kind}: ${was}, then ${count}`);
  }
  return more.filter((thing) => options.ignore?.test(thing) !== true);
}

/**
 * Waits until nothing is there that was not there before.
 *
 * @returns what stayed when the time was over; empty: nothing did
 */
export async function leaks(daemon: TestDaemon, before: Snapshot, options: LeakOptions = {}): Promise<string[]> {
  const deadline = Date.now() + (options.timeoutMs ?? 10_000);
  for (;;) {
    const more = difference(before, await snapshot(daemon), options);
    if (more.length === 0 || Date.now() > deadline) return more;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Memory of the daemon in MiB, now. */
export function rssMiB(daemon: TestDaemon): number {
  return Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${daemon.process.pid}/status`))?.[1]) / 1024;
}
