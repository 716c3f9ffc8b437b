/**
 * The daemon is killed at random moments while it loads, saves, imports, commits, names and removes images: the next one
 * serves what was whole, nothing else is left, and the same command then succeeds.
 *
 * `DRYDOCK_KILLS=100` kills it more often, `DRYDOCK_SEED` at the same moments again.
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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
import { type LayerEntry, layer } from "../support/layers.ts";
import { ask, idsOnDisk, traces } from "../support/traces.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: containers need root");

const KILLS = Number(process.env["DRYDOCK_KILLS"] ?? 20);
const SEED = Number(process.env["DRYDOCK_SEED"] ?? Date.now() % 1_000_000);

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A layer of some weight: large and small files. */
function weight(name: string): Buffer {
  const files: LayerEntry[] = [{ name: `${name}/` }, { name: `${name}/big`, content: name.repeat(1 << 20) }];
  for (let i = 0; i < 150; i++) files.push({ name: `${name}/${i}`, content: `${name}${i}`.repeat(i) });
  return layer(...files);
}

/** An archive with a chain of 1.2.0 and names for two of it. */
function bundle(): Buffer {
  const ids = ["a", "b", "c", "d"].map((name) => `${name}1`.repeat(32));
  const entries = ids.flatMap((id, i): LayerEntry[] => [
    {
      name: `${id}/json`,
      content: JSON.stringify({ id, created: "2014-08-20T20:20:14Z", ...(i > 0 && { parent: ids[i - 1] }) }),
    },
    { name: `${id}/layer.tar`, content: weight(`l${i}`).toString("latin1") },
  ]);
  return layer(...entries, { name: "repositories", content: JSON.stringify({ kit: { latest: ids[3], low: ids[1] } }) });
}

describe.runIf(isRoot)("killed while it is busy with images", () => {
  let dir: string;
  let netns: TestNetns;
  let daemon: TestDaemon;
  const gone: TestDaemon[] = [];
  const ids = new Set<string>();
  const archive = bundle();
  const small = weight("import");
  let saved = "";

  const client = (words: string[], input?: Buffer): Promise<Result> =>
    run([...netns.prefix, DRYDOCK, "-H", `unix://${daemon.socket}`, ...words], input === undefined ? {} : { input });
  async function ok(result: Promise<Result>): Promise<string> {
    const done = await result;
    expect(`${done.code} ${done.stderr}`).toMatch(/^0 /);
    return done.stdout.trim();
  }
  const images = async (): Promise<{ Id: string; RepoTags: string[] }[]> =>
    JSON.parse((await ask(daemon, "GET", "/images/json?all=1")).body);
  const clear = async (...keep: string[]) => {
    for (const { RepoTags } of await images()) {
      for (const name of RepoTags)
        if (name !== "<none>:<none>" && !keep.includes(name)) await ok(client(["rmi", name]));
    }
    for (let left = await images(); ; left = await images()) {
      const unnamed = left.filter(({ RepoTags }) => RepoTags[0] === "<none>:<none>");
      const tops = unnamed.filter(
        ({ Id }) => !left.some((one) => (one as unknown as { ParentId: string }).ParentId === Id),
      );
      if (tops.length === 0) break;
      for (const { Id } of tops) await ok(client(["rmi", Id]));
    }
  };

  /** What is done: it is killed in the middle, and has to succeed when it is done again. */
  const acts: Record<string, { before?: () => Promise<unknown>; act(): Promise<Result>; again?(): Promise<unknown> }> =
    {
      load: { act: () => client(["load"], archive) },
      import: { act: () => client(["import", "-", "imported"], small) },
      commit: { act: () => client(["commit", "maker", "made"]) },
      save: {
        act: () => client(["save", "-o", join(dir, "out.tar"), "base"]),
        again: async () => {
          await ok(client(["save", "-o", join(dir, "out.tar"), "base"]));
          expect(
            createHash("sha256")
              .update(readFileSync(join(dir, "out.tar")))
              .digest("hex"),
          ).toBe(saved);
        },
      },
      rmi: {
        before: () => ok(client(["load"], archive)),
        act: () => client(["rmi", "kit", "kit:low"]),
        again: async () => {
          // What was removed already cannot be removed again.
          for (const { RepoTags } of await images()) {
            for (const name of RepoTags) if (name.startsWith("kit:")) await ok(client(["rmi", name]));
          }
        },
      },
      tag: { act: () => client(["tag", "base", "named:again"]) },
    };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "dd-images-"));
    netns = makeNetns();
    daemon = await startDaemon({ netns, root: join(dir, "root") });
    await ok(client(["import", "-", "base"], layer({ name: "bin/" }, { name: "f", content: "f".repeat(5 << 20) })));
    expect((await ask(daemon, "POST", "/containers/create?name=maker", { Image: "base", Cmd: ["x"] })).status).toBe(
      201,
    );
    const id = (JSON.parse((await ask(daemon, "GET", "/containers/maker/json")).body) as { Id: string }).Id;
    // Something to commit, although nothing has run.
    spawnSync("sh", ["-c", `head -c 4000000 /dev/zero > ${join(daemon.root, "overlay", id, "diff", "new")}`]);
    await ok(client(["save", "-o", join(dir, "out.tar"), "base"]));
    saved = createHash("sha256")
      .update(readFileSync(join(dir, "out.tar")))
      .digest("hex");
  });
  afterAll(async () => {
    if (!daemon) return;
    for (const one of gone) await one.remove();
    expect(await daemon.remove()).toEqual([]);
    netns.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Nothing half done, no name without an image, every image whole. */
  async function check(what: string): Promise<void> {
    expect(await traces(daemon, daemon.root, ids), what).toEqual([]);
    const all = await images();
    const known = new Set(all.map(({ Id }) => Id));
    const names = JSON.parse(readFileSync(join(daemon.root, "repositories-overlay"), "utf8")) as {
      Repositories: Record<string, Record<string, string>>;
    };
    for (const tags of Object.values(names.Repositories))
      for (const id of Object.values(tags)) expect(known, what).toContain(id);
    expect(Object.keys(names.Repositories), what).toContain("base");
    for (const { Id } of all) {
      // Reads all of every layer, and compares it with what was written down.
      const { code, stderr } = await client(["save", "-o", "/dev/null", Id]);
      expect(`${code} ${stderr}`, what).toBe("0 ");
    }
  }

  test(`${KILLS} times (seed ${SEED})`, { timeout: 60_000 + KILLS * 15_000, retry: 0 }, async () => {
    const next = random(SEED);
    const takes = new Map<string, number>();
    for (const [name, { before, act }] of Object.entries(acts)) {
      await before?.();
      const began = performance.now();
      await ok(act());
      takes.set(name, performance.now() - began);
      await clear("base:latest");
    }
    const kinds = Object.keys(acts);
    for (let i = 0; i < KILLS; i++) {
      const kind = kinds[i % kinds.length] as string;
      const { before, act, again } = acts[kind] as (typeof acts)[string];
      await before?.();
      const delay = next() * (takes.get(kind) ?? 0);
      const what = `${i}: ${kind}, killed after ${Math.round(delay)} ms (seed ${SEED})`;
      const done = act();
      await new Promise((resolve) => setTimeout(resolve, delay));
      for (const id of idsOnDisk(daemon.root)) ids.add(id);
      await daemon.end("SIGKILL");
      await done;
      gone.push(daemon);
      const began = performance.now();
      daemon = await startDaemon({ netns, root: daemon.root });
      expect(performance.now() - began, what).toBeLessThan(10_000);
      await check(what);
      await (again?.() ?? ok(act()));
      await check(`${what}, and done again`);
      await clear("base:latest");
      expect((await images()).length, what).toBe(1);
    }
  });
});
