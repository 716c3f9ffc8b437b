import { expect, test } from "vitest";
import { getParentIds, loadIds } from "../../../../../src/daemon/graphdriver/aufs/dirs.ts";
import { memoryHost } from "../../../../../src/host/memory/memory.ts";

const host = memoryHost({
  files: {
    "/a/layers/base": "",
    "/a/layers/top": "mid\nbase\n",
    "/a/layers/gaps": "\nmid\n\nbase",
    "/a/layers/climbs": "../../etc\n",
    "/a/layers/splits": "x=rw:y\n",
    "/a/layers/dir": null,
  },
});

test("loadIds() lists files and no directories", async () => {
  expect(await loadIds(host, "/a/layers")).toEqual(["base", "climbs", "gaps", "splits", "top"]);
});

test("getParentIds() reads one id from each line that is not empty", async () => {
  expect(await getParentIds(host, "/a", "base")).toEqual([]);
  expect(await getParentIds(host, "/a", "top")).toEqual(["mid", "base"]);
  expect(await getParentIds(host, "/a", "gaps")).toEqual(["mid", "base"]);
});

test("getParentIds() names the file of an unknown layer, and one that holds no ids", async () => {
  await expect(getParentIds(host, "/a", "none")).rejects.toMatchObject({
    name: "NoSuchLayerError",
    message: "open /a/layers/none: no such file or directory",
  });
  for (const id of ["climbs", "splits"])
    await expect(getParentIds(host, "/a", id)).rejects.toThrow(`Cannot read /a/layers/${id}: a line is no layer's id`);
});
