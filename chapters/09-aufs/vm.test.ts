/**
 * The claims on a real union mount: kernel aufs, or fuse-overlayfs on the same layers.
 */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { missingFuse } from "../../src/daemon/graphdriver/aufs/fuse-overlayfs.ts";
import type { Host } from "../../src/host/host.ts";
import { linuxHost } from "../../src/host/linux/host.ts";
import { memoryHost } from "../../src/host/memory/memory.ts";
import { startDaemon } from "../../test/support/daemon.ts";
import { RegistryV1, v1Images } from "../lib/registry-v1.ts";
import { serve } from "../lib/serve.ts";
import { buildImage, buildLayer } from "../lib/tiny-image.ts";
import { readLines } from "./calls.ts";
import { demoHost, example } from "./demo.ts";
import { type Entry, isOwn } from "./disk.ts";
import { ADD, BASE, CODE, Session, type Trace } from "./session.ts";

const linux = linuxHost();
const hasAufs = readFileSync("/proc/filesystems", "utf8").includes("aufs");
const missing = process.getuid?.() !== 0 ? "mounting needs root" : hasAufs ? undefined : await missingFuse(linux);
if (missing !== undefined) console.log(`skipped: chapter 09 on a real union mount: ${missing}`);
const vm = test.runIf(missing === undefined);

const base = mkdtempSync(join(tmpdir(), "chapter-09-"));
/** What the driver logs does not belong into a report. */
const host: Host = { ...linux, stdout: memoryHost().stdout, stderr: memoryHost().stderr };
let serial = 0;
const root = () => join(base, String(serial++));

afterAll(async () => {
  await linux.pool.close();
  const mounts = linux.kernel.mounts().filter(({ mountpoint }) => mountpoint.startsWith(base));
  rmSync(base, { recursive: true, force: true });
  expect(mounts).toEqual([]);
});

async function run(on: Host, at: string, lines: readonly string[], depth = 2): Promise<Trace> {
  const session = await Session.open(at, on, depth);
  try {
    return await session.run(readLines(lines));
  } finally {
    await session.close();
  }
}

/** A whiteout is a whiteout, whichever program made the file; opaque marks of directories that cover nothing are habit. */
function plain(entries: readonly Entry[], lower: ReadonlySet<string>): string[] {
  return entries
    .filter(({ path }) => !isOwn(path))
    .filter(({ path }) => !path.endsWith(".wh..wh..opq") || lower.has(path.slice(0, -".wh..wh..opq".length)))
    .map(({ path, mode, text }) => (path.includes(".wh.") ? path : `${path} ${(mode & 0o7777).toString(8)} ${text}`));
}

/** What must be the same on both machines. */
function result({ layers, steps, shown, hidden, mounted, changes, diffSize, end }: Trace) {
  const lower = new Set(layers.slice(1).flatMap(({ diff }) => diff.map(({ path }) => path)));
  return {
    layers: layers.map(({ id, below, diff, graph }) => ({ id, below, diff: plain(diff, lower), graph })),
    steps: steps.map(({ line, said, error, references }) => ({ line, said, error, references })),
    ...{ shown, hidden, mounted, diffSize, end },
    // Whether a directory that was copied up counts as changed depends on who copied it.
    changes: changes.filter(({ path }) => !layers[0]?.diff.some((entry) => entry.path === `${path.slice(1)}/`)),
  };
}

vm("004/g/1 004/g/5 004/g/8 the chapter's example leaves the same layers and shows the same files", async () => {
  const [real, memory] = [await run(host, root(), example), await run(demoHost(), "/var/lib/docker", example)];
  expect(result(real)).toEqual(result(memory));
  expect(real.hidden.map(({ path }) => path)).toEqual(["bin/ls", "srv/style.css", "tmp/cache"]);
});

vm("every kind of call has the same end: moves, modes, errors, and writing where nothing is mounted", async () => {
  const lines = [
    ...["get", "get", "append /etc/motd more", "chmod 0600 /bin/sh", "mv /etc /conf", "ls /conf", "cat /conf/motd"],
    ...["mv /bin/ls /srv", "ls /srv", "mkdir /srv", "rm /nothing", "write /srv/a/b x", "rm /tmp", "write /tmp a file"],
    ...["put", "cat /tmp", "put", "ls /", "write /lost x", "get", "ls /", "image 0", "image ff"],
  ];
  const [real, memory] = [await run(host, root(), lines), await run(demoHost(), "/var/lib/docker", lines)];
  expect(result(real)).toEqual(result(memory));
});

vm("004/g/2 004/g/3 mnt is a mount point, diff is what takes the writes, one mount holds all branches", async () => {
  const at = root();
  const session = await Session.open(at, host, 2);
  const { driver } = session.stores;
  try {
    await driver.create(CODE, ADD);
    const dir = await driver.get(CODE);
    expect(dir).toBe(join(at, "aufs/mnt", CODE));
    const mounts = linux.kernel.mounts().filter(({ mountpoint }) => mountpoint === dir);
    expect(mounts).toHaveLength(1);
    expect(mounts[0]?.fstype).toMatch(/^(aufs|fuse\.fuse-overlayfs)$/);
    writeFileSync(join(dir, "written"), "x");
    expect(existsSync(join(at, "aufs/diff", CODE, "written"))).toBe(true);
    await driver.put(CODE);
    expect(readdirSync(dir)).toEqual([]);
  } finally {
    await session.close();
  }
});

vm("004/g/4 a layer without a parent is not mounted: get() gives its own directory", async () => {
  const at = root();
  const trace = await run(host, at, [`get ${BASE}`]);
  expect([trace.steps[0]?.said, trace.mounted]).toEqual([["returns diff/ba5e…"], false]);
});

vm("004/g/6 a layer of less than ten bytes is refused, and leaves nothing", async () => {
  const session = await Session.open(root(), host, 1);
  const { driver } = session.stores;
  try {
    await driver.create(CODE, BASE);
    const short = (async function* () {
      yield Buffer.from("tiny");
    })();
    await expect(driver.applyDiff(CODE, BASE, short)).rejects.toThrow("EOF");
    expect(await driver.diffSize(CODE, BASE)).toBe(0);
  } finally {
    await session.close();
  }
});

vm("an image of 60 layers is more than a page of options, and is mounted all the same", async () => {
  const trace = await run(host, root(), ["get", "cat /etc/passwd"], 60);
  expect(trace.steps.at(-1)?.said).toEqual(["root:x:0:0::/root:/bin/sh"]);
  expect(trace.layers).toHaveLength(61);
});

/** Asks a daemon. */
function post(socketPath: string, path: string, body: unknown): Promise<{ Id?: string }> {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json" };
    const asked = request({ socketPath, path, method: "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.once("end", () => resolve(JSON.parse(text))).once("error", reject);
    });
    asked.once("error", reject).end(JSON.stringify(body));
  });
}

vm("004/e/6 004/g/1 004/g/8 a daemon with -s aufs keeps images and containers where the chapter says", async () => {
  const bottom = buildLayer(
    [
      { name: "etc/", type: "dir" },
      { name: "etc/motd", content: "base\n" },
    ],
    "ADD base",
  );
  const top = buildLayer(
    [{ name: "etc/", type: "dir" }, { name: "etc/.wh.motd" }, { name: "app", content: "app\n" }],
    "ADD app",
  );
  const line = v1Images(buildImage([bottom, top], { Cmd: ["/app"] }));
  const [below = "", image = ""] = line.map(({ id }) => id);
  const registry = new RegistryV1();
  registry.put("library/app", "1.0", line);
  const server = await serve((asked) => registry.handle(asked));
  const daemon = await startDaemon({ netns: "none", driver: "aufs" });
  const text = (...path: string[]) => readFileSync(join(daemon.root, ...path), "utf8");
  const names = (...path: string[]) => readdirSync(join(daemon.root, ...path)).sort();
  try {
    const name = `${server.authority}/app:1.0`;
    expect(await daemon.docker("pull", name)).toMatchObject({ code: 0 });
    for (const dir of ["layers", "diff", "mnt"]) expect(names("aufs", dir)).toEqual([below, image].sort());
    expect([text("aufs/layers", below), text("aufs/layers", image)]).toEqual(["", `${below}\n`]);
    expect([names("aufs/diff", image), names("aufs/diff", image, "etc")]).toEqual([["app", "etc"], [".wh.motd"]]);
    expect(names("aufs/mnt", image)).toEqual([]);
    expect(names("graph", image)).toEqual(expect.arrayContaining(["json", "layersize"]));
    expect(text("graph", image, "layersize")).toBe("4");

    // The client of 1.2.0 has no `docker create`; the API has.
    const { Id: id = "" } = await post(daemon.socket, "/v1.14/containers/create", { Image: name, Cmd: ["/app"] });
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(text("aufs/layers", id)).toBe(`${id}-init\n${image}\n${below}\n`);
    expect(existsSync(join(daemon.root, "graph", id))).toBe(false);
    expect((await daemon.docker("rm", id)).code).toBe(0);
    expect((await daemon.docker("rmi", name)).code).toBe(0);
    for (const dir of ["layers", "diff", "mnt"]) expect(names("aufs", dir)).toEqual([]);
  } finally {
    await server.close();
    expect(await daemon.remove()).toEqual([]);
  }
});
