/**
 * What the daemon logs: boot, one container, SIGTERM; against what 1.2.0 logged.
 *
 * The server and the daemon boot side by side, and a client's requests overlap with the container's life: each line
 * belongs to a thread of its own, and within a thread the order counts. Standard output and standard error reach us by
 * ways of their own, so each has its own threads.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { goldenLayer } from "../support/golden-rootfs.ts";
import { startRegistry } from "../support/images.ts";

/** The threads, by what their lines say; the first that fits has the line. */
const THREADS: [name: string, lines: RegExp][] = [
  ["routes", /Registering /],
  ["signals", /Received signal|clean shutdown/],
  ["listener", /docker daemon:|serveapi|Listening|docker group found|could not chgrp/],
  ["stdout", /attach: stdout/],
  ["stderr", /attach: stderr/],
  ["attach job", /job attach\(/],
  ["attach", /attach: /],
  ["requests", /Calling |^\[info\] (?:POST|GET)/],
  ["wait job", /job wait\(/],
  ["container", /job (?:allocate_interface|release_interface|log|start|create|container_inspect)\(/],
  ["boot", /./],
];

/** Lines that only one of the two has, and why. */
const DEVIATIONS: { reason: string; theirs?: RegExp; ours?: RegExp }[] = [
  { reason: "several images in one archive", ours: /Registering GET, \/images\/get$/ },
  { reason: "clients of today begin with HEAD /_ping", ours: /Registering HEAD, \/_ping/ },
  { reason: "today's docker cp", ours: /Registering (?:HEAD|GET|PUT), .*\/archive$/ },
  { reason: "the test asks whether the daemon answers", ours: /GET \/_ping$/ },
];

/** Whether this machine has the group that the recorder had; without it 1.2.0 says so, and goes on. */
const hasGroup = /^docker:/m.test(readFileSync("/etc/group", "utf8"));

/** Lines of the records that have another text here. */
const INSTEAD: Record<string, string> = {
  ...(!hasGroup && {
    "[debug] server.go:1241 docker group found. gid: <gid>":
      "[debug] server.go:1299 Warning: could not chgrp /var/run/docker.sock to docker: Group docker not found",
  }),
  // The recorder had a second image.
  "[debug] graph.go:68 Restored 2 elements": "[debug] graph.go:68 Restored 1 elements",
  // Our client leaves an empty query away.
  "[info] POST /v1.14/containers/create?": "[info] POST /v1.14/containers/create",
};

const [withDebug = "", without = ""] = readFileSync(join(import.meta.dirname, "records/boot-log.txt"), "utf8")
  .split(/^# (?:boot with -D|the same without -D).*\n/m)
  .slice(1);

/** A log in the form of the records. */
function normalised(log: string, socket: string): string[] {
  return log
    .replaceAll(socket, "/var/run/docker.sock")
    .replace(/^\d{4}\/\d\d\/\d\d [\d:]{8}/gm, "<time>")
    .replace(/\[[0-9a-f]{8}(?=[\].])/g, "[<engine>")
    .replace(/[0-9a-f]{64}/g, "<id1>")
    .replace(/(?<=group found\. gid: )\d+/, "<gid>")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("# "));
}

/** The lines of each thread; routes are registered in no order. */
function threads(lines: readonly string[], except: (deviation: (typeof DEVIATIONS)[number]) => RegExp | undefined) {
  const all: Record<string, string[]> = {};
  for (const line of lines) {
    if (DEVIATIONS.some((deviation) => except(deviation)?.test(line))) continue;
    const [name] = THREADS.find(([, pattern]) => pattern.test(line)) ?? ["boot"];
    const key = `${name}, ${/^\.*\[info\]/.test(line) ? "output" : "error"}`;
    all[key] = [...(all[key] ?? []), INSTEAD[line] ?? line];
  }
  all["routes, error"]?.sort();
  return all;
}

/** Boots, runs the container, ends. @returns the log */
async function session(root: string, args: string[]): Promise<string[]> {
  // The runner of this test sets TEST, at which 1.2.0 becomes quiet.
  const daemon = await startDaemon({ driver: "vfs", root, args, env: { TEST: "" } });
  try {
    expect(await daemon.docker("run", "busybox", "echo", "hi")).toEqual({ code: 0, stdout: "hi\n", stderr: "" });
    expect(await daemon.end()).toBe(0);
    return normalised(daemon.log(), daemon.socket);
  } finally {
    await daemon.remove();
  }
}

/** A root with the image of the records, and no daemon on it. */
async function seed(): Promise<TestDaemon> {
  const daemon = await startDaemon({ driver: "vfs" });
  const registry = await startRegistry(daemon.netns.prefix);
  try {
    await registry.push("busybox", [goldenLayer()]);
    const image = `${registry.address}/busybox`;
    for (const words of [
      ["pull", image],
      ["tag", image, "busybox"],
      ["rmi", image],
    ]) {
      expect((await daemon.docker(...words)).code).toBe(0);
    }
    expect(await daemon.end()).toBe(0);
  } finally {
    await registry.stop();
  }
  return daemon;
}

test("the daemon logs what 1.2.0 logged, with -D and then, on the same root, without", async () => {
  const { root, remove } = await seed();
  try {
    for (const [record, args] of [
      [withDebug, ["-D"]],
      [without, []],
    ] as const) {
      const expected = threads(normalised(record, "/var/run/docker.sock"), ({ theirs }) => theirs);
      expect(threads(await session(root, [...args]), ({ ours }) => ours)).toEqual(expected);
    }
  } finally {
    await remove();
  }
});
