/**
 * Pulls from Debian's own `docker-registry` on this machine, through the job, into real drivers on a real disk.
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RegistryV2, TYPES } from "../../chapters/lib/registry-v2.ts";
import { buildImage, buildLayer, tinyImage } from "../../chapters/lib/tiny-image.ts";
import type { GraphDriver } from "../../src/daemon/graphdriver/driver.ts";
import { OverlayDriver } from "../../src/daemon/graphdriver/overlay/driver.ts";
import { VfsDriver } from "../../src/daemon/graphdriver/vfs/driver.ts";
import { Engine } from "../../src/engine/engine.ts";
import { Graph } from "../../src/graph/graph.ts";
import { TagStore } from "../../src/graph/tags.ts";
import { linuxHost } from "../../src/host/linux/host.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { BufferWriter } from "../../src/sync/io.ts";
import { startRegistry, type TestRegistry } from "../support/images.ts";

const host = linuxHost({ env: {} });
const log = new Logger({ ...host, stdout: new BufferWriter() as never, stderr: new BufferWriter() as never });
if (host.machine.uid !== 0) console.log("skipped: overlay needs root (mount)");
let registry: TestRegistry;
let root: string;

/** Pushes an image by plain requests, as the registry's API wants it. */
async function push(name: string, image: ReturnType<typeof tinyImage>, format: "docker" | "oci"): Promise<string> {
  const base = `http://${registry.address}/v2/${name}`;
  for (const bytes of [image.config, ...image.layers.map((layer) => layer.blob)]) {
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    const started = await fetch(`${base}/blobs/uploads/`, { method: "POST" });
    const place = new URL(started.headers.get("location") ?? "", base);
    place.searchParams.set("digest", digest);
    const put = await fetch(place, {
      method: "PUT",
      body: bytes,
      headers: { "Content-Type": "application/octet-stream" },
    });
    expect(put.status).toBe(201);
  }
  const put = await fetch(`${base}/manifests/latest`, {
    method: "PUT",
    body: JSON.stringify(new RegistryV2().manifestOf(image, format)),
    headers: { "Content-Type": TYPES[format].manifest },
  });
  expect(put.status).toBe(201);
  return put.headers.get("docker-content-digest") ?? "";
}

async function openStore(driver: GraphDriver, home: string) {
  const graph = await Graph.open(join(home, "graph"), driver, host, log);
  const store = await TagStore.open(join(home, `repositories-${driver.name}`), graph, host, log);
  const engine = new Engine(host);
  engine.logging = false;
  store.install(engine);
  const pull = async (name: string, tag = "latest") => {
    const job = engine.job("pull", `${registry.address}/${name}`, tag);
    job.setenv("json", "1");
    job.setenv("apiVersion", "1.30");
    const out = new BufferWriter();
    job.stdout.add(out);
    await job.run();
    return out.toString();
  };
  return { graph, store, pull };
}

const DRIVERS: Record<string, (home: string) => Promise<GraphDriver>> = {
  vfs: (home) => VfsDriver.init(join(home, "vfs"), [], host),
  ...(host.machine.uid === 0
    ? { overlay: (home: string) => OverlayDriver.init(join(home, "overlay"), [], host, log) }
    : {}),
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "pull-"));
  registry = await startRegistry();
});

afterAll(async () => {
  await registry?.stop();
  await rm(root, { recursive: true, force: true });
  await host.pool.close();
});

test.each(Object.keys(DRIVERS))("pull from docker-registry unpacks an image of three layers into %s", async (name) => {
  const home = join(root, name);
  const driver = await DRIVERS[name]!(home);
  const image = tinyImage();
  for (const format of ["docker", "oci"] as const) {
    const digest = await push(`${name}-${format}`, image, format);
    const { store, pull, graph } = await openStore(driver, home);
    const output = await pull(`${name}-${format}`);
    expect(output).toContain(`Digest: ${digest}`);
    expect(output).toContain(`Status: Downloaded newer image for ${registry.address}/${name}-${format}:latest`);
    const top = await store.lookupImage(`${registry.address}/${name}-${format}`);
    expect(`sha256:${top.id}`).toBe(image.configDigest);
    const mounted = await driver.get(top.id);
    try {
      expect(await readFile(join(mounted, "etc/motd"), "utf8")).toBe("Welcome aboard\n");
      expect(await readdir(join(mounted, "srv"))).toEqual(["hello.txt"]);
    } finally {
      await driver.put(top.id);
    }
    expect(graph.ids()).toHaveLength(3);
    expect(await readdir(join(home, "graph/_tmp")).catch(() => [])).toEqual([]);
    expect(await pull(`${name}-${format}`)).toContain("Status: Image is up to date");
  }
  await driver.cleanup();
});

test("pull by digest, of what skopeo pushed, and of what is not there", async () => {
  const home = join(root, "digests");
  const driver = await DRIVERS["vfs"]!(home);
  const { pull, store } = await openStore(driver, home);
  const image = buildImage([buildLayer([{ name: "a", content: "a" }], "one")], { Cmd: ["/a"] });
  const digest = await push("single", image, "oci");
  expect(await pull("single", digest)).toContain(`Digest: ${digest}`);
  await expect(pull("single", "nope")).rejects.toMatchObject({
    statusCode: 404,
    message: `manifest for ${registry.address}/single:nope not found: manifest unknown: manifest unknown`,
  });
  await expect(pull("absent")).rejects.toMatchObject({ statusCode: 404 });
  if (existsSync("/usr/bin/skopeo")) {
    await registry.push("pushed", [{ "hello.txt": "hello\n" }]);
    await pull("pushed");
    const top = await store.lookupImage(`${registry.address}/pushed`);
    expect(await readFile(join(await driver.get(top.id), "hello.txt"), "utf8")).toBe("hello\n");
    await driver.put(top.id);
  }
});
