/**
 * Layers at the edges of what an archive can hold: what Drydock makes dockerd 20.10 unpacks as the same tree, and what
 * dockerd makes we do; as files and by way of a registry.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  DRYDOCK,
  makeNetns,
  type Result,
  run,
  startDaemon,
  type TestDaemon,
  type TestNetns,
} from "../support/daemon.ts";
import { type Dockerd, hasDockerd, startDockerd } from "../support/dockerd.ts";
import {
  changeExtremeTree,
  exactLines,
  exactLinesOfLayers,
  makeExtremeTree,
  packedByTar,
  type Times,
  unpackByTar,
} from "../support/extreme-tree.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";
import { drydockLayers } from "../support/trees.ts";

async function ok(result: Promise<Result>): Promise<string> {
  const done = await result;
  expect(`${done.code} ${done.stderr}`).toMatch(/^0 /);
  return done.stdout.trim();
}

describe.runIf(hasDockerd)("beside dockerd 20.10", () => {
  let dir: string;
  let netns: TestNetns;
  let registry: TestRegistry;
  let ours: TestDaemon;
  let theirs: Dockerd;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "odd-layers-"));
    netns = makeNetns();
    registry = await startRegistry(netns.prefix);
    await registry.push("base", [BUSYBOX]);
    [ours, theirs] = await Promise.all([startDaemon({ netns, driver: "overlay" }), startDockerd(netns)]);
  });
  afterAll(async () => {
    await theirs?.remove();
    await registry?.stop();
    if (ours) expect(await ours.remove()).toEqual([]);
    netns?.remove();
    if (dir) rmSync(dir, { recursive: true, force: true });
  });

  type Docker = (...args: string[]) => Promise<Result>;
  const client = (side: "ours" | "theirs"): Docker => (side === "ours" ? ours.today : theirs.docker);
  const address = (name: string) => `${registry.address}/${name}`;

  /** What is in the image's directory `tree`. */
  async function imageLines(side: "ours" | "theirs", name: string, times: Times = "seconds"): Promise<string[]> {
    if (side === "ours") {
      const ids = (await ok(ours.docker("history", "-q", "--no-trunc", name))).split("\n");
      return exactLinesOfLayers(drydockLayers(ours.root, ids), "tree", times);
    }
    const format = "{{.GraphDriver.Data.UpperDir}}:{{.GraphDriver.Data.LowerDir}}";
    const dirs = (await ok(theirs.docker("image", "inspect", "-f", format, name))).split(":");
    return exactLinesOfLayers(
      dirs.filter((one) => one.startsWith("/")),
      "tree",
      times,
    );
  }

  /** Lets a container of an image run, changes what it sees, and commits that. @returns what the container saw */
  async function make(docker: Docker, from: string, name: string, change: (dir: string) => void): Promise<string[]> {
    const id = await ok(docker("run", "-d", "--net=none", from, "sleep", "1000"));
    try {
      const pid = await ok(docker("inspect", "-f", "{{.State.Pid}}", id));
      const tree = `/proc/${pid}/root/tree`;
      change(tree);
      const lines = exactLines(tree, "seconds");
      await ok(docker("commit", id, name));
      return lines;
    } finally {
      await docker("rm", "-f", id);
    }
  }
  /** What dockerd makes of a tree: no time before 1970 but for links, and no attribute without a value. */
  const asTheySeeIt = (lines: string[]) =>
    lines.map((line) => line.replace(/^(\S+ (?!0o12)0o\d+ .*) -\d+$/, "$1 0").replace(" ('user.empty', '')", ""));

  test.each([
    ["ours", "theirs"],
    ["theirs", "ours"],
  ] as const)("what %s makes has the same files with %s, by registry and by file", async (maker, taker) => {
    const [makes, takes] = [client(maker), client(taker)];
    await ok(makes("pull", address("base")));
    const first = await make(makes, address("base"), address(`${maker}:one`), makeExtremeTree);
    const second = await make(makes, address(`${maker}:one`), address(`${maker}:two`), (dir) => changeExtremeTree(dir));
    for (const [tag, seen] of [
      ["one", first],
      ["two", second],
    ] as const) {
      const name = address(`${maker}:${tag}`);
      const made = await imageLines(maker, name);
      const expected = asTheySeeIt(made);
      if (maker === "ours") expect(made).toEqual(seen);
      await ok(makes("push", name));
      await ok(takes("pull", name));
      expect(asTheySeeIt(await imageLines(taker, name)), `${tag}, pulled`).toEqual(expected);
      await ok(takes("rmi", name));
      await ok(makes("save", "-o", join(dir, "image.tar"), name));
      await ok(takes("load", "-i", join(dir, "image.tar")));
      expect(asTheySeeIt(await imageLines(taker, name)), `${tag}, loaded`).toEqual(expected);
      await ok(takes("rmi", name));
    }
  });

  test("what GNU tar packs comes in with every nanosecond, and goes through both", async () => {
    const source = join(dir, "source");
    makeExtremeTree(join(source, "tree"));
    const archive = packedByTar(source, "tree");
    unpackByTar(archive, join(dir, "unpacked"));
    const seen = exactLines(join(dir, "unpacked/tree"), "nanoseconds");
    const words = [...netns.prefix, DRYDOCK, "-H", `unix://${ours.socket}`, "import", "-"];
    await ok(run([...words, "sparse"], { input: packedByTar(source, "tree", "-S") }));
    expect(await imageLines("ours", "sparse", "nanoseconds")).toEqual(seen);
    await ok(ours.docker("rmi", "sparse"));
    await ok(run([...words, "packed"], { input: archive }));
    expect(await imageLines("ours", "packed", "nanoseconds")).toEqual(seen);
    // dockerd does not save a layer again that has a sparse file as GNU tar writes it.
    await ok(ours.docker("save", "-o", join(dir, "packed.tar"), "packed"));
    await ok(theirs.docker("load", "-i", join(dir, "packed.tar")));
    expect(asTheySeeIt(await imageLines("theirs", "packed", "nanoseconds"))).toEqual(asTheySeeIt(seen));
    await ok(theirs.docker("save", "-o", join(dir, "packed.tar"), "packed"));
    await ok(ours.docker("rmi", "packed"));
    await ok(ours.docker("load", "-i", join(dir, "packed.tar")));
    expect(await imageLines("ours", "packed", "nanoseconds")).toEqual(seen);
    await ok(ours.docker("rmi", "packed"));
  });
});
