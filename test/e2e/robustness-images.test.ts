/**
 * The daemon is killed at random moments of everything it does with images: pull, load, build, commit, rmi, push, and
 * some more. The next one boots at once and finds nothing half done; the same command then succeeds, and what comes of
 * it is what it would have been undisturbed.
 *
 * ```text
 * DRYDOCK_KILLS=100      so often each; `every`: before each single step of each
 * DRYDOCK_ACTS=load,rmi  these only
 * DRYDOCK_DRIVER=vfs     on another storage driver
 * DRYDOCK_SEED=1         at the same moments again
 * DRYDOCK_SHOW=1         prints each moment
 * ```
 *
 * Every second moment is one by the clock, somewhere from the beginning of the job to its measured end; the others are
 * those before a random step (see kill-steps.cjs). After some of them the next daemon is killed while it boots.
 */

import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RegistryV1, type V1Image } from "../../chapters/lib/registry-v1.ts";
import { serve } from "../../chapters/lib/serve.ts";
import { makeBtrfs } from "../support/btrfs.ts";
import { contextOf } from "../support/builds.ts";
import { makeNetns, type Result, run, type TestNetns } from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";
import { bringPort, KillWorld, type Shown } from "../support/kill-world.ts";
import { archiveOf, chain, sha256, weight } from "../support/v1-archives.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: containers need root");

const EVERY = process.env["DRYDOCK_KILLS"] === "every";
const KILLS = Number(EVERY ? 0 : (process.env["DRYDOCK_KILLS"] ?? 2));
const SEED = Number(process.env["DRYDOCK_SEED"] ?? Date.now() % 1_000_000);
const DRIVER = process.env["DRYDOCK_DRIVER"] ?? "overlay";
const SHOW = process.env["DRYDOCK_SHOW"] !== undefined;
const CHOSEN = process.env["DRYDOCK_ACTS"]?.split(",");

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

/** What is done: it is killed in the middle, and has to succeed when it is done again. */
interface Act {
  /** How the daemon's log begins with it. */
  readonly job: string;
  /** Whether the images that come of it have the same ids and times each time. */
  readonly fixed: boolean;
  /** @returns images that are there now and must not change */
  before?(): Promise<unknown>;
  act(): Promise<Result>;
  /** With the next daemon, before it is done again. */
  between?(): Promise<void>;
  /** Instead of doing just the same. @param images - that are there now */
  again?(images: readonly Shown[]): Promise<unknown>;
  /** What else has to be right after that. */
  after?(): Promise<void>;
}

describe.runIf(isRoot)(`killed while it is busy with images, on ${DRIVER}`, () => {
  let dir: string;
  let netns: TestNetns;
  let registry: TestRegistry;
  let world: KillWorld;
  let v1Address = "";
  const v1 = new RegistryV1();
  const endings: (() => unknown)[] = [];
  const old = chain("old");
  let serial = 0;
  let base = "";
  let today: Buffer;
  let context: Buffer;
  let saved = "";
  let pushed: { name: string; images: readonly V1Image[] };
  const kit = archiveOf(chain("kit"), { kit: { latest: 3, low: 1 } });
  const imported = weight("import");

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "dd-images-"));
    netns = makeNetns();
    let root = join(dir, "root");
    if (DRIVER === "btrfs") {
      const btrfs = makeBtrfs();
      if (typeof btrfs === "string") throw new Error(`btrfs: ${btrfs}`);
      endings.push(() => btrfs.remove());
      root = join(btrfs.dir, "root");
    }
    world = new KillWorld(dir, root, netns, DRIVER);
    registry = await startRegistry(netns.prefix);
    const server = await serve(v1.handle);
    v1Address = server.authority;
    const takeAway = await bringPort(netns, Number(v1Address.split(":")[1]), join(dir, "v1"));
    endings.push(takeAway, () => server.close());
    v1.put("killed/old", "latest", old);

    base = `${registry.address}/base`;
    const more = ["a", "b", "c", "d", "e"].map((name) => ({
      [`${name}/1`]: name.repeat(300_000),
      [`${name}/2`]: name,
    }));
    await registry.push("base", [BUSYBOX]);
    await registry.push("six", [BUSYBOX, ...more]);
    const file = join(dir, "today.tar");
    const from = ["--src-tls-verify=false", `docker://${registry.address}/six`];
    const copied = await run([...netns.prefix, "skopeo", "copy", "-q", ...from, `docker-archive:${file}:six:today`]);
    expect(`${copied.code} ${copied.stderr}`).toMatch(/^0 /);
    today = readFileSync(file);
    context = await contextOf({
      Dockerfile: `FROM ${base}\nENV A 1\nRUN mkdir /made; echo $A > /made/1; cat /bin/busybox > /made/2\nADD d /added\nADD e.tar /\nCOPY f /copied\nVOLUME /data\nRUN rm /made/1\nCMD ["cat", "/copied"]\n`,
      "d/1": "1".repeat(500_000),
      "d/2": "2",
      f: "whole",
      "e.tar": { content: weight("e").toString("latin1") },
    });

    await world.boot();
    await world.ok(["pull", base]);
    const changing = "head -c 3000000 /dev/zero > /new; rm -r /www; seq 99 > /n; echo kept > /data/file";
    await world.ok(["run", "--name", "maker", "-v", "/data", base, "sh", "-c", changing]);
    await world.ok(["save", "-o", join(dir, "out.tar"), base]);
    saved = sha256(readFileSync(join(dir, "out.tar")));
  });
  afterAll(async () => {
    if (world !== undefined) expect(await world.remove()).toEqual([]);
    await registry?.stop();
    for (const end of endings.reverse()) await end();
    netns?.remove();
    if (dir) rmSync(dir, { recursive: true, force: true });
  });

  /** An image that no registry has seen. */
  const fresh = async (address: string) => {
    const name = `${address}/killed/n${serial++}`;
    pushed = { name, images: chain(randomBytes(4).toString("hex")) };
    await world.ok(["load"], archiveOf(pushed.images, { [name]: { latest: 3 } }));
  };
  const skopeo = (command: string, ...args: string[]) => run([...netns.prefix, "skopeo", command, ...args]);
  /** Reads all of an image from the registry; skopeo verifies what it gets. */
  const isWhole = async () => {
    const target = join(dir, "copy");
    const { code, stderr } = await skopeo(
      "copy",
      "-q",
      "--src-tls-verify=false",
      `docker://${pushed.name}`,
      `dir:${target}`,
    );
    expect(`${code} ${stderr}`).toMatch(/^0 /);
    const { stdout } = await skopeo("inspect", "--config", `dir:${target}`);
    const { rootfs } = JSON.parse(stdout) as { rootfs: { diff_ids: string[] } };
    expect(rootfs.diff_ids).toEqual(pushed.images.map((image) => `sha256:${sha256(image.layer)}`));
    rmSync(target, { recursive: true });
  };

  const acts: Record<string, Act> = {
    pull: { job: "+job pull(", fixed: true, act: () => world.client(["pull", `${registry.address}/six`]) },
    "pull-v1": { job: "+job pull(", fixed: true, act: () => world.client(["pull", `${v1Address}/killed/old`]) },
    load: { job: "+job load(", fixed: true, act: () => world.client(["load"], today) },
    "load-1.2": { job: "+job load(", fixed: true, act: () => world.client(["load"], kit) },
    build: {
      job: "+job build(",
      fixed: false,
      act: () => world.client(["build", "-t", "built", "-"], context),
      after: async () => {
        expect(await world.ok(["run", "--rm", "built"])).toBe("whole");
      },
    },
    commit: { job: "+job commit(", fixed: false, act: () => world.client(["commit", "maker", "made"]) },
    rmi: {
      job: "+job image_delete(",
      fixed: true,
      before: () => world.ok(["load"], kit),
      act: async () => {
        await world.client(["rmi", "kit:low"]);
        return world.client(["rmi", "kit"]);
      },
      // What was removed already cannot be removed again; what is left can.
      again: (images) => world.clear(...images.flatMap(({ tags }) => tags.filter((name) => !name.startsWith("kit")))),
    },
    push: {
      job: "+job push(",
      fixed: true,
      before: () => fresh(registry.address),
      act: () => world.client(["push", pushed.name]),
      // Whatever can be named is whole.
      between: async () => {
        const { code } = await skopeo("inspect", "--raw", "--tls-verify=false", `docker://${pushed.name}`);
        if (code === 0) await isWhole();
      },
      after: isWhole,
    },
    "push-v1": {
      job: "+job push(",
      fixed: true,
      before: () => fresh(v1Address),
      act: () => world.client(["push", pushed.name]),
      after: async () => {
        for (const { id, json } of pushed.images) expect(v1.images.get(id)?.json).toBe(json);
        const before = await world.images({ fixed: true });
        await world.ok(["rmi", pushed.name]);
        await world.ok(["pull", pushed.name]);
        expect(sorted(await world.images({ fixed: true }))).toEqual(sorted(before));
      },
    },
    import: { job: "+job import(", fixed: false, act: () => world.client(["import", "-", "imported"], imported) },
    save: {
      job: "+job image_export(",
      fixed: true,
      act: () => world.client(["save", "-o", join(dir, "out.tar"), base]),
      after: async () => expect(sha256(readFileSync(join(dir, "out.tar")))).toBe(saved),
    },
    tag: { job: "+job tag(", fixed: true, act: () => world.client(["tag", base, "named:again"]) },
  };

  /** In an order of their own, with their names. @param ids - whether those count */
  const sorted = (images: readonly Shown[]) => images.map(({ text, tags }) => `${text} is ${tags}`).sort();
  const named = (images: readonly Shown[]) => sorted(images.filter(({ tags }) => tags.length > 0));
  const texts = (images: readonly Shown[]) => images.map(({ text }) => text);

  /** What was not there at the start, and what is gone since. */
  const lost = (start: readonly string[]) => {
    const now = world.files();
    const [before, after] = [new Set(start), new Set(now)];
    const gone = start.filter((file) => !after.has(file)).map((file) => `no ${file}`);
    return [...now.filter((file) => !before.has(file)), ...gone].slice(0, 20);
  };

  const options = { timeout: EVERY ? 3_600_000 : 60_000 + KILLS * 60_000, retry: 0 };
  for (const [kind, { job, fixed, before, act, between, again, after }] of Object.entries(acts)) {
    if (CHOSEN !== undefined && !CHOSEN.includes(kind)) continue;
    test(`${kind}, ${EVERY ? "before each step" : `${KILLS} times`} (seed ${SEED})`, options, async () => {
      const next = random(SEED + Object.keys(acts).indexOf(kind));
      await world.clear(base, `${base}:latest`);
      let start = world.files();

      // Undisturbed. The first time is slower: for many moments it is measured again.
      let takes = 0;
      let steps = 0;
      let whole: Shown[] = [];
      let known: string[] = [];
      for (let i = 0; i < (EVERY || KILLS > 2 ? 2 : 1); i++) {
        await before?.();
        known = texts(await world.images({ fixed }));
        ({ takes, steps } = await world.measure(job, act));
        whole = await world.images({ fixed });
        known.push(...texts(whole));
        await after?.();
        await world.clear(base, `${base}:latest`);
        expect(lost(start)).toEqual([]);
      }
      const isFresh = kind.startsWith("push");

      const killed = async (i: number): Promise<string> => {
        if (EVERY || i % 2 === 1) {
          const step = EVERY ? i + 1 : 1 + Math.floor(next() * steps);
          return `${i}: ${kind}, killed before step ${step}: ${await world.killBefore(step, act)} (seed ${SEED})`;
        }
        const delay = next() * takes;
        await world.killAfter(job, act, delay);
        return `${i}: ${kind}, killed after ${delay.toFixed(1)} of ${takes.toFixed(1)} ms (seed ${SEED})`;
      };
      const round = async (i: number): Promise<void> => {
        await before?.();
        const allowed = new Set(isFresh ? texts(await world.images({ fixed })) : known);
        let what = await killed(i);
        // Now and then the next one does not come to its end either.
        if (i % 3 === 1) what += `; the next before ${await world.bootCutOff(1 + Math.floor(next() * 60))}`;
        const began = performance.now();
        await world.boot();
        const booting = performance.now() - began;
        if (SHOW) console.log(`${what}; up in ${booting.toFixed(0)} ms`);
        expect(booting, what).toBeLessThan(30_000);
        const left = await world.check(what, allowed, { fixed });
        await between?.();
        if (again !== undefined) await again(left);
        else {
          const { code, stderr } = await act();
          expect(`${code} ${stderr}`, `${what}, and done again`).toMatch(/^0 /);
        }
        const then = await world.check(`${what}, and done again`, allowed, { fixed });
        if (!isFresh) expect(fixed ? sorted(then) : named(then), what).toEqual(fixed ? sorted(whole) : named(whole));
        await after?.();
        await world.clear(base, `${base}:latest`);
        expect(lost(start), what).toEqual([]);
      };
      // All of them are looked at, so that one fault does not hide another.
      const failures: unknown[] = [];
      for (let i = 0; i < (EVERY ? steps + 1 : KILLS); i++) {
        try {
          await round(i);
        } catch (cause) {
          failures.push(cause);
          if (SHOW) console.log(cause);
          await world.clear(base, `${base}:latest`);
          start = world.files();
        }
      }
      if (failures.length === 1) throw failures[0];
      if (failures.length > 1) throw new AggregateError(failures, `${failures.length} moments`);
    });
  }
});
