import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { expect, test } from "vitest";
import { sumOf } from "../../../../src/daemon/build/add.ts";
import { imageGetCached } from "../../../../src/daemon/build/cache.ts";
import { fileName } from "../../../../src/daemon/build/remote-file.ts";
import type { Graph } from "../../../../src/graph/graph.ts";
import { Image } from "../../../../src/image/image.ts";
import { newConfig } from "../../../../src/runconfig/from-json.ts";

const id = (digit: string) => digit.repeat(64);

/** Images in the order of their making. */
function graphOf(images: Image[], built: string[] = []) {
  return {
    childrenOf: async (parent: string) => images.filter((image) => image.parent === parent),
    imageRoot: (image: string) => `/${image}`,
    fs: {
      access: async (path: string) => {
        if (!built.some((image) => path === `/${image}/built`)) throw Object.assign(new Error(), { code: "ENOENT" });
      },
    },
  } as unknown as Graph;
}

function image(digit: string, parent: string, config: Parameters<typeof newConfig>[0], second = 0): Image {
  return new Image({
    id: id(digit),
    parent,
    created: `2014-08-20T20:20:0${second}Z`,
    container_config: newConfig(config),
  });
}

test("imageGetCached() finds the newest child whose container was configured alike", async () => {
  const graph = graphOf([
    image("a", id("1"), { Cmd: ["x"], Env: ["A=1"] }, 2),
    image("b", id("1"), { Cmd: ["x"], Env: ["A=1"], Hostname: "other", Image: "other" }, 3),
    image("c", id("1"), { Cmd: ["x"], Env: ["A=2"] }, 4),
    image("d", id("2"), { Cmd: ["x"], Env: ["A=1"] }, 5),
    image("e", id("1"), { Cmd: ["x"], Env: ["A=1"], WorkingDir: "/w" }, 6),
  ]);
  const find = async (parent: string, given: Parameters<typeof newConfig>[0]) =>
    (await imageGetCached(graph, parent, newConfig(given)))?.id;
  expect(await find(id("1"), { Cmd: ["x"], Env: ["A=1"] })).toBe(id("b"));
  expect(await find(id("1"), { Cmd: ["x"], Env: ["A=1"], WorkingDir: "/w" })).toBe(id("e"));
  expect(await find(id("1"), { Cmd: ["y"], Env: ["A=1"] })).toBeUndefined();
  expect(await find(id("3"), { Cmd: ["x"], Env: ["A=1"] })).toBeUndefined();
});

test("on top of nothing only what was built here counts", async () => {
  const images = [image("a", "", { Cmd: ["x"] }, 2), image("b", "", { Cmd: ["x"] }, 1)];
  expect(await imageGetCached(graphOf(images), "", newConfig({ Cmd: ["x"] }))).toBeUndefined();
  expect((await imageGetCached(graphOf(images, [id("b")]), "", newConfig({ Cmd: ["x"] })))?.id).toBe(id("b"));
});

test("sumOf() knows a file by its sum and a directory by all below it", () => {
  const sums = new Map([
    ["", "0"],
    ["d", "1"],
    ["d/x", "3"],
    ["dx", "2"],
    ["e\xc3\xa9", "4"],
  ]);
  const sha256 = () => {
    const hash = createHash("sha256");
    return { update: (text: string) => ({ hex: () => hash.update(text).digest("hex") }) };
  };
  const sum = (path: string, directory: boolean) =>
    sumOf({ path, info: { isDirectory: () => directory } as Stats }, sums, sha256);
  const hex = (text: string) => createHash("sha256").update(text).digest("hex");
  expect(sum("d/x", false)).toBe("file:3");
  expect(sum("eé", false)).toBe("file:4");
  expect(sum("unknown", false)).toBe("");
  expect(sum("d", true)).toBe(`dir:${hex("1,2,3")}`);
  expect(sum("", true)).toBe(`dir:${hex("0,1,2,3,4")}`);
});

test.each([
  ["http://h/a/b.txt", "b.txt"],
  ["http://h/a/b.txt?q=/x#f/y", "b.txt"],
  ["http://h/dir/", "dir"],
  ["http://h/", ""],
  ["http://h", ""],
  ["http://h/a%20b", "a b"],
  ["http://h/a%2Fb", "b"],
  ["http://h/%zz", "%zz"],
])("fileName(%j) is %j", (url, name) => {
  expect(fileName(url)).toBe(name);
});
