/**
 * Pulls on a real machine: the daemon's own process, real sockets, the small registry of version 1 behind HTTP, and a
 * registry of today.
 */

import { spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { deferred } from "../../src/sync/deferred.ts";
import { DRYDOCK, startDaemon, type TestDaemon } from "../../test/support/daemon.ts";
import { type FaultyRegistry, startFaultyRegistry } from "../../test/support/faulty-registry.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../../test/support/images.ts";
import { RegistryV1, v1Images } from "../lib/registry-v1.ts";
import { type RunningServer, serve } from "../lib/serve.ts";
import { buildImage, buildLayer } from "../lib/tiny-image.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: chapter 08 on the real kernel needs root (a daemon)");

const layer = (name: string) => buildLayer([{ name, content: `${name}\n`.repeat(2000) }], `ADD ${name}`);
const [base, app, tools] = [layer("base"), layer("app"), layer("tools")];
const appLine = v1Images(buildImage([base, app], { Cmd: ["/app"] }));
const toolsLine = v1Images(buildImage([base, tools], { Cmd: ["/tools"] }));
const [baseId = "", appId = ""] = appLine.map(({ id }) => id);
const toolsId = toolsLine[1]?.id ?? "";

let daemon: TestDaemon;
let registry: RegistryV1;
let server: RunningServer;
/** Answers before the registry does; throwing hangs up. */
let before: (asked: Request) => void = () => undefined;
/** Resolves with the next request that matches. */
let seen: (pattern: RegExp) => Promise<void>;

beforeAll(async () => {
  if (!isRoot) return;
  registry = new RegistryV1();
  registry.put("library/app", "1.0", appLine);
  registry.put("library/app", "latest", appLine);
  registry.put("library/tools", "1.0", toolsLine);
  const waiting: { pattern: RegExp; resolve: () => void }[] = [];
  seen = (pattern) => {
    const { promise, resolve } = deferred();
    waiting.push({ pattern, resolve });
    return promise;
  };
  server = await serve(async (asked) => {
    const line = new URL(asked.url).pathname;
    for (const { pattern, resolve } of waiting) if (pattern.test(line)) resolve();
    before(asked);
    return registry.handle(asked);
  });
  daemon = await startDaemon({ netns: "none", driver: "vfs" });
});

afterEach(async () => {
  if (!isRoot) return;
  registry.faults.clear();
  registry.requests.length = 0;
  before = () => undefined;
  const { stdout } = await daemon.docker("images", "-q", "--no-trunc");
  const ids = stdout.split("\n").filter(Boolean);
  if (ids.length > 0) await daemon.docker("rmi", "-f", ...new Set(ids));
});

afterAll(async () => {
  if (!isRoot) return;
  await server?.close();
  expect(await daemon?.remove()).toEqual([]);
});

const name = (image: string) => `${server.authority}/${image}`;

/** Layers answer only when the returned function is called. */
function holdLayers(): () => void {
  const gate = deferred();
  registry.faults.add({ match: /\/layer$/, kind: { after: gate.promise } });
  return () => gate.resolve();
}

/** What has been said so far, and a way to wait for words. */
class Words {
  #text = "";
  readonly #listeners = new Set<() => void>();

  add(chunk: string): void {
    this.#text += chunk;
    for (const listener of this.#listeners) listener();
  }

  readonly text = () => this.#text;

  readonly says = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!pattern.test(this.#text)) return;
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
      look();
    });
}

/** A client whose words can be waited for, and that can be killed. */
function client(...args: string[]) {
  const child = spawn(DRYDOCK, ["-H", `unix://${daemon.socket}`, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const words = new Words();
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => words.add(text));
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  return { ended, text: words.text, says: words.says, kill: () => child.kill("SIGKILL") };
}

/** The request alone; it ends with the answer's status. */
function rawPull(image: string, tag: string) {
  const words = new Words();
  const path = `/v1.14/images/create?fromImage=${encodeURIComponent(image)}&tag=${tag}`;
  const ended = new Promise<number | undefined>((resolve, reject) => {
    request({ socketPath: daemon.socket, path, method: "POST" }, (response) => {
      response.setEncoding("utf8").on("data", (text) => words.add(text));
      response.once("end", () => resolve(response.statusCode)).once("error", reject);
    })
      .once("error", reject)
      .end();
  });
  return { ended, text: words.text, says: words.says };
}

test.runIf(isRoot)("004/e/1 004/e/3 004/e/5 the registry sees the requests in the told order", async () => {
  expect(await daemon.docker("pull", name("app:1.0"))).toMatchObject({ code: 0, stderr: "" });
  expect(registry.requests).toEqual([
    "GET /v2/",
    "GET /v1/_ping",
    "GET /v1/repositories/app/images",
    "GET /v1/repositories/library/app/tags",
    `GET /v1/images/${appId}/ancestry`,
    `GET /v1/images/${baseId}/json`,
    `GET /v1/images/${baseId}/layer`,
    `GET /v1/images/${appId}/json`,
    `GET /v1/images/${appId}/layer`,
  ]);
});

test.runIf(isRoot)("004/f/1 004/f/2 the names stand in repositories-vfs, which only root can read", async () => {
  await daemon.docker("pull", name("app"));
  const path = join(daemon.root, "repositories-vfs");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
    Repositories: { [name("app")]: { "1.0": appId, latest: appId } },
  });
});

test.runIf(isRoot)(
  "004/e/2 the same name twice: the second client asks for nothing, waits, and is told the same",
  async () => {
    const release = holdLayers();
    const layerAsked = seen(new RegExp(`${baseId}/layer`));
    const first = client("pull", name("app:1.0"));
    await layerAsked;
    const second = client("pull", name("app:1.0"));
    await second.says(/already being pulled by another client\. Waiting\./);
    const count = registry.requests.length;
    release();
    expect([await first.ended, await second.ended]).toEqual([0, 0]);
    expect(registry.requests.slice(count)).toEqual([`GET /v1/images/${appId}/json`, `GET /v1/images/${appId}/layer`]);
  },
);

test.runIf(isRoot)("004/e/2 two names of one image: the second client meets the first at img:", async () => {
  const release = holdLayers();
  const layerAsked = seen(new RegExp(`${baseId}/layer`));
  const first = client("pull", name("app:1.0"));
  await layerAsked;
  // A client without a terminal shows no messages about layers: this one reads them as they come.
  const second = rawPull(name("app"), "latest");
  await second.says(/Layer already being pulled by another client\. Waiting\./);
  release();
  expect([await first.ended, await second.ended]).toEqual([0, 200]);
  expect(second.text()).not.toContain("error");
  expect(registry.requests.filter((line) => line.endsWith("/layer"))).toHaveLength(2);
  const { stdout } = await daemon.docker("images");
  for (const tag of ["1.0", "latest"]) expect(stdout).toContain(` ${tag} `);
});

test.runIf(isRoot)("004/e/2 two images on one base: the base comes once, and both are whole", async () => {
  const release = holdLayers();
  const [baseAsked, toolsAsked] = [seen(new RegExp(`${baseId}/layer`)), seen(new RegExp(`${toolsId}/ancestry`))];
  const first = client("pull", name("app:1.0"));
  await baseAsked;
  const second = client("pull", name("tools:1.0"));
  await toolsAsked;
  release();
  expect([await first.ended, await second.ended]).toEqual([0, 0]);
  for (const id of [baseId, appId, toolsId]) {
    expect(registry.requests.filter((line) => line === `GET /v1/images/${id}/layer`)).toHaveLength(1);
  }
  const { stdout } = await daemon.docker("images", "-q", "--no-trunc");
  expect(new Set(stdout.split("\n").filter(Boolean))).toEqual(new Set([appId, toolsId]));
});

test.runIf(isRoot)("a second client reports the first one's failure, and its exit status", async () => {
  const gate = deferred();
  registry.faults.add({ match: /\/json$/, kind: { after: gate.promise } });
  registry.faults.add({ match: /\/layer$/, kind: { status: 404 } });
  const jsonAsked = seen(/json$/);
  const first = client("pull", name("app:1.0"));
  await jsonAsked;
  const second = client("pull", name("app:1.0"));
  await second.says(/Waiting\./);
  gate.resolve();
  expect([await first.ended, await second.ended]).toEqual([1, 1]);
  for (const { text } of [first, second])
    expect(text()).toContain("Server error: Status 404 while fetching image layer");
  expect((await daemon.docker("images", "-a", "-q")).stdout).toBe("");
});

test.runIf(isRoot)("the first client is killed, and the second one's pull goes on", async () => {
  const release = holdLayers();
  const layerAsked = seen(new RegExp(`${baseId}/layer`));
  const first = client("pull", name("app:1.0"));
  await layerAsked;
  const second = client("pull", name("app:1.0"));
  await second.says(/Waiting\./);
  first.kill();
  await first.ended;
  release();
  expect(await second.ended).toBe(0);
  expect((await daemon.docker("images", "-q", "--no-trunc")).stdout.trim()).toBe(appId);
});

test.runIf(isRoot)("a registry that hangs up is asked again after five seconds; 1.2.0's daemon crashes", async () => {
  let times: number[] = [];
  before = (asked) => {
    if (!asked.url.endsWith(`${baseId}/layer`)) return;
    times = [...times, performance.now()];
    // A connection that was kept and is found dead is replaced at once: that one is no attempt.
    if (performance.now() - (times[0] ?? 0) < 1000) throw new Error("hangs up");
  };
  expect(await daemon.docker("pull", name("app:1.0"))).toMatchObject({ code: 0, stderr: "" });
  expect((times.at(-1) ?? 0) - (times.at(-2) ?? 0)).toBeGreaterThanOrEqual(4900);
  expect((times.at(-2) ?? 0) - (times[0] ?? 0)).toBeLessThan(1000);
});

test.runIf(isRoot)("a layer that breaks off is taken up where it broke, and the user sees no error", async () => {
  registry.faults.add({ match: new RegExp(`${baseId}/layer`), times: 1, kind: { truncateAt: 50 } });
  const ranges: (string | null)[] = [];
  before = (asked) => {
    if (asked.url.endsWith("/layer")) ranges.push(asked.headers.get("range"));
  };
  expect(await daemon.docker("pull", name("app:1.0"))).toMatchObject({ code: 0, stderr: "" });
  // What was on the way when the connection broke may have got lost: then it is asked for again.
  expect(ranges).toEqual([null, expect.stringMatching(new RegExp(`^bytes=(0|50)-${base.blob.length}$`)), null]);
});

test.runIf(isRoot)(
  "a registry of today: two clients at once, each blob once, all layers after three questions",
  async () => {
    let real: TestRegistry | undefined;
    let proxy: FaultyRegistry | undefined;
    try {
      real = await startRegistry();
      await real.push("rig/app", [BUSYBOX, { "app.txt": "app\n" }]);
      proxy = await startFaultyRegistry(real.address);
      const gate = deferred();
      let blobs = 0;
      proxy.fault = (line) => {
        // The first blob is the configuration; layers wait until the second client is there.
        if (!line.includes("/blobs/") || blobs++ === 0) return undefined;
        return { holdAfter: 10, release: gate.promise };
      };
      const layerAsked = proxy.seen(/blobs\/[\s\S]*/);
      const image = `${proxy.address}/rig/app:latest`;
      const first = client("pull", image);
      await layerAsked;
      const second = client("pull", image);
      await second.says(/already being pulled by another client\. Waiting\./);
      gate.resolve();
      expect([await first.ended, await second.ended]).toEqual([0, 0]);
      const lines = proxy.requests.map((line) => line.replace(/sha256:[0-9a-f]{64}/, "<digest>"));
      expect(lines).toEqual([
        "GET /v2/",
        "GET /v2/rig/app/manifests/latest",
        ...Array.from({ length: 3 }, () => "GET /v2/rig/app/blobs/<digest>"),
      ]);
      expect(new Set(proxy.requests).size).toBe(proxy.requests.length);
      for (const { text } of [first, second]) expect(text()).not.toContain("rror");
    } finally {
      await proxy?.stop();
      await real?.stop();
    }
  },
);
