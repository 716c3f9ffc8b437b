/**
 * What a daemon may leave behind when it should not: in its root, in the kernel, in itself.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { leftovers, listDir, namespacesOf, type TestDaemon } from "./daemon.ts";

/** An answer of the API. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One request of the API. Objects go as JSON; a connection that breaks is status 0. */
export function ask(daemon: TestDaemon, method: string, path: string, body?: unknown): Promise<Answer> {
  const data = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const headers =
    data === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(data) };
  return new Promise((resolve) => {
    const fail = (cause: Error) => resolve({ status: 0, body: String(cause) });
    const req = request({ socketPath: daemon.socket, method, path, headers, agent: false }, (res) => {
      let text = "";
      res.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      res.on("end", () => resolve({ status: res.statusCode ?? 0, body: text })).on("error", fail);
    });
    req.on("error", fail).end(data);
  });
}

async function idsOf(daemon: TestDaemon, path: string): Promise<Set<string>> {
  const rows = JSON.parse((await ask(daemon, "GET", path)).body) as { Id: string }[];
  return new Set(rows.map(({ Id }) => Id));
}

const HIERARCHIES = "/sys/fs/cgroup";

/** Ids of containers that something on disk speaks of, whole or not. */
export function idsOnDisk(root: string): string[] {
  const names = [join(root, "containers"), join(root, "execdriver/native")].flatMap(listDir);
  return [...new Set(names.map((name) => name.slice(0, 64)).filter((id) => /^[0-9a-f]{64}$/.test(id)))];
}

/** Where a storage driver keeps its layers: each has its name in all of these. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  overlay: ["overlay"],
  vfs: ["vfs/dir"],
  aufs: ["aufs/diff", "aufs/layers", "aufs/mnt"],
  btrfs: ["btrfs/subvolumes"],
};

/** What is wrong with the layers. @param owners - what they are to be called, all of them */
function layerTraces(root: string, driver: string, owners: ReadonlySet<string>): string[] {
  const found = (LAYERS[driver] ?? []).flatMap((dir) => {
    const layers = listDir(join(root, dir)).filter((name) => driver !== "overlay" || name !== "l");
    const extra = layers.filter((name) => !owners.has(name)).map((name) => `${dir}/${name}`);
    const missing = [...owners].filter((id) => !layers.includes(id)).map((id) => `no ${dir}/${id}`);
    return [...extra, ...missing];
  });
  if (driver === "aufs") {
    const working = listDir(join(root, "aufs/work")).filter((name) => !owners.has(name));
    return [...found, ...working.map((name) => `aufs/work/${name}`)];
  }
  if (driver !== "overlay") return found;
  const layers = listDir(join(root, "overlay")).filter((name) => name !== "l");
  const short = listDir(join(root, "overlay/l"));
  const dangling = layers.flatMap((id) => {
    const file = join(root, "overlay", id, "lower");
    const below = existsSync(file) ? readFileSync(file, "utf8").split(":") : [];
    return below.filter((name) => !existsSync(join(root, "overlay", name))).map((name) => `${name} below ${id}`);
  });
  const counted = short.length === layers.length ? [] : [`${short.length} short names for ${layers.length} layers`];
  return [...found, ...counted, ...dangling];
}

/** What is left in the kernel. Two drivers keep their own directory mounted, once. */
function mountsAndLinks(daemon: TestDaemon, root: string, driver: string): string[] {
  const left = leftovers(root, daemon.netns).filter((what) => what !== `mount ${root}`);
  const own = ["aufs", "btrfs"].includes(driver) ? left.indexOf(`mount ${join(root, driver)}`) : -1;
  return left.filter((_, i) => i !== own);
}

/**
 * What is there although no container runs: half-made things, and things nobody owns.
 *
 * @param ids - containers there ever were
 */
export async function traces(
  daemon: TestDaemon,
  root: string,
  ids: Iterable<string>,
  driver = "overlay",
): Promise<string[]> {
  const images = await idsOf(daemon, "/images/json?all=1");
  const containers = await idsOf(daemon, "/containers/json?all=1");
  const extra = (dir: string, wanted: (name: string) => boolean) =>
    listDir(join(root, dir))
      .filter((name) => !wanted(name))
      .map((name) => `${dir}/${name}`);
  const ofContainers = [...containers].flatMap((id) => [id, `${id}-init`]);
  // The files of volumes are kept as layers of this driver.
  const volumes = driver === "vfs" ? listDir(join(root, "volumes")) : [];
  const unfinished = (dir: string) => extra(dir, (name) => !/\.tmp|\.removing|^\.new/.test(name));
  return [
    ...extra("graph", (name) => name === "_tmp" || images.has(name)),
    ...extra("graph/_tmp", () => false),
    ...extra("tmp", () => false),
    ...layerTraces(root, driver, new Set([...images, ...ofContainers, ...volumes])),
    ...extra("containers", (name) => containers.has(name)),
    ...[...containers].flatMap((id) => unfinished(`containers/${id}`)),
    ...[...images].flatMap((id) => unfinished(`graph/${id}`)),
    ...unfinished("."),
    ...(containers.size === 0 ? extra("volumes", () => false) : []),
    ...(containers.size === 0 && driver !== "vfs" ? extra("vfs/dir", () => false) : []),
    ...extra("execdriver/native", (name) => name === ".runc"),
    ...extra("execdriver/native/.runc", () => false),
    ...listDir(namespacesOf(root)).map((name) => `network namespace ${name}`),
    // The root itself may be a mount of the test's.
    ...mountsAndLinks(daemon, root, driver),
    ...[...ids].flatMap((id) =>
      readdirSync(HIERARCHIES)
        .filter((name) => existsSync(join(HIERARCHIES, name, "docker", id)))
        .map((name) => `cgroup ${name} of ${id}`),
    ),
  ];
}

/** What grows when something leaks: descriptors, threads, children, and memory in MiB. */
export function usage(daemon: TestDaemon): { fds: number; threads: number; children: number; rss: number } {
  const pid = daemon.process.pid ?? 0;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return {
    fds: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
    children: readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).length,
    rss: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024,
  };
}
