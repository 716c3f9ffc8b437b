import { beforeEach, expect, test } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { type MemoryHost, memoryHost } from "../../../src/host/memory/memory.ts";
import { newImgJSON } from "../../../src/image/image.ts";
import { Logger } from "../../../src/pkg/log/log.ts";
import { FakeDriver } from "../../support/fake-driver.ts";

const id = (digit: string) => digit.repeat(64);
let host: MemoryHost;
let driver: FakeDriver;
let graph: Graph;

const reopen = () => Graph.open("/graph", driver, host, new Logger(host));
const register = (own: string, parent = "") =>
  graph.register(
    newImgJSON(JSON.stringify({ id: id(own), parent: parent && id(parent), created: "2014-08-20T20:20:14Z" })),
    {},
  );
const children = async (parent: string) => (await graph.childrenOf(parent)).map((image) => image.id[0]).sort();

beforeEach(async () => {
  host = memoryHost();
  driver = new FakeDriver();
  graph = await reopen();
});

test("Graph.childrenOf() knows what is there, what comes and what goes", async () => {
  await register("a");
  await register("b", "a");
  await register("c", "a");
  expect([await children(id("a")), await children(""), await children(id("b"))]).toEqual([["b", "c"], ["a"], []]);
  await register("d", "b");
  await graph.delete(id("c"));
  expect([await children(id("a")), await children(id("b"))]).toEqual([["b"], ["d"]]);
  graph = await reopen();
  expect([await children(id("a")), await children(""), await children(id("b"))]).toEqual([["b"], ["a"], ["d"]]);
});

test("Graph.childrenOf() passes over what cannot be read, and sees what comes while it reads", async () => {
  await register("a");
  await register("b", "a");
  await register("c", "a");
  await host.fs.writeFile(`/graph/${id("c")}/json`, "{");
  graph = await reopen();
  const reading = children(id("a"));
  await register("d", "a");
  expect(["b,d", "b"]).toContain((await reading).join());
  expect(await children(id("a"))).toEqual(["b", "d"]);
});

test("Graph.create() fills a layer in place, keeps more files with the image, and nothing of a failure", async () => {
  const made = await graph.create({
    fill: async (image) => void driver.layers.set(image, { parent: undefined, tar: Buffer.from("four") }),
    comment: "",
    author: "",
    extra: { built: "" },
  });
  expect(made.size).toBe(4);
  expect(await host.fs.readFile(`/graph/${made.id}/built`, "utf8")).toBe("");
  const failing = graph.create({ fill: () => Promise.reject(new Error("full")), comment: "", author: "" });
  await expect(failing).rejects.toThrow("full");
  expect(await driver.ids()).toEqual([made.id]);
});
