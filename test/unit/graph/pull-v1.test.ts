import { expect, test } from "vitest";
import { RegistryV1, type RegistryV1Options, v1Images } from "../../../chapters/lib/registry-v1.ts";
import { tinyImage } from "../../../chapters/lib/tiny-image.ts";
import { deferred } from "../../../src/sync/deferred.ts";
import { type ImageStore, imageStore, runJob } from "../../support/image-store.ts";

const ENV = { json: "1", parallel: "1" };
const layers = v1Images(tinyImage());
const [base, middle, top] = layers.map((image) => image.id.slice(0, 12));

async function withRegistry(options: RegistryV1Options = {}): Promise<ImageStore & { registry: RegistryV1 }> {
  const registry = new RegistryV1(options);
  registry.put("user/app", "latest", layers);
  registry.put("library/one", "latest", layers.slice(0, 1));
  const images = await imageStore();
  images.network.set("http://localhost:5000", registry.handle);
  return { ...images, registry };
}

test("pull from a registry of version 1 says what 1.2.0 says, in its order", async () => {
  const images = await withRegistry();
  const run = await runJob(images, "pull", ["localhost:5000/one", "latest"], ENV);
  expect(run.error).toBeUndefined();
  const lines = (await run.messages()).map(({ id, status }) => [id, status]);
  expect(lines.filter((line, i) => line.join() !== lines[i - 1]?.join())).toEqual([
    [undefined, "Pulling repository localhost:5000/one"],
    [base, "Pulling image (latest) from localhost:5000/one"],
    [base, "Pulling image (latest) from localhost:5000/one, endpoint: http://localhost:5000/v1/"],
    [base, "Pulling dependent layers"],
    [base, "Pulling metadata"],
    [base, "Pulling fs layer"],
    [base, "Downloading"],
    [base, "Download complete"],
  ]);
  expect((await run.messages()).slice(-2).map(({ status }) => status)).toEqual([
    "Download complete",
    "Download complete",
  ]);
  expect(await images.host.fs.readFile(`/docker/graph/${layers[0]!.id}/json`, "utf8")).toBe(layers[0]!.json);
});

test("pull asks index, tags, history, then each layer from the oldest on", async () => {
  const images = await withRegistry({ tokens: true });
  await runJob(images, "pull", ["localhost:5000/user/app"], ENV);
  expect(images.registry.requests).toEqual([
    "GET /v2/",
    "GET /v1/_ping",
    "GET /v1/repositories/user/app/images",
    "GET /v1/repositories/user/app/tags",
    `GET /v1/images/${layers[2]!.id}/ancestry`,
    ...layers.flatMap(({ id }) => [`GET /v1/images/${id}/json`, `GET /v1/images/${id}/layer`]),
  ]);
  expect((await images.store.lookupImage("localhost:5000/user/app")).id).toBe(layers[2]!.id);
  const agent = images.requests.at(-1)?.headers.get("user-agent");
  expect(agent).toBe("docker/1.2.0 go/memory git-commit/fa7b24f kernel/3.16.0 os/linux arch/amd64");
});

test("pull passes X-Meta headers and the password on to the index, the password not to the images", async () => {
  const images = await withRegistry({ user: { username: "rig", password: "pass" } });
  const refused = await runJob(images, "pull", ["localhost:5000/one", "latest"], ENV);
  expect(refused.error?.message).toBe("Authentication is required.");
  const env = {
    ...ENV,
    authConfig: JSON.stringify({ username: "rig", password: "pass" }),
    metaHeaders: JSON.stringify({ "X-Meta-Source": ["a test"], Host: ["evil"] }),
  };
  expect((await runJob(images, "pull", ["localhost:5000/one", "latest"], env)).error).toBeUndefined();
  const last = images.requests.at(-1)?.headers;
  expect([last?.get("x-meta-source"), last?.get("host")]).toEqual(["a test", null]);
  expect(last?.get("authorization")).toMatch(/^Token signature=/);
});

test("pull names what is missing: repository, tag", async () => {
  const images = await withRegistry();
  const text = async (...args: string[]) => (await runJob(images, "pull", args, ENV)).error?.message;
  expect(await text("localhost:5000/nope", "latest")).toBe("Error: image nope not found");
  expect(await text("localhost:5000/one", "v9")).toBe("Tag v9 not found in repository localhost:5000/one");
  expect(await text("localhost:5000/foo/bar")).toMatch(/^Invalid namespace name \(foo\), only \[a-z0-9_\]/);
  expect(await text("UPPER")).toBe("Invalid repository name (UPPER), only [a-z0-9-_.] are allowed");
  expect(await text()).toBe("Usage: pull IMAGE [TAG]");
});

// origin: the golden record missing.062
test("pull from nowhere says that there is no registry", async () => {
  const images = await imageStore();
  const run = await runJob(images, "pull", ["127.0.0.1:9/nope", "x"], ENV);
  expect(run.error?.message).toBe(
    "Invalid Registry endpoint: Get http://127.0.0.1:9/v1/_ping: dial tcp 127.0.0.1:9: connection refused",
  );
  expect(run.output).toBe("");
});

test.each([
  ["500", { status: 500 }, `Server error: Status 500 while fetching image layer (${layers[1]!.id})`],
  ["a body that breaks off at once", { truncateAt: 0 }, "unexpected EOF"],
  ["silence", { stallAt: 10 }, "i/o timeout"],
] as const)("pull leaves nothing when a layer meets %s", async (_name, kind, text) => {
  const images = await withRegistry();
  images.registry.faults.add({ match: new RegExp(`${layers[1]!.id}/layer`), kind });
  const run = await runJob(images, "pull", ["localhost:5000/user/app", "latest"], ENV);
  expect(run.error?.message).toContain("Error pulling image (latest) from localhost:5000/user/app, ");
  expect(run.error?.message).toContain(text);
  const statuses = (await run.messages()).map((message) => message.status);
  expect(statuses).toContain(`Error ${_name === "500" ? "pulling" : "downloading"} dependent layers`);
  expect([images.driver.layers.size, images.graph.ids().length, images.store.layers.size]).toEqual([0, 0, 0]);
  images.registry.faults.clear();
  expect((await runJob(images, "pull", ["localhost:5000/user/app", "latest"], ENV)).error).toBeUndefined();
});

test("pull takes a broken layer up where it broke", async () => {
  const images = await withRegistry();
  images.registry.faults.add({ match: /layer$/, times: 1, kind: { truncateAt: 30 } });
  const run = await runJob(images, "pull", ["localhost:5000/one", "latest"], ENV);
  expect(run.error).toBeUndefined();
  const size = layers[0]!.layer.length;
  expect(images.requests.at(-1)?.headers.get("range")).toBe(`bytes=30-${size}`);
  expect(images.driver.layers.get(layers[0]!.id)?.tar).toEqual(tinyImage().layers[0]!.tar);
});

test("pull tries a description five times", async () => {
  const images = await withRegistry();
  images.registry.faults.add({ match: /json$/, times: 4, kind: { status: 503 } });
  expect((await runJob(images, "pull", ["localhost:5000/one", "latest"], ENV)).error).toBeUndefined();
  expect(images.registry.requests.filter((request) => request.endsWith("/json"))).toHaveLength(5);
});

test.each([
  ["null for the list of images", /images$/, "null", /it is no list/],
  ["[null] for the list of images", /images$/, "[null]", /it is no object/],
  ["null for the tags", /tags$/, "null", /it is no object/],
  ["a number for a tag", /tags$/, '{"latest":1}', /it is no text/],
  ["an id that is a path", /tags$/, '{"latest":"../../etc"}', /Invalid image id from the registry/],
  [
    "an ancestry that repeats an id",
    /ancestry$/,
    JSON.stringify([layers[0]!.id, layers[0]!.id]),
    /no line of ancestors/,
  ],
  [
    "an ancestry without end",
    /ancestry$/,
    JSON.stringify([layers[0]!.id, ...Array.from({ length: 1000 }, (_, n) => String(n).padStart(64, "0"))]),
    /more than 1000 images/,
  ],
  ["a description of another image", /json$/, layers[1]!.json, /it says it is/],
  ["a description that is no object", /json$/, "[]", /Failed to parse json: json: cannot unmarshal array/],
])("pull refuses %s", async (_name, path, body, text) => {
  const images = await withRegistry();
  images.registry.faults.add({ match: path, kind: { replace: body } });
  const run = await runJob(images, "pull", ["localhost:5000/one", "latest"], ENV);
  expect(run.error?.message).toMatch(text);
  expect(images.driver.layers.size).toBe(0);
});

test("pull refuses a list of images that does not end", async () => {
  const images = await withRegistry();
  images.registry.faults.add({ match: /images$/, kind: { replace: `["${"x".repeat(21 << 20)}"]` } });
  const run = await runJob(images, "pull", ["localhost:5000/one", "latest"], ENV);
  expect(run.error?.message).toBe("Cannot read the list of images of one: it is longer than 20971520 bytes");
});

test("pull goes to no endpoint that is reached by http only and not named", async () => {
  const images = await withRegistry({ endpoints: ["10.0.0.1"] });
  const run = await runJob(images, "pull", ["localhost:5000/one", "latest"], ENV);
  expect(run.error?.message).toBe("Cannot use the registry's list of endpoints: 10.0.0.1 is not reached by https");
});

test("two pulls of version 1 that share layers fetch each of them once", async () => {
  const gate = deferred();
  const images = await withRegistry();
  images.registry.put("user/other", "latest", layers.slice(0, 2));
  images.registry.faults.add({ match: new RegExp(`${layers[0]!.id}/layer`), kind: { after: gate.promise } });
  const runs = ["app", "other"].map((name) => runJob(images, "pull", [`localhost:5000/user/${name}`, "latest"], ENV));
  while (!images.registry.requests.some((request) => request.endsWith("layer"))) await images.host.clock.advance(0);
  gate.resolve();
  expect((await Promise.all(runs)).map((run) => run.error)).toEqual([undefined, undefined]);
  for (const layer of layers) {
    expect(images.registry.requests.filter((request) => request.endsWith(`${layer.id}/layer`))).toHaveLength(1);
  }
  expect(images.graph.ids().sort()).toEqual(layers.map((layer) => layer.id).sort());
  expect([middle, top]).not.toContain(undefined);
});

test("pull of API 1.3 and older goes on after an image that fails, as 1.2.0 does, and cannot name it", async () => {
  const images = await withRegistry();
  images.registry.faults.add({ match: new RegExp(`${layers[0]!.id}/layer`), kind: { status: 500 } });
  const run = await runJob(images, "pull", ["localhost:5000/one", "latest"], { json: "1", parallel: "0" });
  expect((await run.messages()).at(-1)?.status).toBe("Download complete");
  expect(run.error?.message).toBe(`No such id: ${layers[0]!.id}`);
});
