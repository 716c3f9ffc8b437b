import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { digestOf, tinyImage } from "../../../chapters/lib/tiny-image.ts";
import { deferred } from "../../../src/sync/deferred.ts";
import { type ImageStore, imageStore, runJob } from "../../support/image-store.ts";
import { type WritableOptions, WritableRegistry } from "../../support/writable-registry.ts";

const TODAY = { json: "1", apiVersion: "1.30" };
const TAGGED = { ...TODAY, tag: "latest" };
const hex = (digest: string) => digest.slice("sha256:".length);

async function withRegistry(options: WritableOptions = {}): Promise<ImageStore & { registry: WritableRegistry }> {
  const registry = new WritableRegistry(options);
  const images = await imageStore();
  images.network.set("http://localhost:5000", registry.handle);
  return { ...images, registry };
}

/** A store with an image of its own under a name. @returns its id */
async function makeImage({ graph, store }: ImageStore, name: string, ...layers: string[]): Promise<string> {
  let parent = "";
  for (const layer of layers) {
    const from = parent === "" ? {} : { container: { id: "c".repeat(64), image: parent, config: {} as never } };
    async function* content(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(layer);
    }
    parent = (await graph.create({ layer: content(), comment: "", author: "", ...from })).id;
  }
  await store.set(name, "latest", parent);
  return parent;
}

test("push sends layers, configuration and manifest, and says so as today's clients expect", async () => {
  const images = await withRegistry();
  const id = await makeImage(images, "localhost:5000/app", "lower ".repeat(100), "upper");
  const run = await runJob(images, "push", ["localhost:5000/app"], TAGGED);
  expect(run.error).toBeUndefined();
  const messages = await run.messages();
  expect(messages[0]).toEqual({ status: "The push refers to repository [localhost:5000/app]" });
  const top = messages.filter((message) => message.id === id.slice(0, 12)).map(({ status }) => status);
  expect(top.filter((status, i) => status !== top[i - 1])).toEqual([
    "Preparing",
    "Buffering to disk",
    "Pushing",
    "Pushed",
  ]);
  const stored = images.registry.manifests.get("app:latest");
  expect(messages.at(-2)?.status).toBe(`latest: digest: ${stored?.digest} size: ${stored?.bytes.length}`);
  expect(messages.at(-1)).toEqual({
    progressDetail: {},
    aux: { Tag: "latest", Digest: stored?.digest, Size: stored?.bytes.length },
  });
  expect(images.store.repoDigests(id)).toEqual([`localhost:5000/app@${stored?.digest}`]);
  expect(await images.host.fs.readdir("/docker/graph/_tmp")).toEqual([]);
  // What was pushed can be pulled: by somebody who has nothing of it.
  const other = await imageStore();
  other.network.set("http://localhost:5000", images.registry.handle);
  expect((await runJob(other, "pull", ["localhost:5000/app", "latest"], TODAY)).error).toBeUndefined();
  expect([...other.driver.layers.values()].map(({ tar }) => tar.toString().slice(0, 5))).toEqual(["lower", "upper"]);
});

test("push gives what came from a registry back under its digests, without reading a layer", async () => {
  for (const format of ["docker", "oci"] as const) {
    const images = await withRegistry();
    const image = tinyImage();
    const digest = images.registry.putImage("one/app", "latest", image, format);
    await runJob(images, "pull", ["localhost:5000/one/app", "latest"], TODAY);
    await images.store.set("localhost:5000/two/app", "v2", hex(image.configDigest));
    for (const layer of images.driver.layers.values()) layer.tar = Buffer.from("not to be read");
    const run = await runJob(images, "push", ["localhost:5000/two/app"], { ...TODAY, tag: "v2" });
    expect(run.error).toBeUndefined();
    expect(images.registry.manifests.get("two/app:v2")?.digest).toBe(digest);
    expect((await run.messages()).filter(({ status }) => status === "Mounted from one/app")).toHaveLength(3);
    const sent = () => images.registry.requests.splice(0).filter((request) => /^PATCH|^PUT .*blobs/.test(request));
    expect(sent()).toHaveLength(2); // the configuration: dockerd does not mount it either
    const again = await runJob(images, "push", ["localhost:5000/two/app"], { ...TODAY, tag: "v2" });
    expect(sent()).toEqual([]);
    expect((await again.messages()).filter(({ status }) => status === "Layer already exists")).toHaveLength(3);
  }
});

test("push makes a new manifest where a layer has to be built anew", async () => {
  const images = await withRegistry({ mounts: false });
  const image = tinyImage();
  const digest = images.registry.putImage("one/app", "latest", image);
  await runJob(images, "pull", ["localhost:5000/one/app", "latest"], TODAY);
  await images.store.set("localhost:5000/two/app", "latest", hex(image.configDigest));
  const top = images.driver.layers.get(hex(image.configDigest));
  if (top !== undefined) top.tar = Buffer.from("another archive of the same files");
  expect((await runJob(images, "push", ["localhost:5000/two/app"], TAGGED)).error).toBeUndefined();
  const stored = images.registry.manifests.get("two/app:latest");
  expect(stored?.digest).not.toBe(digest);
  const other = await imageStore();
  other.network.set("http://localhost:5000", images.registry.handle);
  expect((await runJob(other, "pull", ["localhost:5000/two/app", "latest"], TODAY)).error).toBeUndefined();
  const pulled = await other.store.lookupImage("localhost:5000/two/app");
  // The upload that a refused mount has begun is used.
  expect(images.registry.requests.filter((request) => /^POST .*uploads\/$/.test(request))).toHaveLength(1);
  const document = JSON.parse(await other.host.fs.readFile(`/docker/graph/${pulled.id}/config.json`, "utf8"));
  expect(document.rootfs.diff_ids).toEqual([
    image.layers[0]?.diffId,
    image.layers[1]?.diffId,
    digestOf(Buffer.from("another archive of the same files")),
  ]);
  expect(document.history).toEqual(JSON.parse(image.config.toString()).history);
});

test("what was pushed is known again: nothing of it is fetched, under its own name or another one", async () => {
  const images = await withRegistry();
  const id = await makeImage(images, "localhost:5000/app", "lower", "upper");
  await runJob(images, "push", ["localhost:5000/app"], TAGGED);
  const { bytes, type, digest } = images.registry.manifests.get("app:latest") ?? { bytes: "", type: "", digest: "" };
  images.registry.registry.putManifest("other", "latest", bytes.toString(), type);
  const fetched = () => images.registry.registry.requests.splice(0).filter((request) => /^GET .*blobs/.test(request));
  fetched();
  const again = await runJob(images, "pull", ["localhost:5000/app", "latest"], TODAY);
  expect(again.output).toContain("Status: Image is up to date for localhost:5000/app:latest");
  expect(fetched()).toEqual([]);
  expect(images.store.get("localhost:5000/app")?.get("latest")).toBe(id);
  // Elsewhere it is another image of the same layers. So it is after a start.
  for (const started of [false, true]) {
    const store = started ? await imageStore({ host: images.host, driver: images.driver }) : images;
    store.network.set("http://localhost:5000", images.registry.handle);
    const other = await runJob(store, "pull", ["localhost:5000/other", "latest"], TODAY);
    expect(other.error).toBeUndefined();
    expect(fetched()).toHaveLength(1); // its configuration
    const top = await store.store.lookupImage("localhost:5000/other");
    expect([top.parent, store.store.repoDigests(top.id)]).toEqual([id, [`localhost:5000/other@${digest}`]]);
    await store.store.deleteAll(top.id);
    await store.graph.delete(top.id);
  }
});

test("push sends all tags when none is named, each layer once", async () => {
  const images = await withRegistry();
  const id = await makeImage(images, "localhost:5000/app", "lower", "upper");
  await images.store.set("localhost:5000/app", "old", (await images.graph.get(id)).parent);
  const run = await runJob(images, "push", ["localhost:5000/app"], { json: "1" });
  expect((await run.messages())[0]?.status).toBe("The push refers to a repository [localhost:5000/app] (len: 2)");
  expect([...images.registry.manifests.keys()]).toEqual(["app:latest", "app:old"]);
  expect(images.registry.requests.filter((request) => request.startsWith("PATCH"))).toHaveLength(4);
  expect(run.output).not.toContain("aux");
});

test.each([
  ["a broken connection", { status: 500 }],
  ["an upload that is forgotten", { status: 404, body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}' }],
  ["too many requests", { status: 429 }],
])("push takes an upload up again after %s", async (_name, kind) => {
  const images = await withRegistry();
  await makeImage(images, "localhost:5000/app", "x".repeat(1000));
  images.registry.registry.faults.add({ match: /^PATCH/, times: 2, kind });
  images.registry.registry.faults.add({ match: /^PUT .*uploads/, times: 1, kind });
  const run = await runJob(images, "push", ["localhost:5000/app"], TAGGED);
  expect(run.error).toBeUndefined();
  expect(images.registry.manifests.has("app:latest")).toBe(true);
});

test("push sends in pieces where large bodies are refused", async () => {
  const images = await withRegistry({ maxBody: 4 << 20 });
  const noise = randomBytes(9 << 20).toString("latin1");
  await makeImage(images, "localhost:5000/app", noise);
  expect((await runJob(images, "push", ["localhost:5000/app"], TAGGED)).error).toBeUndefined();
  expect(images.registry.requests.filter((request) => request.startsWith("PATCH")).length).toBeGreaterThan(2);
}, 60_000);

test.each([
  [/^POST/, { status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' }, /^denied: .*Post .*\(denied: no\)/],
  [/^PATCH/, { status: 500 }, /^Patch .*HTTP status 500/],
  [
    /^PUT .*uploads/,
    { status: 400, body: '{"errors":[{"code":"DIGEST_INVALID","message":"m"}]}' },
    /digest invalid: m/,
  ],
  [/^PUT .*manifests/, { status: 507 }, /^Put .*manifests\/latest: .*HTTP status 507/],
  [/^HEAD/, { status: 401 }, /^unauthorized: authentication required .*HTTP status 401/],
] as const)("push names what went wrong at %s, and leaves nothing", async (match, kind, text) => {
  const images = await withRegistry();
  await makeImage(images, "localhost:5000/app", "lower", "upper");
  images.registry.registry.faults.add({ match, kind });
  const run = await runJob(images, "push", ["localhost:5000/app"], TAGGED);
  expect(run.error?.message).toMatch(text);
  expect(run.error?.message).not.toContain("\n");
  expect(await images.host.fs.readdir("/docker/graph/_tmp")).toEqual([]);
  expect(images.registry.manifests.size).toBe(0);
  expect(images.store.pushingPool.size).toBe(0);
});

test("push refuses to send a layer in plain text, and follows no upload there", async () => {
  const images = await withRegistry();
  images.network.set("https://localhost:5000", images.registry.handle);
  await makeImage(images, "localhost:5000/app", "secret");
  images.network.set("https://localhost:5000", async (request) => {
    const response = await images.registry.handle(request);
    if (request.method !== "POST") return response;
    return new Response(null, { status: 202, headers: { Location: "http://elsewhere.example/upload" } });
  });
  const run = await runJob(images, "push", ["localhost:5000/app"], TAGGED);
  expect(run.error?.message).toMatch(/refused to send the blob over plain http \(elsewhere.example\)/);
  expect(images.requests.some(({ url }) => url.includes("elsewhere"))).toBe(false);
});

test("push gives its token to the registry alone, and asks for all it needs", async () => {
  const realm = "http://localhost:5000/token";
  const images = await withRegistry({ auth: { kind: "bearer", realm, service: "s" } });
  images.registry.putImage("one/app", "latest", tinyImage());
  await runJob(images, "pull", ["localhost:5000/one/app", "latest"], TODAY);
  await images.store.set("localhost:5000/two/app", "latest", hex(tinyImage().configDigest));
  images.requests.length = 0;
  await runJob(images, "push", ["localhost:5000/two/app"], TAGGED);
  const scopes = images.requests
    .filter(({ url }) => url.startsWith(realm))
    .map(({ url }) => new URL(url).searchParams.getAll("scope"));
  expect(scopes).toEqual([
    ["repository:two/app:pull,push"],
    ["repository:two/app:pull,push", "repository:one/app:pull"],
  ]);
});

test("push says what is not there", async () => {
  const images = await withRegistry();
  await makeImage(images, "localhost:5000/app", "x");
  const text = async (name: string, env: Record<string, string>) =>
    (await runJob(images, "push", [name], env)).error?.message;
  expect(await text("localhost:5000/nope", { json: "1" })).toBe("No such id: localhost:5000/nope");
  expect(await text("localhost:5000/nope", TAGGED)).toBe(
    "An image does not exist locally with the tag: localhost:5000/nope",
  );
  expect(await text("localhost:5000/app", { json: "1", tag: "v9" })).toBe(
    "No images found for the requested repository / tag",
  );
  expect(await text("localhost:5000/app", { ...TODAY, tag: "v9" })).toBe("tag does not exist: localhost:5000/app:v9");
  expect((await runJob(images, "push", [])).error?.message).toBe("Usage: push IMAGE");
});

test("two pushes of one name exclude each other", async () => {
  const images = await withRegistry();
  await makeImage(images, "localhost:5000/app", "x");
  const wait = deferred();
  images.registry.registry.faults.add({ match: /^POST/, times: 1, kind: { after: wait.promise } });
  const first = runJob(images, "push", ["localhost:5000/app"], TAGGED);
  const second = await runJob(images, "push", ["localhost:5000/app"], TAGGED);
  expect(second.error?.message).toBe("push localhost:5000/app is already in progress");
  wait.resolve();
  expect((await first).error).toBeUndefined();
});

test("a tag that could lead elsewhere is neither pushed nor taken", async () => {
  const images = await withRegistry();
  const id = await makeImage(images, "localhost:5000/app", "x");
  await images.store.set("localhost:5000/app", "..", id);
  const run = await runJob(images, "push", ["localhost:5000/app"], { json: "1" });
  expect(run.error?.message).toMatch(/^Cannot push localhost:5000\/app:\.\.: a tag has letters/);
  expect(images.registry.requests.some((request) => request.startsWith("PUT"))).toBe(false);
  images.registry.putImage("other", "ok", tinyImage());
  images.registry.registry.faults.add({
    match: /tags\/list/,
    kind: { replace: '{"tags":["ok","../../other/manifests/latest"]}' },
  });
  const pull = await runJob(images, "pull", ["localhost:5000/other"], TODAY);
  expect(pull.error?.message).toBe(
    'Cannot use the tags of localhost:5000/other: "../../other/manifests/latest" is no tag',
  );
});

test("an upload whose answer got lost is not sent again", async () => {
  const images = await withRegistry();
  await makeImage(images, "localhost:5000/app", "x".repeat(1000));
  let lost = 0;
  images.network.set("http://localhost:5000", async (request) => {
    const response = await images.registry.handle(request);
    const last = request.method === "PUT" && request.url.includes("uploads") && lost++ === 0;
    if (last) throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
    return response;
  });
  expect((await runJob(images, "push", ["localhost:5000/app"], TAGGED)).error).toBeUndefined();
  expect(images.registry.requests.filter((request) => request.startsWith("PATCH"))).toHaveLength(2);
});

/** So much that it is sent before it is packed. */
const LARGE = 6 << 20;

test.each([
  ["nothing", undefined, [undefined]],
  ["an upload that breaks off", { status: 500 }, [undefined, true]],
  ["a registry that wants a length", { status: 411 }, [undefined, true]],
  ["a registry that wants pieces", { status: 413 }, [undefined, true, true]],
] as const)("push sends a large layer while it packs it, after %s", async (_name, kind, lengths) => {
  const images = await withRegistry();
  const id = await makeImage(images, "localhost:5000/app", randomBytes(LARGE).toString("latin1"));
  if (kind !== undefined) images.registry.registry.faults.add({ match: /^PATCH/, times: 1, kind });
  const run = await runJob(images, "push", ["localhost:5000/app"], TAGGED);
  expect(run.error).toBeUndefined();
  const patches = images.requests.filter(({ url }) => /uploads\/upload-/.test(url));
  const sent = patches.filter(({ headers }) => headers.get("content-type") === "application/octet-stream");
  // The last is that of the configuration.
  expect(sent.slice(0, -1).map(({ headers }) => headers.has("content-length") || undefined)).toEqual(lengths);
  const words = (await run.messages()).filter((message) => message.id === id.slice(0, 12)).map(({ status }) => status);
  expect(words.filter((status, i) => status !== words[i - 1])).toEqual([
    "Preparing",
    "Buffering to disk",
    "Pushing",
    "Pushed",
  ]);
  const other = await imageStore();
  other.network.set("http://localhost:5000", images.registry.handle);
  expect((await runJob(other, "pull", ["localhost:5000/app", "latest"], TODAY)).error).toBeUndefined();
  expect([...other.driver.layers.values()].map(({ tar }) => tar.length)).toEqual([
    images.driver.layers.get(id)?.tar.length,
  ]);
});

test("push gives up at once when a layer cannot be read to its end, and leaves nothing", async () => {
  const images = await withRegistry();
  const id = await makeImage(images, "localhost:5000/app", randomBytes(LARGE).toString("latin1"));
  images.driver.diff = async function* () {
    yield images.driver.layers.get(id)?.tar ?? Buffer.alloc(0);
    throw new Error("input/output error");
  };
  const run = await runJob(images, "push", ["localhost:5000/app"], TAGGED);
  expect(run.error?.message).toBe("Failed to generate layer archive: input/output error");
  expect(images.requests.filter(({ url }) => /uploads\/upload-/.test(url)).length).toBeLessThan(2);
  expect(await images.host.fs.readdir("/docker/graph/_tmp")).toEqual([]);
});

test("a token that ends in the middle of a push is renewed", async () => {
  const realm = "http://localhost:5000/token";
  const images = await withRegistry({ auth: { kind: "bearer", realm, service: "s" } });
  await makeImage(images, "localhost:5000/app", "lower", "upper");
  let ended = 0;
  images.network.set("http://localhost:5000", async (request) => {
    if (request.method !== "PATCH" || request.headers.get("authorization") !== "Bearer token-1") {
      return images.registry.handle(request);
    }
    ended++;
    return new Response('{"errors":[{"code":"UNAUTHORIZED"}]}', {
      status: 401,
      headers: { "WWW-Authenticate": `Bearer realm="${realm}",service="s",error="invalid_token"` },
    });
  });
  expect((await runJob(images, "push", ["localhost:5000/app"], TAGGED)).error).toBeUndefined();
  expect(ended).toBeGreaterThan(0);
  expect(images.registry.manifests.has("app:latest")).toBe(true);
});
