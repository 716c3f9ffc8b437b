import { expect, test } from "vitest";
import { RegistryV1, type RegistryV1Options, v1Images } from "../../../chapters/lib/registry-v1.ts";
import { tinyImage } from "../../../chapters/lib/tiny-image.ts";
import { type ImageStore, imageStore, runJob } from "../../support/image-store.ts";

const ENV = { json: "1" };
const layers = v1Images(tinyImage());
const ids = layers.map(({ id }) => id);
const [base, middle, top] = ids.map((id) => id.slice(0, 12));
const REPOSITORY = "http://localhost:5000/v1/repositories/user/app";

/** A store with the images, and a registry without. */
async function withRegistry(options: RegistryV1Options = {}): Promise<ImageStore & { registry: RegistryV1 }> {
  const from = new RegistryV1();
  from.put("user/app", "latest", layers);
  from.put("user/app", "old", layers.slice(0, 2));
  const images = await imageStore();
  images.network.set("http://localhost:5000", from.handle);
  await runJob(images, "pull", ["localhost:5000/user/app"], { ...ENV, parallel: "1" });
  const registry = new RegistryV1(options);
  images.network.set("http://localhost:5000", registry.handle);
  images.requests.length = 0;
  return { ...images, registry };
}

test("push to a registry of version 1 says what 1.2.0 says, in its order", async () => {
  const images = await withRegistry({ tokens: true });
  const run = await runJob(images, "push", ["localhost:5000/user/app"], { ...ENV, tag: "latest" });
  expect(run.error).toBeUndefined();
  const lines = (await run.messages()).map(({ id, status }) => [id, status]);
  const image = (id?: string) =>
    ["Pushing", "Buffering to disk", "Pushing", "Image successfully pushed"].map((status) => [id, status]);
  expect(lines.filter((line, i) => line.join() !== lines[i - 1]?.join())).toEqual([
    [undefined, "The push refers to a repository [localhost:5000/user/app] (len: 1)"],
    [undefined, "Sending image list"],
    [undefined, "Pushing repository localhost:5000/user/app (1 tags)"],
    ...image(base),
    ...image(middle),
    ...image(top),
    [undefined, `Pushing tag for rev [${top}] on {${REPOSITORY}/tags/latest}`],
  ]);
  expect(images.registry.requests).toEqual([
    "GET /v2/",
    "GET /v1/_ping",
    "PUT /v1/repositories/user/app/",
    ...ids.flatMap((id) => [
      `GET /v1/images/${id}/json`,
      ...["json", "layer", "checksum"].map((part) => `PUT /v1/images/${id}/${part}`),
    ]),
    "PUT /v1/repositories/user/app/tags/latest",
    "PUT /v1/repositories/user/app/images",
  ]);
  expect(images.registry.lists).toEqual([
    JSON.stringify([{ id: ids[0] }, { id: ids[1] }, { id: ids[2], Tag: "latest" }]),
    "[]",
  ]);
  expect(await images.host.fs.readdir("/docker/graph/_tmp")).toEqual([]);
});

test("push sends descriptions byte for byte, and sums that others can check", async () => {
  const images = await withRegistry();
  await runJob(images, "push", ["localhost:5000/user/app"], ENV);
  expect([...images.registry.images.values()].map(({ json }) => json)).toEqual(layers.map(({ json }) => json));
  expect([...images.registry.sums.values()].map(({ checksum }) => checksum)).toEqual(
    Array(3).fill(expect.stringMatching(/^tarsum\+sha256:[0-9a-f]{64}$/)),
  );
  const other = await imageStore();
  other.network.set("http://localhost:5000", images.registry.handle);
  expect((await runJob(other, "pull", ["localhost:5000/user/app"], ENV)).error).toBeUndefined();
  expect(other.store.get("localhost:5000/user/app")).toEqual(
    new Map([
      ["latest", ids[2]],
      ["old", ids[1]],
    ]),
  );
});

test("push skips what is there, and tags it all the same", async () => {
  const images = await withRegistry();
  images.registry.put("user/app", "first", layers.slice(0, 2));
  const run = await runJob(images, "push", ["localhost:5000/user/app"], ENV);
  const texts = (await run.messages()).filter(({ id }) => id === undefined).map(({ status }) => status);
  expect(texts[0]).toBe("The push refers to a repository [localhost:5000/user/app] (len: 2)");
  expect(texts).toContain(`Image ${base} already pushed, skipping`);
  expect(texts).toContain(`Image ${middle} already pushed, skipping`);
  expect(texts).toContain(`Pushing tag for rev [${middle}] on {${REPOSITORY}/tags/old}`);
  expect(images.registry.requests.filter((request) => request.endsWith("/layer"))).toHaveLength(1);
});

test("push gives the password to the index, always, and the token to the images", async () => {
  const user = { username: "rig", password: "pass" };
  const images = await withRegistry({ writer: user, tokens: true, standalone: false });
  const refused = await runJob(images, "push", ["localhost:5000/user/app"], ENV);
  expect(refused.error?.message).toBe('Error: Status 401 trying to push repository user/app: "Wrong login"');
  expect(images.requests.at(-1)?.headers.get("authorization")).toBe(`Basic ${btoa(":")}`);
  const env = { ...ENV, authConfig: JSON.stringify(user), metaHeaders: JSON.stringify({ "X-Meta-A": ["b"] }) };
  expect((await runJob(images, "push", ["localhost:5000/user/app"], env)).error).toBeUndefined();
  const of = (part: string) => images.requests.find(({ url }) => url.endsWith(part))?.headers;
  expect(of("/layer")?.get("authorization")).toMatch(/^Token signature=/);
  expect(of("/layer")?.get("x-meta-a")).toBe("b");
  expect(images.requests.at(-1)?.headers.get("x-docker-endpoints")).toBe("http://localhost:5000/v1/");
});

test.each([
  [/PUT .*app\/$/, { status: 500, body: "no" }, "Error: Status 500 trying to push repository user/app: no"],
  [/PUT .*json/, { status: 401 }, "HTTP code 401, Docker will not send auth headers over HTTP."],
  [/PUT .*json/, { status: 500, body: '{"error":"full"}' }, 'HTTP code 500 while uploading metadata: {"error":"full"}'],
  [/PUT .*json/, { status: 500, body: "x" }, "HTTP code 500 while uploading metadata: invalid character 'x' looking"],
  [/PUT .*layer/, { status: 503, body: "later" }, "Received HTTP code 503 while uploading layer: later"],
  [/PUT .*checksum/, { status: 400, body: '{"error":"bad"}' }, "HTTP code 400 while uploading metadata: "],
  [/PUT .*tags/, { status: 500 }, "Internal server error: 500 trying to push tag latest on user/app"],
  [/PUT .*app\/images/, { status: 200, body: "?" }, "Error: Status 200 trying to push checksums user/app: ?"],
] as const)("push fails with the text of 1.2.0 at %s %j", async (match, kind, text) => {
  const images = await withRegistry();
  images.registry.faults.add({ match, kind });
  const run = await runJob(images, "push", ["localhost:5000/user/app"], { ...ENV, tag: "latest" });
  expect(run.error?.message.startsWith(text)).toBe(true);
  expect(await images.host.fs.readdir("/docker/graph/_tmp")).toEqual([]);
});

test("push goes on where the registry says that it has the image", async () => {
  const images = await withRegistry();
  images.registry.faults.add({
    match: new RegExp(`PUT .*${ids[0]}/json`),
    kind: { status: 409, body: '{"error":"Image already exists"}' },
  });
  images.registry.put("user/other", "x", layers.slice(0, 1));
  images.registry.faults.add({ match: new RegExp(`GET .*${ids[0]}/json`), kind: { status: 500 } });
  const run = await runJob(images, "push", ["localhost:5000/user/app"], ENV);
  expect(run.error).toBeUndefined();
  expect((await run.messages()).map(({ status }) => status)).toContain("Image already pushed, skipping");
});

test("push needs a token and endpoints that can be trusted", async () => {
  const images = await withRegistry({ endpoints: ["elsewhere.example"] });
  const text = async () => (await runJob(images, "push", ["localhost:5000/user/app"], ENV)).error?.message;
  expect(await text()).toMatch(/elsewhere.example is not reached by https$/);
  images.registry.faults.add({ match: /PUT .*app\/$/, times: 1, kind: { replace: "" } });
  images.network.set("http://localhost:5000", async (request) => {
    const response = await images.registry.handle(request);
    return request.method === "PUT" ? new Response(await response.text()) : response;
  });
  expect(await text()).toBe("Index response didn't contain an access token");
  expect(images.requests.some(({ url }) => url.includes("elsewhere"))).toBe(false);
});

test("push by id sends one image, and has no list", async () => {
  const images = await withRegistry();
  images.network.set("https://index.docker.io", images.registry.handle);
  const run = await runJob(images, "push", [ids[0] as string], ENV);
  expect((await run.messages())[0]?.status).toBe(`The push refers to an image: [${ids[0]}]`);
  expect(run.error).toBeUndefined();
  expect(images.registry.images.has(ids[0] as string)).toBe(true);
  expect(images.registry.lists).toEqual([]);
});

test("push goes where the index sends it, with the password only where that belongs", async () => {
  const user = { username: "rig", password: "pass" };
  const images = await withRegistry({ writer: user });
  const given: (string | null)[] = [];
  images.network.set("http://localhost:5000", async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/v1/repositories/user/app/") {
      const there = images.requests.length > 20 ? "http://127.0.0.1:7000" : "";
      return new Response(null, { status: 302, headers: { Location: `${there}/v1/repositories/moved/app/` } });
    }
    if (pathname.includes("moved")) given.push(request.headers.get("authorization"));
    return images.registry.handle(request);
  });
  images.network.set("http://127.0.0.1:7000", async (request) => {
    given.push(request.headers.get("authorization"));
    return new Response("", { status: 500 });
  });
  const env = { ...ENV, authConfig: JSON.stringify(user) };
  expect((await runJob(images, "push", ["localhost:5000/user/app"], env)).error).toBeUndefined();
  expect(given).toEqual([`Basic ${btoa("rig:pass")}`]);
  await images.store.set("localhost:5000/user/app", "more", ids[0] as string);
  while (images.requests.length <= 20) await runJob(images, "push", ["localhost:5000/user/app"], env);
  expect((await runJob(images, "push", ["localhost:5000/user/app"], env)).error?.message).toMatch(/^Error: Status 500/);
  expect(given.at(-1)).toBeNull();
});
