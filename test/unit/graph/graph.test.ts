import { beforeEach, expect, test } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { setupInitLayer } from "../../../src/graph/init-layer.ts";
import { type MemoryHost, memoryHost } from "../../../src/host/memory/memory.ts";
import { newImgJSON } from "../../../src/image/image.ts";
import { Logger } from "../../../src/pkg/log/log.ts";
import { FakeDriver } from "../../support/fake-driver.ts";

const id = (digit: string) => digit.repeat(64);
let host: MemoryHost;
let driver: FakeDriver;
let graph: Graph;

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

const image = (own: string, parent = "") =>
  newImgJSON(JSON.stringify({ id: own, parent: parent || undefined, created: "2014-08-20T20:20:14Z" }));

const reopen = () => Graph.open("/graph", driver, host, new Logger(host));

beforeEach(async () => {
  host = memoryHost();
  driver = new FakeDriver();
  graph = await reopen();
});

// origin: graph/graph.go (*Graph).Register
test("Graph.register() keeps the description's own bytes and the size of the layer", async () => {
  const json = `{"id":"${id("a")}", "created":"2014-08-20T20:20:14Z", "unknown":1}`;
  await graph.register(newImgJSON(json), { json: Buffer.from(json), layer: bytes("12345") });
  expect(host.volume.toJSON()).toMatchObject({
    [`/graph/${id("a")}/json`]: json,
    [`/graph/${id("a")}/layersize`]: "5",
  });
  const again = await (await reopen()).get("aaaa");
  expect([again.id, again.size, (await again.rawJson()).toString()]).toEqual([id("a"), 5, json]);
});

test("Graph.register() refuses an id that is none, and one that is taken", async () => {
  for (const bad of ["..", "../../x", "", id("a").toUpperCase(), `${id("a")}a`]) {
    await expect(graph.register(image(bad), {})).rejects.toMatchObject({ statusCode: 400 });
  }
  await graph.register(image(id("a")), {});
  await expect(graph.register(image(id("a")), {})).rejects.toThrow(`Image ${id("a")} already exists`);
});

test("Graph.register() leaves nothing behind when the layer is broken", async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("x");
    throw new Error("unexpected EOF");
  }
  await expect(graph.register(image(id("a")), { layer: broken() })).rejects.toThrow("unexpected EOF");
  await expect(graph.register(image(id("b"), id("a")), {})).rejects.toThrow(
    `Driver fake failed to create image rootfs ${id("b")}: No such layer: ${id("a")}`,
  );
  expect([driver.layers.size, graph.ids(), graph.isHeld(id("a"))]).toEqual([0, [], false]);
});

test("Graph.create() describes what it was made of", async () => {
  const made = await graph.create({ layer: bytes("x"), comment: "Imported from -", author: "me" });
  expect(made.id).toMatch(/^[a-f0-9]{64}$/);
  const json = JSON.parse((await made.rawJson()).toString()) as Record<string, unknown>;
  expect(json).toMatchObject({
    id: made.id,
    comment: "Imported from -",
    created: "2014-08-20T20:20:14Z",
    docker_version: "1.2.0",
    author: "me",
    architecture: "amd64",
    os: "linux",
    Size: 1,
  });
  expect(Object.keys(json)).not.toContain("parent");
});

test("Graph.delete() removes description and layer, but not what is being built upon", async () => {
  await graph.register(image(id("a")), {});
  const staged = await graph.prepare(image(id("b"), id("a")));
  await expect(graph.delete(id("a"))).rejects.toMatchObject({ statusCode: 409 });
  await staged.discard();
  await graph.delete("aa");
  expect([driver.layers.size, await graph.exists(id("a"))]).toEqual([0, false]);
  await expect(graph.get(id("a"))).rejects.toThrow(`No such id: ${id("a")}`);
  expect(host.volume.toJSON("/graph")).toEqual({ "/graph/_tmp": null });
});

test("Graph.map(), byParent() and heads() pass over what cannot be used", async () => {
  await graph.register(image(id("a")), {});
  await graph.register(image(id("b"), id("a")), {});
  await graph.register(image(id("c"), id("b")), {});
  await graph.register(image(id("d"), id("a")), {});
  expect([...(await graph.heads()).keys()]).toEqual([id("c"), id("d")]);
  expect((await graph.byParent()).get(id("a"))?.map((child) => child.id)).toEqual([id("b"), id("d")]);
  host.volume.writeFileSync(`/graph/${id("b")}/json`, "{broken");
  host.volume.writeFileSync(`/graph/${id("d")}/layersize`, "abc");
  driver.layers.set(id("e"), { parent: undefined, tar: Buffer.alloc(0) });
  host.volume.mkdirSync(`/graph/${id("e")}`);
  const opened = await reopen();
  expect([...(await opened.map()).keys()]).toEqual([id("a"), id("d")]);
  expect((await opened.get(id("d"))).size).toBe(0);
});

test("Graph.open() leaves the images of another driver alone", async () => {
  await graph.register(image(id("a")), {});
  driver.layers.clear();
  const opened = await reopen();
  expect(opened.ids()).toEqual([]);
  expect(host.volume.existsSync(`/graph/${id("a")}/json`)).toBe(true);
});

test("Graph.open() clears away what was on its way", async () => {
  await graph.mktemp();
  await reopen();
  expect(host.volume.toJSON("/graph")).toEqual({ "/graph": null });
});

test("Graph.writeExtra() leaves nothing beside the description, whenever the crash comes", async () => {
  await graph.register(image(id("a")), {});
  const { rm } = host.fs;
  for (const [name, expected] of [
    ["open", "old"],
    ["rename", "old"],
    ["rm", "new"],
  ] as const) {
    await graph.writeExtra(id("a"), "more", "old");
    const original = host.fs[name];
    // The process ends here: whatever it was about to do, it does not.
    Object.assign(host.fs, {
      [name]: () => Promise.reject(new Error("crash")),
      rm: () => Promise.reject(new Error("crash")),
    });
    await expect(graph.writeExtra(id("a"), "more", "new")).rejects.toThrow("crash");
    Object.assign(host.fs, { [name]: original, rm });
    graph = await reopen();
    expect((await host.fs.readdir(`/graph/${id("a")}`)).sort()).toEqual(["json", "layersize", "more"]);
    expect(String(await graph.readExtra(id("a"), "more"))).toBe(expected);
    expect(await host.fs.readdir("/graph")).toEqual([id("a")]);
  }
});

test("Graph.commit() makes all visible or none, whenever the crash comes", async () => {
  const staged = [];
  for (const [own, parent] of [
    ["a", ""],
    ["b", "a"],
    ["c", "b"],
  ] as const) {
    staged.push({ staged: await graph.prepare(image(id(own), parent && id(parent))) });
  }
  // A crash: after so many renames the file system does not change any more.
  for (const survivors of [0, 1, 2, 3]) {
    const crashed = memoryHost({ files: host.volume.toJSON() });
    const copy = new FakeDriver();
    for (const [key, layer] of driver.layers) copy.layers.set(key, { ...layer });
    const list = ["a", "b", "c"].map((own) => `${id(own)}\n`).join("");
    crashed.volume.mkdirSync("/graph/_tmp", { recursive: true });
    crashed.volume.writeFileSync("/graph/_tmp/x.commit", list);
    for (const { staged: one } of staged.slice(0, survivors)) {
      crashed.volume.mkdirSync(`/graph/${one.image.id}`);
      crashed.volume.writeFileSync(`/graph/${one.image.id}/json`, one.image.toJson());
      crashed.volume.writeFileSync(`/graph/${one.image.id}/layersize`, "0");
    }
    const after = await Graph.open("/graph", copy, crashed, new Logger(crashed));
    await after.removeOrphans(new Set());
    expect(after.ids()).toHaveLength(survivors === 3 ? 3 : 0);
    expect(copy.layers.size).toBe(survivors === 3 ? 3 : 0);
  }
  await graph.commit(staged);
  expect([...(await graph.heads()).keys()]).toEqual([id("c")]);
});

test("Graph.commit() takes everything back when the disk is full", async () => {
  const staged = [
    { staged: await graph.prepare(image(id("a"))) },
    { staged: await graph.prepare(image(id("b"), id("a"))) },
  ];
  const { rename } = host.fs;
  let calls = 0;
  host.fs.rename = async (from, to) => {
    if (++calls === 2) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    await rename.call(host.fs, from, to);
  };
  await expect(graph.commit(staged)).rejects.toThrow("no space left on device");
  host.fs.rename = rename;
  expect(host.volume.toJSON("/graph")).toEqual({ "/graph/_tmp": null });
  await graph.commit(staged);
  expect(graph.ids()).toHaveLength(2);
});

test("Graph.removeOrphans() keeps images, containers and what is on its way", async () => {
  await graph.register(image(id("a")), {});
  const staged = await graph.prepare(image(id("b")));
  for (const name of [id("c"), `${id("c")}-init`, id("d")]) await driver.create(name);
  expect(await graph.removeOrphans(new Set([id("c"), `${id("c")}-init`]))).toEqual([id("d")]);
  await staged.discard();
  expect([...driver.layers.keys()]).toEqual([id("a"), id("c"), `${id("c")}-init`]);
});

// origin: graph/graph.go SetupInitLayer
test("setupInitLayer() makes mount points and follows no link", async () => {
  host.volume.mkdirSync("/layer", { recursive: true });
  host.volume.mkdirSync("/victim");
  host.volume.symlinkSync("/victim", "/layer/etc");
  host.volume.mkdirSync("/layer/proc");
  await setupInitLayer("/layer", host.fs);
  expect(host.volume.readdirSync("/victim")).toEqual([]);
  expect(host.volume.readdirSync("/layer/etc")).toEqual(["hostname", "hosts", "mtab", "resolv.conf"]);
  expect(host.volume.readlinkSync("/layer/etc/mtab")).toBe("/proc/mounts");
  expect(host.volume.readdirSync("/layer")).toEqual([".dockerenv", ".dockerinit", "dev", "etc", "proc", "sys"]);
  await setupInitLayer("/layer", host.fs);
});
