import { beforeEach, expect, test } from "vitest";
import { PoolBusyError } from "../../../src/graph/tags.ts";
import { deferred } from "../../../src/sync/deferred.ts";
import { type ImageStore, imageStore, runJob } from "../../support/image-store.ts";

const id = (digit: string) => digit.repeat(64);
const FILE = "/docker/repositories-fake";
let images: ImageStore;

async function add(digit: string, parent = "", extra: Record<string, unknown> = {}): Promise<void> {
  const json = JSON.stringify({
    id: id(digit),
    parent: parent && id(parent),
    created: "2014-08-20T20:20:14Z",
    ...extra,
  });
  const run = await runJob(images, "image_set", ["x"], { json });
  expect(run.error).toBeUndefined();
}

const file = () => images.host.volume.readFileSync(FILE, "utf8");
const reopen = () => imageStore({ host: images.host, driver: images.driver });

beforeEach(async () => {
  images = await imageStore();
  await add("a");
  await add("b", "a");
});

test("TagStore.set() writes the file of 1.2.0", async () => {
  await images.store.set("busybox", "", id("a"));
  await images.store.set("app", "v1", "bbbb");
  expect(file()).toBe(`{"Repositories":{"app":{"v1":"${id("b")}"},"busybox":{"latest":"${id("a")}"}}}`);
  expect((await reopen()).store.byId().get(id("b"))).toEqual(["app:v1"]);
});

// origin: the golden records images.041 to images.050
test("TagStore.set() takes what 1.2.0 takes and refuses what it refuses", async () => {
  const set = (repository: string, tag: string, image = id("a")) =>
    images.store.set(repository, tag, image).then(
      () => "ok",
      (cause: Error) => cause.message,
    );
  expect(await set("127.0.0.1:5000/me/tiny", "")).toBe("ok");
  expect(await set("x y", "Per")).toBe("ok");
  expect(await set("__proto__", "constructor")).toBe("ok");
  expect(await set("", "x")).toBe("Repository name can't be empty");
  expect(await set("a", "b:c")).toBe("Illegal tag name: b:c");
  expect(await set("a", "b/c")).toBe("Illegal tag name: b/c");
  expect(await set("a", "b", "abcdef")).toBe("No such id: abcdef");
  expect((await reopen()).store.byId().get(id("a"))).toEqual([
    "127.0.0.1:5000/me/tiny:latest",
    "__proto__:constructor",
    "x y:Per",
  ]);
});

test("TagStore.lookupImage() finds by name, tag, id in a repository, id, and prefix", async () => {
  await images.store.set("busybox", "latest", id("a"));
  await images.store.set("busybox", "v1", id("b"));
  const found = async (name: string) => (await images.store.lookupImage(name)).id[0];
  expect(await found("busybox")).toBe("a");
  expect(await found("busybox:v1")).toBe("b");
  expect(await found("busybox:bbb")).toBe("b");
  expect(await found(id("b"))).toBe("b");
  expect(await found("b")).toBe("b");
  expect(await found(`sha256:${id("a")}`)).toBe("a");
  expect(await found("docker.io/library/busybox:v1")).toBe("b");
  await expect(images.store.lookupImage("nope")).rejects.toThrow("No such id: nope");
});

test("TagStore.delete() and deleteAll() remove names, those with a port too", async () => {
  await images.store.set("app", "a", id("a"));
  await images.store.set("app", "b", id("a"));
  await images.store.set("host:5000/app", "x", id("a"));
  await images.store.delete("app", "a");
  await expect(images.store.delete("app", "a")).rejects.toThrow("No such tag: app:a");
  await expect(images.store.delete("nope", "a")).rejects.toThrow("No such repository: nope");
  expect(images.store.imageName(id("a"))).toBe("app:b");
  await images.store.deleteAll(id("a"));
  expect(file()).toBe('{"Repositories":{}}');
  expect(images.store.imageName(id("a"))).toBe("a".repeat(12));
});

test("TagStore is as before when the disk is full, on disk and in memory", async () => {
  await images.store.set("busybox", "latest", id("a"));
  const before = file();
  const { open } = images.host.fs;
  images.host.fs.open = () =>
    Promise.reject(Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }));
  await expect(images.store.set("busybox", "v2", id("b"))).rejects.toThrow("no space left on device");
  images.host.fs.open = open;
  expect(file()).toBe(before);
  expect([...(images.store.get("busybox")?.keys() ?? [])]).toEqual(["latest"]);
});

test.each(["", "{", "null", "[]", '{"Repositories":[]}', '{"Repositories":{"a":{"b":1}}}', "\u0000\u0001"])(
  "TagStore.open() keeps a file with %j aside and starts",
  async (content) => {
    images.host.volume.writeFileSync(FILE, content);
    const { store } = await reopen();
    expect(store.repositories.size).toBe(0);
    expect(images.host.volume.readFileSync(`${FILE}.corrupt`, "utf8")).toBe(content);
    expect(images.host.stderr.text).toContain(`Cannot read ${FILE}`);
    await store.set("app", "", id("a"));
  },
);

// origin: graph/tags.go (*TagStore).poolAdd
test("TagStore.poolAdd() lets nobody else do the same until it is done", async () => {
  const gate = deferred();
  const work = () => gate.promise;
  const shared = images.store.poolAdd("pull", "app:latest", work);
  expect(() => images.store.poolAdd("pull", "app:latest", work)).toThrow("pull app:latest is already in progress");
  expect(() => images.store.poolAdd("push", "app:latest", work)).toThrow(PoolBusyError);
  gate.resolve();
  await shared.join();
  await shared.ended();
  await Promise.resolve();
  expect(images.store.pullingPool.size).toBe(0);
});

// origin: the golden records images.020 to images.031 and images_ids.029
test("images lists names, untagged heads, and with all the rest, in the shape of 1.14", async () => {
  await add("c", "b", { created: "2014-08-21T20:20:14Z" });
  await images.store.set("tiny", "v2", id("b"));
  await images.store.set("tiny", "latest", id("b"));
  const list = async (env: Record<string, string>) => {
    const run = await runJob(images, "images", [], env);
    return run.error?.message ?? (JSON.parse(run.output) as { Id: string; RepoTags: string[] }[]);
  };
  const short = async (env: Record<string, string>) =>
    ((await list(env)) as { Id: string; RepoTags: string[] }[]).map((row) => `${row.Id[0]} ${row.RepoTags.join()}`);
  expect(await list({ filter: "tiny" })).toEqual([
    {
      Created: 1408566014,
      Id: id("b"),
      ParentId: id("a"),
      RepoTags: ["tiny:latest", "tiny:v2"],
      Size: 0,
      VirtualSize: 0,
    },
  ]);
  expect(await short({})).toEqual(["c <none>:<none>", "b tiny:latest,tiny:v2"]);
  expect(await short({ all: "1" })).toEqual(["c <none>:<none>", "a <none>:<none>", "b tiny:latest,tiny:v2"]);
  expect(await short({ filter: "t*" })).toEqual(["b tiny:latest,tiny:v2"]);
  expect(await short({ filter: "tiny:v2" })).toEqual([]);
  expect(await short({ filter: "[" })).toEqual([]);
  expect(await short({ filters: '{"dangling":["TRUE"]}' })).toEqual(["c <none>:<none>"]);
  expect(await short({ filters: '{"dangling":["false"]}' })).toEqual(["c <none>:<none>", "b tiny:latest,tiny:v2"]);
});

test("images gives clients of today digests, labels and whole sizes, and filters by reference", async () => {
  await add("c", "b", { config: { Labels: { tier: "web" } } });
  await images.store.set("busybox", "latest", id("c"));
  await images.store.setDigest("busybox", `sha256:${id("0")}`, id("c"));
  const list = async (filters: unknown, all = "") => {
    const run = await runJob(images, "images", [], { apiVersion: "1.30", all, filters: JSON.stringify(filters) });
    return run.error?.message ?? (JSON.parse(run.output) as Record<string, unknown>[]);
  };
  expect(await list({ reference: { "busy*": true } })).toEqual([
    {
      Containers: -1,
      Created: 1408566014,
      Id: id("c"),
      Labels: { tier: "web" },
      ParentId: id("b"),
      RepoDigests: [`busybox@sha256:${id("0")}`],
      RepoTags: ["busybox:latest"],
      SharedSize: -1,
      Size: 0,
      VirtualSize: 0,
    },
  ]);
  expect(await list({ reference: { nope: true } })).toEqual([]);
  expect(await list({ label: { "tier=web": true } })).toHaveLength(1);
  expect(await list({ label: { "tier=db": true } })).toEqual([]);
  expect(await list({ dangling: { true: true } })).toEqual([]);
  expect(await list({}, "1")).toHaveLength(3);
  expect(await list({ nope: { x: true } })).toBe("Invalid filter 'nope'");
});

test("history, image_get, image_inspect and viz describe what there is", async () => {
  await add("c", "b", { container_config: { Cmd: ["/bin/sh", "-c", "#(nop) layer 2"] }, config: { Cmd: ["/bin/sh"] } });
  await images.store.set("chain", "", id("c"));
  const run = async (name: string, ...args: string[]) => (await runJob(images, name, args)).output;
  expect((JSON.parse(await run("history", "chain")) as unknown[])[0]).toEqual({
    Created: 1408566014,
    CreatedBy: "/bin/sh -c #(nop) layer 2",
    Id: id("c"),
    Size: 0,
    Tags: ["chain:latest"],
  });
  expect(JSON.parse(await run("image_get", "chain"))).toMatchObject({ Id: id("c"), Parent: id("b") });
  const inspected = JSON.parse(await run("image_inspect", "chain")) as Record<string, Record<string, unknown>>;
  expect(Object.keys(inspected)).toEqual([
    "Architecture",
    "Author",
    "Comment",
    "Config",
    "Container",
    "ContainerConfig",
    "Created",
    "DockerVersion",
    "Id",
    "Os",
    "Parent",
    "Size",
  ]);
  expect(Object.keys(inspected["Config"] ?? {})).toHaveLength(23);
  expect(inspected["Config"]?.["Cmd"]).toEqual(["/bin/sh"]);
  expect(await run("viz")).toBe(
    [
      "digraph docker {",
      ` base -> "${id("a")}" [style=invis]`,
      ` "${id("a")}" -> "${id("b")}"`,
      ` "${id("b")}" -> "${id("c")}"`,
      ` "cccccccccccc" [label="cccccccccccc\\nchain:latest",shape=box,fillcolor="paleturquoise",style="filled,rounded"];`,
      " base [style=invisible]",
      "}",
      "",
    ].join("\n"),
  );
  const missing = await runJob(images, "image_inspect", ["nope"]);
  expect(missing.error).toMatchObject({ message: "No such image: nope", statusCode: 404 });
});
