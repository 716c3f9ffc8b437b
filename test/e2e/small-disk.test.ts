/**
 * What is larger than the disk: archives that unpack to more than there is room for, streams without end, more files than
 * there are inodes. Each ends with a clear error, and the store is what it was.
 */

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, statfsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { endless } from "../support/endless.ts";
import { freePort } from "../support/images.ts";
import { layer } from "../support/layers.ts";
import { requestBytes, sendRaw } from "../support/raw-http.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { ask, traces } from "../support/traces.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: mounting needs root");

const MB = 1 << 20;
const DISK_MB = 48;
const DISK_INODES = 4000;
const NONE = Buffer.alloc(0);
const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
const TEXT = "not zeros, which would be a hole ".repeat(1000);

/** An archive of so many megabytes in one file; compressed it is a thousandth of that. */
const large = (megabytes: number) => layer({ name: "large", bytes: Buffer.alloc(megabytes * MB, TEXT) });
const packed = (bytes: Buffer) => gzipSync(bytes, { level: 9 });

describe.runIf(isRoot).each([
  [
    "a fifth of it kept free",
    ["--storage-opt", "overlay.min_free_space=20%"],
    /Cannot write to \S+: no space left on device \(.* are free, .* are kept free\): remove/,
  ],
  [
    "to the last byte",
    ["--storage-opt", "overlay.min_free_space=0%"],
    /Cannot write to \S+: no space left on device: remove/,
  ],
] as const)("a disk of 48 MB, %s", (_name, args, full) => {
  const root = temporaryDirectory("small-disk-");
  const good = layer({ name: "in/" }, { name: "in/file", content: "good" });
  let daemon: TestDaemon;
  let server: Server;
  let address: string;
  let container: string;
  let before: { free: number; inodes: number };
  const taken: number[] = [];

  const post = (path: string, body: Buffer, method = "POST") =>
    sendRaw(daemon.socket, requestBytes(method, path, { body, headers: { "Content-Type": "application/x-tar" } }), {
      timeoutMs: 60_000,
    });
  const room = () => {
    const { bavail, bsize, ffree } = statfsSync(root);
    return { free: Math.floor((bavail * bsize) / MB), inodes: ffree };
  };

  beforeAll(async () => {
    const size = `size=${DISK_MB}m,nr_inodes=${DISK_INODES}`;
    expect(spawnSync("mount", ["-t", "tmpfs", "-o", size, "tmpfs", root]).status).toBe(0);
    server = createServer((request, response) => {
      if (request.url?.endsWith("/endless")) void endless(response).then((bytes) => taken.push(bytes));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    daemon = await startDaemon({ netns: "none", driver: "overlay", root, args: [...args] });
    expect((await post("/images/create?fromSrc=-&repo=good", good)).status).toBe(200);
    const made = await ask(daemon, "POST", "/containers/create", { Image: "good", Cmd: ["x"] });
    container = (JSON.parse(made.body) as { Id: string }).Id;
    before = room();
  });
  afterEach(async () => {
    expect(await traces(daemon, root, [])).toEqual([]);
    expect(readdirSync(join(root, "tmp"))).toEqual([]);
    expect(room()).toEqual(before);
    const again = await post("/images/create?fromSrc=-", good);
    expect(again.status).toBe(200);
    const { status } = JSON.parse(again.body) as { status: string };
    expect((await ask(daemon, "DELETE", `/images/${status}`)).status).toBe(200);
  });
  afterAll(async () => {
    server?.close();
    if (daemon) expect((await daemon.remove()).filter((line) => !line.startsWith(`mount ${root}`))).toEqual([]);
    spawnSync("umount", ["-l", root]);
  });

  test.each<[string, () => Promise<{ body: string }>]>([
    ["import", () => post("/images/create?fromSrc=-", packed(large(60)))],
    [
      "import of more files than inodes",
      () => {
        const files = Array.from({ length: 2 * DISK_INODES }, (_, n) => ({ name: `d${n % 9}/${n}` }));
        return post("/images/create?fromSrc=-", packed(layer(...files)));
      },
    ],
    [
      "import of more directories than inodes, in few names",
      () => {
        const names = Array.from({ length: 200 }, (_, n) => ({ name: `${n}${"/d".repeat(45)}/` }));
        return post("/images/create?fromSrc=-", packed(layer(...names)));
      },
    ],
    ["load, of which the archive alone is too large", () => post("/images/load", packed(large(60)))],
    [
      "load, of which a layer is too large",
      () => {
        const id = sha256("large");
        const json = { name: `${id}/json`, content: JSON.stringify({ id, created: "2014-08-20T20:20:14Z" }) };
        return post("/images/load", layer(json, { name: `${id}/layer.tar`, bytes: packed(large(60)) }));
      },
    ],
    ["build with a large context", () => post("/build", packed(large(60)))],
    ["build with a context that is large as it comes", () => post("/build", large(60))],
    [
      "build with ADD of an archive",
      () =>
        post(
          "/build?nocache=1&rm=1&forcerm=1",
          layer({ name: "Dockerfile", content: "FROM good\nADD a /in/\n" }, { name: "a", bytes: packed(large(60)) }),
        ),
    ],
  ])("%s", async (_way, send) => {
    expect((await send()).body).toMatch(full);
  });

  test("streams without end: import of an address, ADD of an address", async () => {
    taken.length = 0;
    // As it does not begin like an archive it ends at once; what does begin like one ends with the disk.
    expect((await post(`/images/create?fromSrc=http://${address}/endless`, NONE)).body).toMatch(/invalid tar header/);
    const dockerfile = { name: "Dockerfile", content: `FROM good\nADD http://${address}/endless /in/\n` };
    expect((await post("/build?nocache=1&rm=1&forcerm=1", layer(dockerfile))).body).toMatch(full);
    await expect.poll(() => taken.length).toBe(2);
    expect(taken[0]).toBeLessThan(16 * MB);
    expect(taken[1]).toBeLessThan((DISK_MB + 16) * MB);
  });

  test.runIf(spawnSync("git", ["--version"]).status === 0)("build from a repository that is too large", async () => {
    const web = temporaryDirectory("small-disk-git-");
    const script = `
      git init -q repo && cd repo && git config core.compression 0 && git config pack.window 0
      head -c ${60 * MB} /dev/urandom > noise && printf 'FROM good\\n' > Dockerfile
      git add . && git -c user.name=t -c user.email=t@example.com commit -qm x
    `;
    expect(spawnSync("sh", ["-c", script], { cwd: web }).status).toBe(0);
    const port = await freePort();
    const words = ["daemon", `--port=${port}`, "--listen=127.0.0.1", "--export-all", `--base-path=${web}`, web];
    const git = spawn("git", words, { stdio: "ignore", detached: true });
    try {
      spawnSync("sh", [
        "-c",
        `for i in $(seq 100); do git ls-remote git://127.0.0.1:${port}/repo && break; sleep 0.1; done`,
      ]);
      const remote = encodeURIComponent(`git://127.0.0.1:${port}/repo`);
      expect((await post(`/build?remote=${remote}`, NONE)).body).toMatch(
        /no space left on device|No space left on device/,
      );
    } finally {
      process.kill(-(git.pid as number), "SIGKILL");
    }
  });

  test("a copy into a container: what came stays there, and can be removed", async () => {
    const path = `/v1.24/containers/${container}/archive?path=/in`;
    expect((await post(path, packed(large(60)), "PUT")).body).toMatch(full);
    expect((await ask(daemon, "DELETE", `/containers/${container}`)).status).toBe(204);
    before = room();
  });
});
