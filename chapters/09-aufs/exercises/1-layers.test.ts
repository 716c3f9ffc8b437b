import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { demoHost } from "../demo.ts";
import { openStores } from "../main.ts";

const { mountData, textFor } = await subject<typeof import("./1-layers.solution.ts")>(import.meta.url);

test("exercise 1: the files and the mounts are those of the driver", async () => {
  const host = demoHost();
  const { driver } = await openStores("/d", host);
  const said: string[] = [];
  const mount = host.kernel.mount.bind(host.kernel);
  host.kernel.mount = (source, target, fstype, flags, data = "") => {
    said.push(data);
    mount(source, target, fstype, flags, data);
  };
  const layers = new Map<string, string>();
  const stack: [string, string | undefined][] = [
    ["a", undefined],
    ["b", "a"],
    ["c", "b"],
    ["d", "b"],
    ["e", "d"],
  ];
  for (const [id, parent] of stack) {
    await driver.create(id, parent);
    const text = await host.fs.readFile(`/d/aufs/layers/${id}`, "utf8");
    expect(textFor(parent, layers)).toBe(text);
    layers.set(id, text);
    said.length = 0;
    await driver.get(id);
    expect(mountData("/d/aufs", id, layers)).toBe(said[0]);
  }
});
