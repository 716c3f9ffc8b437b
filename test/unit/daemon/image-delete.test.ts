import { beforeEach, expect, test } from "vitest";
import { imageDelete } from "../../../src/daemon/image-delete.ts";
import { type ImageStore, imageStore, runJob } from "../../support/image-store.ts";

const id = (digit: string) => digit.repeat(64);
let images: ImageStore;
let containers: { id: string; image: string; state: { running: boolean } }[];

async function add(digit: string, parent: string, ...names: string[]): Promise<void> {
  const json = JSON.stringify({ id: id(digit), parent: parent && id(parent), created: "2014-08-20T20:20:14Z" });
  await runJob(images, "image_set", ["x"], { json });
  for (const name of names) await runJob(images, "image_tag", [name, id(digit)]);
}

async function remove(name: string, env: Record<string, string> = {}): Promise<unknown> {
  const run = await runJob(images, "image_delete", [name], env);
  return run.error === undefined ? JSON.parse(run.output) : run.error.message;
}

beforeEach(async () => {
  images = await imageStore();
  containers = [];
  const daemon = { graph: images.graph, repositories: images.store, list: () => containers };
  images.engine.register("image_delete", (job) => imageDelete(daemon, job));
  await add("a", "", "base:latest");
  await add("b", "a");
  await add("c", "b", "app:latest", "app:v1", "host:5000/app:v1");
});

// origin: the golden records images.054 to images.065 and images_ids.037 to images_ids.049
test("image_delete by name takes the name away and keeps the image while it has others", async () => {
  expect(await remove("app")).toEqual([{ Untagged: "app:latest" }]);
  expect(await remove("app:nope")).toBe("No such image: app:nope");
  expect(await remove("nope")).toBe("No such image: nope");
  expect(await remove("nope", { apiVersion: "1.30" })).toBe("No such image: nope:latest");
});

test("image_delete by id refuses names in several repositories, with force it removes the first one's", async () => {
  expect(await remove(id("c"))).toBe(
    `Conflict, cannot delete image ${id("c")} because it is tagged in multiple repositories, use -f to force`,
  );
  expect(await remove(id("c"), { force: "1" })).toEqual([{ Untagged: "app:latest" }, { Untagged: "app:v1" }]);
  expect(images.store.byId().get(id("c"))).toEqual(["host:5000/app:v1"]);
});

test("image_delete removes the image with its last name, and ancestors up to one that has a name", async () => {
  await remove("app");
  await remove("host:5000/app:v1");
  expect(await remove("app:v1")).toEqual([{ Untagged: "app:v1" }, { Deleted: id("c") }, { Deleted: id("b") }]);
  expect([...images.driver.layers.keys()]).toEqual([id("a")]);
});

test("image_delete keeps an ancestor with names in several repositories; for old clients that is an error", async () => {
  const conflict = `Conflict, cannot delete image ${id("c")} because it is tagged in multiple repositories, use -f to force`;
  await add("d", "c", "child:latest");
  expect(await remove("child")).toBe(conflict);
  await add("d", "c", "child:latest");
  expect(await remove("child", { apiVersion: "1.30" })).toEqual([{ Untagged: "child:latest" }, { Deleted: id("d") }]);
  expect([...images.driver.layers.keys()].sort()).toEqual([id("a"), id("b"), id("c")]);
});

test("image_delete with noprune leaves the ancestors", async () => {
  await runJob(images, "image_delete", ["app:v1"]);
  await remove("app:latest");
  expect(await remove("host:5000/app:v1", { noprune: "1" })).toEqual([
    { Untagged: "host:5000/app:v1" },
    { Deleted: id("c") },
  ]);
});

test("image_delete does not delete what others are built on", async () => {
  expect(await remove(id("b"))).toBe(`Conflict, ${id("b")} wasn't deleted`);
});

test("image_delete refuses what a container uses, in the words of 1.2.0", async () => {
  await add("d", "a", "used:latest");
  containers.push({ id: id("e"), image: id("d"), state: { running: true } });
  const [d, e] = ["d".repeat(12), "e".repeat(12)];
  const tagged = () => runJob(images, "image_tag", ["used:latest", id("d")]);
  expect(await remove("used")).toBe(
    `Conflict, cannot delete ${d} because the running container ${e} is using it (docker untagged the image), stop it and use -f to force`,
  );
  expect(await remove(d, { force: "1" })).toBe(
    `Conflict, cannot force delete ${d} because the running container ${e} is using it, stop it and retry`,
  );
  containers[0] = { id: id("e"), image: id("d"), state: { running: false } };
  await tagged();
  expect(await remove(d)).toBe(
    `Conflict, cannot delete ${d} because the container ${e} is using it (docker untagged the image), use -f to force`,
  );
  expect(await remove(d, { force: "1" })).toEqual([{ Deleted: id("d") }]);
});

// origin: dockerd 20.10, `rmi` of an image above a nameless one that a container was made of
test("image_delete leaves an ancestor that a container needs; only old clients hear of it", async () => {
  containers.push({ id: id("e"), image: id("b"), state: { running: false } });
  const today = { apiVersion: "1.30" };
  for (const [digit, env] of [
    ["1", today],
    ["2", { ...today, force: "1" }],
  ] as const) {
    await add(digit, "b", "child:latest");
    await images.store.deleteAll(id("c"));
    await images.graph.delete(id("c"));
    expect(await remove("child", env)).toEqual([{ Untagged: "child:latest" }, { Deleted: id(digit) }]);
    await add("c", "b");
  }
  expect(await remove(id("c"))).toBe(
    `Conflict, cannot delete ${"b".repeat(12)} because the container ${"e".repeat(12)} is using it, use -f to force`,
  );
  expect(await remove(id("b"), { force: "1" })).toEqual([{ Deleted: id("b") }]);
});

test("image_delete passes over a container whose image is gone", async () => {
  containers.push({ id: id("e"), image: id("f"), state: { running: false } });
  await remove("app:latest");
  await remove("app:v1");
  expect(await remove("host:5000/app:v1")).toContainEqual({ Deleted: id("c") });
});

test("image_delete keeps an image that something is being made of", async () => {
  images.graph.hold(id("c"));
  await remove("app:latest");
  await remove("app:v1");
  expect(await remove("host:5000/app:v1")).toContain("because something is being made of it");
  images.graph.release(id("c"));
  expect(await remove(id("c"))).toContainEqual({ Deleted: id("c") });
});

test("image_delete removes digests together with the last tag", async () => {
  const digest = `sha256:${id("0")}`;
  await images.store.setDigest("app", digest, id("c"));
  expect(await remove(id("c"), { force: "1", apiVersion: "1.30" })).toEqual([
    { Untagged: "app:latest" },
    { Untagged: "app:v1" },
    { Untagged: "host:5000/app:v1" },
    { Untagged: `app@${digest}` },
    { Deleted: id("c") },
    { Deleted: id("b") },
  ]);
});

// origin: dockerd 20.10, `rmi` of a repository's last tag
test("image_delete forgets a repository's digest with its last tag, though others have tags", async () => {
  const [digest, today] = [`sha256:${id("0")}`, { apiVersion: "1.30" }];
  for (const name of ["app", "host:5000/app"]) await images.store.setDigest(name, digest, id("c"));
  expect(await remove("host:5000/app:v1", today)).toEqual([
    { Untagged: "host:5000/app:v1" },
    { Untagged: `host:5000/app@${digest}` },
  ]);
  expect(await remove("app:v1", today)).toEqual([{ Untagged: "app:v1" }]);
  expect(await remove("app")).toEqual([{ Untagged: "app:latest" }, { Deleted: id("c") }, { Deleted: id("b") }]);
});

// origin: dockerd 20.10, `rmi` beside a reference by digest
test("image_delete keeps an image that another repository knows by digest", async () => {
  const digest = `sha256:${id("0")}`;
  const today = { apiVersion: "1.30" };
  await images.store.setDigest("app", digest, id("c"));
  await images.store.setDigest("far/app", digest, id("c"));
  await remove("app:v1", today);
  await remove("host:5000/app:v1", today);
  expect(await remove("app", today)).toEqual([{ Untagged: "app:latest" }, { Untagged: `app@${digest}` }]);
  await images.store.set("app", "latest", id("c"));
  expect(await remove(id("c"), today)).toContain("it is tagged in multiple repositories, use -f to force");
  await remove("app", today);
  // Nor is it an ancestor that goes with its last child.
  await add("d", "c", "child:latest");
  expect(await remove("child", today)).toEqual([{ Untagged: "child:latest" }, { Deleted: id("d") }]);
  expect(await remove(`far/app@${digest}`, today)).toEqual([
    { Untagged: `far/app@${digest}` },
    { Deleted: id("c") },
    { Deleted: id("b") },
  ]);
});
