/**
 * Archives of images and documents of registries with something wrong in them: each is loaded or refused in words; what is
 * refused leaves nothing, and what is loaded is whole.
 *
 * `FUZZ_RUNS=5000 FUZZ_SEED=7` sends more, and others.
 */

import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { RegistryV2, TYPES } from "../../../chapters/lib/registry-v2.ts";
import { tinyImage } from "../../../chapters/lib/tiny-image.ts";
import { type ImageStore, imageStore } from "../../support/image-store.ts";
import { layer } from "../../support/layers.ts";
import { Dice, mutated } from "../../support/mutate.ts";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 200);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1_200);
/** What only a programming mistake of ours says. */
const OURS =
  /TypeError|RangeError|ReferenceError|is not a function|Cannot read prop|call stack|is not iterable|ERR_[A-Z]/;

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
const [A, B] = [sha256("a"), sha256("b")];
const FILES = layer({ name: "f", content: "f" });
const DEEP = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;

/** What may stand in the place of a value. */
const VALUES = [
  "null",
  "true",
  "0",
  "-1",
  "1e400",
  '""',
  '"../../etc"',
  '"\\u0000"',
  "[]",
  "[null]",
  "{}",
  '{"":{}}',
  DEEP,
  `"${A}"`,
  `"${B}"`,
  `"sha256:${A}"`,
  '"sha256:../../x"',
  '{"__proto__":{"id":1}}',
  `"${"x".repeat(5000)}"`,
  "[1,[2]]",
  "9007199254740993",
];

/** A document with one to three values, keys or bytes that are others. */
function wrong(dice: Dice, text: string): string {
  let now = text;
  for (let left = 1 + dice.below(3); left > 0; left--) {
    const spots = [...now.slice(0, 20_000).matchAll(/"(?:[^"\\]|\\.)*"|\b\d+\b|true|null/g)];
    const spot = dice.of(spots);
    if (spot === undefined) return now;
    const [at, end] = [spot.index, spot.index + spot[0].length];
    const what = dice.below(10);
    if (what === 0) now = now.slice(0, at) + now.slice(end);
    else if (what === 1) now = now.slice(0, at);
    else if (what === 2) now = `${now.slice(0, end)},${spot[0]}${now.slice(end)}`;
    else now = now.slice(0, at) + dice.of(VALUES) + now.slice(end);
  }
  return now;
}

const json = (id: string, parent?: string) =>
  JSON.stringify({
    id,
    parent,
    created: "2014-08-20T20:20:14Z",
    config: { Cmd: ["x"], Env: ["A=b"], Volumes: { "/v": {} } },
    os: "linux",
  });

/** Documents by name, and all in one archive. */
function legacy(change: (text: string) => string = (text) => text) {
  return layer(
    { name: `${A}/json`, content: change(json(A)) },
    { name: `${A}/layer.tar`, bytes: FILES },
    { name: `${B}/json`, content: change(json(B, A)) },
    { name: `${B}/layer.tar`, type: "2", link: `../${A}/layer.tar` },
    { name: "repositories", content: change(JSON.stringify({ app: { latest: B, old: A } })) },
  );
}

const CONFIG = JSON.stringify({
  architecture: "amd64",
  os: "linux",
  config: { Cmd: ["x"], Labels: { a: "b" } },
  rootfs: { type: "layers", diff_ids: [`sha256:${sha256(FILES)}`] },
  history: [{ created: "2014-08-20T20:20:14Z", created_by: "x" }],
});

function today(change: (text: string) => string = (text) => text) {
  const config = change(CONFIG);
  const name = `${sha256(config)}.json`;
  return layer(
    { name: "l/layer.tar", bytes: FILES },
    { name, content: config },
    {
      name: "manifest.json",
      content: change(JSON.stringify([{ Config: name, RepoTags: ["app:latest"], Layers: ["l/layer.tar"] }])),
    },
  );
}

async function run(
  images: ImageStore,
  name: string,
  args: string[],
  env: Record<string, string>,
  input?: Uint8Array,
): Promise<Error | undefined> {
  const job = images.engine.job(name, ...args);
  for (const [key, value] of Object.entries(env)) job.setenv(key, value);
  if (input !== undefined)
    job.stdin.add(
      (async function* () {
        yield input;
      })(),
    );
  let error: Error | undefined;
  let ended = false;
  void job.run().then(
    () => {
      ended = true;
    },
    (cause: Error) => {
      error = cause;
      ended = true;
    },
  );
  while (!ended) await images.host.clock.advance(1000);
  return error;
}

async function freshStore(): Promise<ImageStore> {
  const images = await imageStore();
  await images.host.fs.mkdir("/tmp", { recursive: true });
  return images;
}

/** What is stored: ids, layers, names, and what is on its way. */
async function stored({ host, graph, driver, store }: ImageStore): Promise<string[]> {
  const temporary = await host.fs.readdir("/docker/graph/_tmp").catch(() => [] as string[]);
  const imports = (await host.fs.readdir(host.env["TMPDIR"] ?? "/tmp").catch(() => [] as string[])) as string[];
  return [
    ...graph.ids(),
    ...driver.layers.keys(),
    ...store.repositories.keys(),
    ...(temporary as string[]),
    ...imports,
  ];
}

async function isWhole(images: ImageStore): Promise<void> {
  const { graph, driver, store } = images;
  for (const id of graph.ids()) {
    const image = await graph.get(id);
    expect(image.id).toBe(id);
    expect(driver.layers.has(id)).toBe(true);
    if (image.parent !== "") expect(graph.has(image.parent)).toBe(true);
    await image.history();
    expect(String(await run(images, "image_inspect", [id], {}))).not.toMatch(OURS);
  }
  for (const tags of store.repositories.values()) for (const id of tags.values()) expect(graph.has(id)).toBe(true);
}

async function judge(images: ImageStore, what: string, error: Error | undefined): Promise<boolean> {
  expect(`${what}: ${error}`).not.toMatch(OURS);
  if (error === undefined) await isWhole(images);
  else expect(await stored(images), `${what}: ${error}`).toEqual([]);
  return error === undefined;
}

test(`${RUNS} wrong archives of images (seed ${SEED}) are loaded whole or leave nothing`, async () => {
  const dice = new Dice(SEED);
  let loaded = 0;
  for (let number = 0; number < RUNS; number++) {
    const images = await freshStore();
    const origin = dice.of([legacy, today]);
    const changes = dice.below(2);
    const bytes =
      changes === 0
        ? mutated(dice, origin(), false)
        : origin((text) => (dice.below(2) === 0 ? text : wrong(dice, text)));
    if (await judge(images, `run ${number}`, await run(images, "load", [], { json: "1" }, bytes))) loaded++;
  }
  expect(loaded).toBeGreaterThan(RUNS / 20);
  expect(loaded).toBeLessThan(RUNS * 0.95);
}, 600_000);

test(`${RUNS} wrong documents of a registry (seed ${SEED}) are pulled whole or leave nothing`, async () => {
  const dice = new Dice(SEED);
  const image = tinyImage();
  let pulled = 0;
  for (let number = 0; number < RUNS; number++) {
    const registry = new RegistryV2();
    const format = dice.of(["docker", "oci"] as const);
    registry.putImage("app", "latest", image, format);
    let manifest = JSON.stringify(registry.manifestOf(image, format));
    if (dice.below(2) === 0) {
      const config = Buffer.from(wrong(dice, image.config.toString()));
      manifest = manifest
        .replace(image.configDigest, registry.putBlob(config))
        .replace(/"size":\d+/, `"size":${config.length}`);
    } else {
      manifest = wrong(dice, manifest);
    }
    registry.putManifest("app", "latest", manifest, TYPES[format].manifest);
    const images = await freshStore();
    images.network.set("http://localhost:5000", registry.handle);
    const error = await run(images, "pull", ["localhost:5000/app", "latest"], { json: "1", apiVersion: "1.30" });
    if (await judge(images, `run ${number}: ${manifest.slice(0, 300)}`, error)) pulled++;
  }
  expect(pulled).toBeGreaterThan(RUNS / 20);
  expect(pulled).toBeLessThan(RUNS * 0.95);
}, 600_000);
