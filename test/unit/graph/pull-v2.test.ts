import { expect, test } from "vitest";
import { RegistryV2, TYPES } from "../../../chapters/lib/registry-v2.ts";
import { buildImage, buildLayer, digestOf, tinyImage } from "../../../chapters/lib/tiny-image.ts";
import { deferred } from "../../../src/sync/deferred.ts";
import { FakeDriver } from "../../support/fake-driver.ts";
import { type ImageStore, imageStore, runJob } from "../../support/image-store.ts";

const TODAY = { json: "1", apiVersion: "1.30" };
const hex = (digest: string) => digest.slice("sha256:".length);

async function withRegistry(registry: RegistryV2, options: Parameters<typeof imageStore>[0] = {}): Promise<ImageStore> {
  const images = await imageStore(options);
  images.network.set("http://localhost:5000", registry.handle);
  return images;
}

/** What is on disk and in the driver: nothing of a failed pull may be among it. */
async function leftovers({ host, driver }: ImageStore): Promise<string[]> {
  const entries = (await host.fs.readdir("/docker/graph")).filter((name) => name !== "_tmp");
  const temporary = entries.length === 0 ? await host.fs.readdir("/docker/graph/_tmp").catch(() => []) : [];
  return [...entries, ...temporary, ...driver.layers.keys()];
}

test("pull registers every layer of an image and says so as today's clients expect", async () => {
  const registry = new RegistryV2();
  const image = tinyImage();
  const digest = registry.putImage("app", "latest", image);
  const images = await withRegistry(registry);
  const run = await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
  expect(run.error).toBeUndefined();
  const messages = await run.messages();
  expect(messages[0]).toEqual({ status: "Pulling from app", id: "latest" });
  const id = hex(image.layers[0]!.digest).slice(0, 12);
  expect(messages.filter((m) => m.id === id).map((m) => m.status)).toEqual([
    "Pulling fs layer",
    "Downloading",
    "Verifying Checksum",
    "Download complete",
    "Extracting",
    "Pull complete",
  ]);
  expect(messages.slice(-2)).toEqual([
    { status: `Digest: ${digest}` },
    { status: "Status: Downloaded newer image for localhost:5000/app:latest" },
  ]);
  const top = await images.store.lookupImage("localhost:5000/app");
  expect(top.id).toBe(hex(image.configDigest));
  expect((await top.history()).map((one) => one.containerConfig.Cmd?.[0])).toEqual([
    "/bin/sh -c rm /srv/draft.txt",
    "/bin/sh -c #(nop) COPY dir:srv in /srv",
    "/bin/sh -c #(nop) ADD file:base in /",
  ]);
  expect(top.config?.Cmd).toEqual(["/bin/sh"]);
  expect(await images.host.fs.readFile(`/docker/graph/${top.id}/config.json`)).toEqual(image.config);
  expect(images.store.repoDigests(top.id)).toEqual([`localhost:5000/app@${digest}`]);
  expect(images.store.layers.size).toBe(0);
  expect([...images.driver.layers.values()].map((layer) => layer.tar)).toEqual(image.layers.map((layer) => layer.tar));
});

test("pull says that an image is up to date and fetches nothing but the manifest", async () => {
  const registry = new RegistryV2();
  registry.putImage("app", "latest", tinyImage(), "oci");
  const images = await withRegistry(registry);
  await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
  registry.requests.length = 0;
  const run = await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
  expect((await run.messages()).at(-1)?.status).toBe("Status: Image is up to date for localhost:5000/app:latest");
  expect(registry.requests.filter((request) => request.includes("/blobs/"))).toEqual([]);
});

test("pull shares the layers of an image that another one is built on", async () => {
  const registry = new RegistryV2();
  const base = tinyImage();
  const child = buildImage([...base.layers, buildLayer([{ name: "new", content: "x" }], "RUN new")], { Cmd: ["/new"] });
  registry.putImage("base", "latest", base);
  registry.putImage("child", "latest", child);
  const images = await withRegistry(registry);
  await runJob(images, "pull", ["localhost:5000/base", "latest"], TODAY);
  const run = await runJob(images, "pull", ["localhost:5000/child", "latest"], TODAY);
  expect((await run.messages()).filter((m) => m.status === "Already exists")).toHaveLength(3);
  expect((await images.store.lookupImage("localhost:5000/child")).parent).toBe(hex(base.configDigest));
  expect(images.driver.layers.size).toBe(4);
});

test("pull gives an image that differs in its configuration only an id of its own", async () => {
  const registry = new RegistryV2();
  const base = tinyImage();
  registry.putImage("a", "latest", base);
  const other = buildImage(base.layers, { Cmd: ["/other"] });
  registry.putImage("b", "latest", other);
  const images = await withRegistry(registry);
  await runJob(images, "pull", ["localhost:5000/a", "latest"], TODAY);
  const run = await runJob(images, "pull", ["localhost:5000/b", "latest"], TODAY);
  expect(run.error).toBeUndefined();
  const image = await images.store.lookupImage("localhost:5000/b");
  expect([image.id, image.parent, image.size]).toEqual([hex(other.configDigest), hex(base.configDigest), 0]);
  expect(image.config?.Cmd).toEqual(["/other"]);
});

test("pull chooses from a list by platform", async () => {
  const registry = new RegistryV2();
  const layer = (name: string) => buildLayer([{ name, content: name }], name);
  const amd = buildImage([layer("amd")], {});
  const v7 = buildImage([layer("v7")], {}, { os: "linux", architecture: "arm", variant: "v7" });
  const v6 = buildImage([layer("v6")], {}, { os: "linux", architecture: "arm", variant: "v6" });
  const digest = registry.putList(
    "multi",
    "latest",
    [
      { image: v6, platform: { os: "linux", architecture: "arm", variant: "v6" } },
      { image: v7, platform: { os: "linux", architecture: "arm", variant: "v7" } },
      { image: amd, platform: { os: "linux", architecture: "amd64" } },
    ],
    "oci",
  );
  const images = await withRegistry(registry);
  const pull = async (platform: string) => {
    const run = await runJob(images, "pull", ["localhost:5000/multi", "latest"], { ...TODAY, platform });
    return run.error?.message ?? (await images.store.lookupImage("localhost:5000/multi")).id;
  };
  expect(await pull("")).toBe(hex(amd.configDigest));
  expect(await pull("linux/arm")).toBe(hex(v7.configDigest));
  expect(await pull("linux/arm/v6")).toBe(hex(v6.configDigest));
  expect(await pull("linux/s390x")).toBe("no matching manifest for linux/s390x in the manifest list entries");
  // A digest leads to the image that was pulled by it last.
  expect(images.store.repoDigests(hex(v6.configDigest))).toEqual([`localhost:5000/multi@${digest}`]);
});

test("pull by digest names the image by its digest only", async () => {
  const registry = new RegistryV2();
  const image = tinyImage();
  const digest = registry.putImage("app", undefined, image);
  const images = await withRegistry(registry);
  const run = await runJob(images, "pull", ["localhost:5000/app", digest], TODAY);
  expect(run.error).toBeUndefined();
  expect(images.store.repositories.size).toBe(0);
  expect((await images.store.lookupImage(`localhost:5000/app@${digest}`)).id).toBe(hex(image.configDigest));
  expect((await images.store.lookupImage(image.configDigest)).id).toBe(hex(image.configDigest));
});

test("pull without a tag gets all of them, page by page", async () => {
  const registry = new RegistryV2();
  for (const tag of ["a", "b", "c", "d", "e"]) registry.putImage("app", tag, tinyImage());
  const images = await withRegistry(registry);
  await runJob(images, "pull", ["localhost:5000/app"], TODAY);
  expect([...(images.store.get("localhost:5000/app")?.keys() ?? [])].sort()).toEqual(["a", "b", "c", "d", "e"]);
});

test("pull unpacks all layers at once when the driver can, one after another when it cannot", async () => {
  for (const independent of [true, false]) {
    const registry = new RegistryV2();
    registry.putImage("app", "latest", tinyImage());
    const images = await withRegistry(registry, { driver: new FakeDriver(independent) });
    const run = await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
    expect(run.error).toBeUndefined();
    expect(images.driver.mostUnpacking).toBe(independent ? 3 : 1);
  }
});

test("pull takes a broken download up where it broke", async () => {
  const registry = new RegistryV2({ faults: [{ match: /blobs/, times: 6, kind: { truncateAt: 40 } }] });
  const image = tinyImage();
  registry.putImage("app", "latest", image);
  const images = await withRegistry(registry);
  const run = await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
  expect(run.error).toBeUndefined();
  expect(images.requests.some(({ headers }) => headers.get("range") === "bytes=40-")).toBe(true);
});

test.each([
  ["500", { status: 500 }, /the registry answered with HTTP status 500/],
  ["403", { status: 403 }, /denied: access to the resource is denied/],
  ["404", { status: 404 }, /blob sha256:[a-f0-9]{64} of localhost:5000\/app not found/],
  ["a body that breaks off at once", { truncateAt: 0 }, /unexpected EOF/],
  ["silence", { stallAt: 20 }, /i\/o timeout/],
  [
    "another byte",
    "corrupt",
    /filesystem layer verification failed for digest sha256:\S+: got sha256:|incorrect|invalid/,
  ],
  ["a redirect loop", { redirect: "http://localhost:5000/v2/app/blobs/again" }, /stopped after 10 redirects/],
] as const)("pull leaves nothing when a layer meets %s", async (_name, kind, text) => {
  const registry = new RegistryV2();
  const image = tinyImage();
  registry.putImage("app", "latest", image);
  registry.faults.add({ match: new RegExp(`blobs/(${image.layers[1]!.digest}|again)`), kind });
  const images = await withRegistry(registry);
  const run = await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
  expect(run.error?.message).toMatch(text);
  expect(run.error?.message).not.toContain("\n");
  expect(await leftovers(images)).toEqual([]);
  expect([images.store.layers.size, images.store.pullingPool.size, images.store.repositories.size]).toEqual([0, 0, 0]);
  registry.faults.clear();
  expect((await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY)).error).toBeUndefined();
});

test("pull refuses a layer that unpacks to something else than the configuration says", async () => {
  const registry = new RegistryV2();
  const [good, evil] = [tinyImage().layers[0]!, buildLayer([{ name: "evil", content: "x" }], "evil")];
  const image = buildImage([{ ...evil, diffId: good.diffId }], {});
  registry.putImage("app", "latest", image);
  const images = await withRegistry(registry);
  const run = await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
  expect(run.error?.message).toBe(
    `filesystem layer verification failed for digest ${evil.digest}: unpacked it has the digest ${evil.diffId}, its configuration says ${good.diffId}`,
  );
  expect(await leftovers(images)).toEqual([]);
});

test.each([
  ["both layers and manifests", (m: Record<string, unknown>) => ({ ...m, manifests: [] }), /ambiguous/],
  ["a foreign media type", (m) => ({ ...m, mediaType: "text/html" }), /unsupported media type/],
  ["schema 1", () => ({ schemaVersion: 1, fsLayers: [], history: [] }), /old schema 1/],
  ["no object", () => null, /it is no object/],
  [
    "a layer without a size",
    (m) => ({ ...m, layers: [{ mediaType: TYPES.docker.layer, digest: "sha256:00" }] }),
    /bad size/,
  ],
  [
    "a digest that is a path",
    (m) => ({ ...m, layers: [{ mediaType: TYPES.docker.layer, size: 1, digest: "sha256:../../etc" }] }),
    /is no sha256 digest/,
  ],
  [
    "a foreign layer",
    (m) => ({ ...m, layers: [{ mediaType: "application/x", size: 1, digest: digestOf(Buffer.alloc(0)) }] }),
    /unsupported layer type/,
  ],
  [
    "fewer layers than the configuration",
    (m) => ({ ...m, layers: [] }),
    /its manifest has 0 layers, its configuration 3/,
  ],
] satisfies [string, (m: Record<string, unknown>) => unknown, RegExp][])(
  "pull refuses a manifest with %s",
  async (_name, change, text) => {
    const registry = new RegistryV2();
    const image = tinyImage();
    registry.putImage("app", "good", image);
    const document = change(registry.manifestOf(image)) as { mediaType?: string } | null;
    registry.putManifest("app", "latest", JSON.stringify(document), document?.mediaType ?? TYPES.docker.manifest);
    const images = await withRegistry(registry);
    const run = await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
    expect(run.error?.message).toMatch(text);
    expect(await leftovers(images)).toEqual([]);
  },
);

test("pull answers 404 before a word is written when there is no such tag", async () => {
  const registry = new RegistryV2();
  const images = await withRegistry(registry);
  const run = await runJob(images, "pull", ["localhost:5000/app", "nope"], TODAY);
  expect(run.error).toMatchObject({
    statusCode: 404,
    message: "manifest for localhost:5000/app:nope not found: manifest unknown: manifest unknown",
  });
  expect(run.output).toBe("");
});

test("a client who waits for another one's pull gets the same result", async () => {
  const gate = deferred();
  const registry = new RegistryV2({ faults: [{ match: /blobs/, times: 1, kind: { after: gate.promise } }] });
  registry.putImage("app", "latest", tinyImage());
  const images = await withRegistry(registry);
  const first = runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
  const second = runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
  gate.resolve();
  expect([(await first).error, (await second).error]).toEqual([undefined, undefined]);
  expect((await (await second).messages()).map((m) => m.status)).toEqual([
    "Repository localhost:5000/app already being pulled by another client. Waiting.",
  ]);
  registry.faults.add({ match: /manifests/, kind: { status: 500 } });
  const failed = await Promise.all([1, 2].map(() => runJob(images, "pull", ["localhost:5000/app", "x"], TODAY)));
  expect(failed.map((run) => run.error?.message)).toEqual(Array(2).fill(expect.stringContaining("HTTP status 500")));
});

test("a pull goes on when one of its clients leaves, and stops when the last one does", async () => {
  const gate = deferred();
  const registry = new RegistryV2({ faults: [{ match: /blobs/, kind: { after: gate.promise } }] });
  registry.putImage("app", "latest", tinyImage());
  const images = await withRegistry(registry);
  const [one, two] = [new AbortController(), new AbortController()];
  const start = (signal: AbortSignal) => runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY, signal);
  const first = start(one.signal);
  const second = start(two.signal);
  while (!registry.requests.some((request) => request.includes("blobs"))) await images.host.clock.advance(0);
  one.abort(new Error("gone"));
  expect((await first).error?.message).toBe("gone");
  expect(images.store.pullingPool.size).toBe(1);
  two.abort(new Error("gone too"));
  expect((await second).error?.message).toBe("gone too");
  while (images.store.pullingPool.size > 0) await images.host.clock.advance(0);
  expect(await leftovers(images)).toEqual([]);
  gate.resolve();
  expect((await start(new AbortController().signal)).error).toBeUndefined();
});

test("two pulls that share layers fetch each of them once", async () => {
  const registry = new RegistryV2();
  const base = tinyImage();
  const child = buildImage([...base.layers, buildLayer([{ name: "new", content: "x" }], "RUN new")], { Cmd: ["/new"] });
  registry.putImage("base", "latest", base);
  registry.putImage("child", "latest", child);
  for (const order of [
    ["base", "child"],
    ["child", "base"],
  ]) {
    const images = await withRegistry(registry);
    registry.requests.length = 0;
    const runs = await Promise.all(
      order.map((name) => runJob(images, "pull", [`localhost:5000/${name}`, "latest"], TODAY)),
    );
    expect(runs.map((run) => run.error)).toEqual([undefined, undefined]);
    for (const layer of base.layers) {
      expect(registry.requests.filter((request) => request.endsWith(layer.digest))).toHaveLength(1);
    }
    expect((await images.graph.map()).size).toBe(images.driver.layers.size);
    expect((await images.store.lookupImage("localhost:5000/child")).id).toBe(hex(child.configDigest));
    expect((await images.store.lookupImage("localhost:5000/base")).id).toBe(hex(base.configDigest));
  }
});

test("pull does not take an image for verified whose id somebody made up", async () => {
  const registry = new RegistryV2();
  const image = tinyImage();
  registry.putImage("app", "latest", image);
  const images = await withRegistry(registry);
  const id = hex(image.configDigest);
  const json = JSON.stringify({ id, created: "2014-08-20T20:20:14Z" });
  await runJob(images, "image_set", ["x"], { json });
  const run = await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
  expect(run.error?.message).toContain("exists already, from a source that is not verified");
});

test("pull proves its identity with a token, and keeps it from the place a blob is redirected to", async () => {
  const registry = new RegistryV2({
    auth: { kind: "bearer", realm: "http://localhost:5000/token", service: "test", username: "rig", password: "pass" },
  });
  const image = tinyImage();
  registry.putImage("app", "latest", image);
  const images = await withRegistry(registry);
  const cdn: Headers[] = [];
  images.network.set("http://127.0.0.1:8000", async (request) => {
    cdn.push(request.headers);
    return new Response(image.layers[0]!.blob);
  });
  registry.faults.add({ match: new RegExp(image.layers[0]!.digest), kind: { redirect: "http://127.0.0.1:8000/blob" } });
  const authConfig = JSON.stringify({ username: "rig", password: "pass" });
  const run = await runJob(images, "pull", ["localhost:5000/app", "latest"], { ...TODAY, authConfig });
  expect(run.error).toBeUndefined();
  expect(cdn.map((headers) => headers.get("authorization"))).toEqual([null]);
  expect(registry.requests.filter((request) => request === "GET /token")).toHaveLength(1);
  const wrong = JSON.stringify({ username: "rig", password: "no" });
  const refused = await runJob(images, "pull", ["localhost:5000/app", "x"], { ...TODAY, authConfig: wrong });
  expect(refused.error?.message).toContain("unauthorized: incorrect username or password");
});

test("pull asks for a password with the text clients know", async () => {
  const registry = new RegistryV2({ auth: { kind: "basic", username: "rig", password: "pass" } });
  registry.putImage("app", "latest", tinyImage());
  const images = await withRegistry(registry);
  const refused = await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
  expect(refused.error?.message).toBe("Get http://localhost:5000/v2/app/manifests/latest: no basic auth credentials");
  const authConfig = JSON.stringify({ username: "rig", password: "pass" });
  const run = await runJob(images, "pull", ["localhost:5000/app", "latest"], { ...TODAY, authConfig });
  expect(run.error).toBeUndefined();
});

test("pull of an official image asks the mirrors first, without a password", async () => {
  const [mirror, official] = [new RegistryV2(), new RegistryV2()];
  mirror.putImage("library/busybox", "latest", tinyImage());
  official.putImage("library/other", "latest", tinyImage());
  const images = await imageStore({ store: { mirrors: ["https://mirror.test/v1/"] } });
  images.network.set("https://mirror.test", mirror.handle);
  images.network.set("https://registry-1.docker.io", official.handle);
  const authConfig = JSON.stringify({ username: "rig", password: "pass" });
  const run = await runJob(images, "pull", ["docker.io/library/busybox", "latest"], { ...TODAY, authConfig });
  expect((await run.messages())[0]).toEqual({ status: "Pulling from library/busybox", id: "latest" });
  expect(official.requests).toEqual([]);
  expect([...images.store.repositories.keys()]).toEqual(["busybox"]);
  expect((await runJob(images, "pull", ["other", "latest"], TODAY)).error).toBeUndefined();
});

test("pull speaks plain http to no registry but this machine and the ones that were named", async () => {
  const registry = new RegistryV2();
  registry.putImage("app", "latest", tinyImage());
  const pull = async (insecureRegistries: string[]) => {
    const images = await imageStore({ store: { insecureRegistries } });
    images.network.set("http://10.1.2.3:5000", registry.handle);
    return (await runJob(images, "pull", ["10.1.2.3:5000/app", "latest"], TODAY)).error?.message;
  };
  expect(await pull([])).toMatch(
    /^Invalid Registry endpoint: Get https:\/\/10\.1\.2\.3:5000\/v1\/_ping: .*connection refused$/,
  );
  expect(await pull(["10.1.2.3:5000"])).toBeUndefined();
  expect(await pull(["10.1.0.0/16"])).toBeUndefined();
});

test("a pull fetches itself what another pull could not get", async () => {
  const gate = deferred();
  const [bad, good] = [new RegistryV2(), new RegistryV2()];
  const image = tinyImage();
  bad.putImage("app", "latest", image);
  good.putImage("app", "latest", image);
  bad.faults.add({ match: /blobs/, times: 1, kind: { replace: image.config } });
  bad.faults.add({ match: /blobs/, times: 3, kind: { after: gate.promise } });
  const images = await withRegistry(bad);
  images.network.set("http://localhost:6000", good.handle);
  const first = runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
  while (images.store.layers.size < 3) await images.host.clock.advance(0);
  const second = runJob(images, "pull", ["localhost:6000/app", "latest"], TODAY);
  while (!good.requests.some((request) => request.includes("blobs"))) await images.host.clock.advance(0);
  bad.faults.clear();
  bad.faults.add({ match: /blobs/, kind: { status: 403 } });
  gate.reject(new TypeError("terminated"));
  expect((await first).error?.message).toContain("denied");
  expect((await second).error).toBeUndefined();
  expect((await images.store.lookupImage("localhost:6000/app")).id).toBe(hex(image.configDigest));
  expect(images.graph.ids()).toHaveLength(3);
});

test("two names of one image that differs from another in its configuration only can be pulled at once", async () => {
  const registry = new RegistryV2();
  const base = tinyImage();
  const other = buildImage(base.layers, { Cmd: ["/other"] });
  registry.putImage("a", "latest", base);
  registry.putImage("b", "one", other);
  registry.putImage("b", "two", other);
  const images = await withRegistry(registry);
  const pulls = [
    ["a", "latest"],
    ["b", "one"],
    ["b", "two"],
  ].map(([name, tag]) => runJob(images, "pull", [`localhost:5000/${name}`, tag as string], TODAY));
  expect((await Promise.all(pulls)).map((run) => run.error)).toEqual([undefined, undefined, undefined]);
  expect(images.graph.ids()).toHaveLength(4);
});

test.each([503, 429])("pull asks for a manifest again after HTTP status %i", async (status) => {
  const registry = new RegistryV2();
  registry.putImage("app", "latest", tinyImage());
  const images = await withRegistry(registry);
  registry.faults.add({ match: /manifests/, times: 2, kind: { status } });
  expect((await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY)).error).toBeUndefined();
  expect(registry.requests.filter((request) => request.includes("/manifests/"))).toHaveLength(3);
});

test("a registry that is busy is left alone as long as it says, within reason", async () => {
  const registry = new RegistryV2();
  registry.putImage("app", "latest", tinyImage());
  const images = await withRegistry(registry);
  let [busy, wait] = [/manifests|blobs/, "7"];
  const refusals = new Map<string, number>();
  images.network.set("http://localhost:5000", async (request) => {
    const { pathname } = new URL(request.url);
    const before = refusals.get(pathname) ?? 0;
    if (!busy.test(pathname) || before > 0) return registry.handle(request);
    refusals.set(pathname, before + 1);
    const error = { code: "TOOMANYREQUESTS", message: "You have reached your pull rate limit" };
    return Response.json({ errors: [error] }, { status: 429, headers: { "Retry-After": wait } });
  });
  const pull = async () => {
    refusals.clear();
    const start = images.host.clock.now();
    const { error } = await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
    return { error: error?.message, seconds: (images.host.clock.now() - start) / 1000 };
  };
  const patient = await pull();
  expect(patient.error).toBeUndefined();
  expect(patient.seconds).toBeGreaterThanOrEqual(21); // the manifest, the configuration, the layers side by side
  await images.store.deleteAll((await images.store.lookupImage("localhost:5000/app")).id);
  [busy, wait] = [/manifests/, new Date(images.host.clock.now() + 3_600_000).toUTCString()];
  const refused = await pull();
  expect(refused.error).toMatch(/429 \(toomanyrequests: You have reached your pull rate limit\)$/);
  expect(refused.seconds).toBeLessThan(5);
});

test("a token service that is not well is asked again", async () => {
  const realm = "http://localhost:5000/token";
  const registry = new RegistryV2({ auth: { kind: "bearer", realm, service: "s" } });
  registry.putImage("app", "latest", tinyImage());
  const images = await withRegistry(registry);
  registry.faults.add({ match: /token/, times: 2, kind: { status: 503 } });
  expect((await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY)).error).toBeUndefined();
  registry.faults.add({ match: /token/, kind: { status: 503 } });
  const { error } = await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
  expect(error?.message).toMatch(/the token service answered with HTTP status 503/);
});

test.each([1, Number.POSITIVE_INFINITY])(
  "a layer that was another one after a break is fetched whole, once",
  async (times) => {
    const registry = new RegistryV2();
    const image = tinyImage();
    registry.putImage("app", "latest", image);
    const images = await withRegistry(registry);
    const { digest, blob } = image.layers[1]!;
    let [breaks, whole] = [0, 0];
    images.network.set("http://localhost:5000", async (request) => {
      if (!request.url.endsWith(digest)) return registry.handle(request);
      const range = request.headers.get("range");
      if (range !== null) {
        const [from, other] = [Number(/\d+/.exec(range)?.[0]), Buffer.from(blob).fill(120)];
        const headers = { "Content-Range": `bytes ${from}-${blob.length - 1}/${blob.length}` };
        return new Response(other.subarray(from), { status: 206, headers });
      }
      whole++;
      if (breaks++ < times) return new Response(blob.subarray(0, 40));
      return registry.handle(request);
    });
    const { error } = await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
    expect(whole).toBe(2);
    if (times === 1) expect(error).toBeUndefined();
    else expect(error?.message).toMatch(/^filesystem layer verification failed for digest sha256:|incorrect|invalid/);
    if (times > 1) expect(await leftovers(images)).toEqual([]);
  },
);
