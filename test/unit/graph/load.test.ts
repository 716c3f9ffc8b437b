/** Archives of images: what is loaded, what is refused, and that nothing of a refused one is left. */

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { BufferWriter, type Reader } from "../../../src/sync/io.ts";
import { FakeDriver } from "../../support/fake-driver.ts";
import { type ImageStore, imageStore } from "../../support/image-store.ts";
import { type LayerEntry, layer, streamOf } from "../../support/layers.ts";

const ID = Array.from({ length: 9 }, (_, n) => `a${n}`.repeat(32));
const hex = (data: Uint8Array | string) => createHash("sha256").update(data).digest("hex");
const fileLayer = (name: string) => layer({ name, content: name }).toString("latin1");
const json = (id: string, parent = "", more: object = {}) =>
  JSON.stringify({ id, ...(parent && { parent }), created: "2014-08-20T20:20:14Z", ...more });

/** The directory of an image in an archive of 1.2.0. */
function v1(id: string, parent = "", content = fileLayer(id)): LayerEntry[] {
  return [
    { name: `${id}/` },
    { name: `${id}/VERSION`, content: "1.0" },
    { name: `${id}/json`, content: json(id, parent) },
    { name: `${id}/layer.tar`, content },
  ];
}

const names = (value: unknown): LayerEntry => ({ name: "repositories", content: JSON.stringify(value) });

/** An image of today, with layers in files of any name. */
function today(tags: string[], files: Record<string, string>, change: { config?: object; item?: object } = {}) {
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: { Cmd: ["/bin/sh"] },
    rootfs: { type: "layers", diff_ids: Object.values(files).map((content) => `sha256:${hex(content)}`) },
    history: Object.keys(files).map((name) => ({ created_by: `layer ${name}` })),
    ...change.config,
  });
  const item = { Config: `${hex(config)}.json`, RepoTags: tags, Layers: Object.keys(files), ...change.item };
  const entries: LayerEntry[] = [
    ...Object.entries(files).map(([name, content]) => ({ name, content })),
    { name: `${hex(config)}.json`, content: config },
    { name: "manifest.json", content: JSON.stringify([item]) },
  ];
  return { id: hex(config), config, entries };
}

/** Bytes one to one: layers are in strings of one character per byte. */
function archive(...entries: LayerEntry[]): Buffer {
  return layer(...entries.map((entry) => ({ ...entry, content: entry.content ?? "" }))) as Buffer;
}

interface Run {
  readonly output: string;
  readonly error: string;
}

async function run(
  images: ImageStore,
  name: string,
  { args = [], input, env = {}, signal }: { args?: string[]; input?: Reader; env?: object; signal?: AbortSignal } = {},
): Promise<Run & { bytes: Buffer }> {
  const job = images.engine.job(name, ...args);
  if (input !== undefined) job.stdin.add(input);
  for (const [key, value] of Object.entries(env)) job.setenv(key, String(value));
  const out = new BufferWriter();
  job.stdout.add(out);
  let error = "";
  let ended = false;
  void job.run(signal === undefined ? {} : { signal }).then(
    () => {
      ended = true;
    },
    (cause: Error) => {
      error = cause.message;
      ended = true;
    },
  );
  while (!ended) await images.host.clock.advance(1000);
  return { output: out.toString(), bytes: out.bytes(), error };
}

const load = (images: ImageStore, bytes: Buffer, env: object = {}, signal?: AbortSignal) =>
  run(images, "load", { input: streamOf(bytes), env, ...(signal && { signal }) });

/** A small file of an archive. */
function contentOf(bytes: Buffer, name: string): string {
  const at = bytes.indexOf(`${name}\0`);
  return bytes.toString("utf8", at + 512, at + 512 + Number.parseInt(bytes.toString("latin1", at + 124, at + 135), 8));
}

async function left(images: ImageStore): Promise<string[]> {
  const { fs } = images.host;
  const list = (dir: string) => fs.readdir(dir).catch(() => []) as Promise<string[]>;
  return [
    ...images.graph.ids(),
    ...images.driver.layers.keys(),
    ...(await list("/docker/graph/_tmp")),
    ...(await list("/tmp")),
    ...images.store.repositories.keys(),
  ];
}

async function store(): Promise<ImageStore> {
  const images = await imageStore();
  await images.host.fs.mkdir("/tmp", { recursive: true });
  return images;
}

test("load takes a chain of 1.2.0 with its names, whatever the order and the compression", async () => {
  const entries = [
    ...v1(ID[2]!, ID[1]),
    ...v1(ID[0]!),
    names({ app: { latest: ID[2], v1: ID[2] } }),
    ...v1(ID[1]!, ID[0]),
  ];
  for (const bytes of [archive(...entries), gzipSync(archive(...entries)), archive(...entries.reverse())]) {
    const images = await store();
    expect((await load(images, bytes)).error).toBe("");
    expect(images.graph.ids().sort()).toEqual([ID[0], ID[1], ID[2]]);
    expect((await images.store.lookupImage("app:v1")).id).toBe(ID[2]);
    expect((await (await images.store.lookupImage("app")).history()).map(({ id }) => id)).toEqual([
      ID[2],
      ID[1],
      ID[0],
    ]);
    expect((await load(images, bytes)).error).toBe("");
    expect(await images.host.fs.readdir("/tmp")).toEqual([]);
  }
});

test("load says what it did to clients who want to know", async () => {
  const images = await store();
  const one = today(["app:latest", "app:v1"], { "x/layer.tar": fileLayer("x") });
  const loud = await load(images, archive(...one.entries), { json: true });
  const messages = loud.output
    .trim()
    .split(/\r\n|(?<=\})(?=\{)/)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(messages[0]).toMatchObject({ status: "Loading layer", progressDetail: { total: fileLayer("x").length } });
  expect(messages.slice(-2)).toEqual([{ stream: "Loaded image: app:latest\n" }, { stream: "Loaded image: app:v1\n" }]);
  const again = await load(images, archive(...one.entries), { json: true, quiet: true });
  expect(again.output).not.toContain("Loading layer");
  const other = today(["app:latest"], { "y/layer.tar": fileLayer("y") });
  expect((await load(images, archive(...other.entries), { json: true, quiet: true })).output).toBe(
    `{"stream":"The image app:latest already exists, renaming the old one with ID sha256:${one.id} to empty string\\n"}\r\n{"stream":"Loaded image: app:latest\\n"}\r\n`,
  );
  const bare = today([], { "z/layer.tar": fileLayer("z") });
  expect((await load(images, archive(...bare.entries), { json: true, quiet: true })).output).toBe(
    `{"stream":"Loaded image ID: sha256:${bare.id}\\n"}\r\n`,
  );
});

test("load takes layers from blobs/sha256, through links, and several images that share some", async () => {
  const images = await store();
  const [a, b, c] = ["a", "b", "c"].map(fileLayer) as [string, string, string];
  const one = today(["one:latest"], { [`blobs/sha256/${hex(a)}`]: a, "b/layer.tar": b });
  const two = today(["two:latest"], { "again/layer.tar": a, [`blobs/sha256/${hex(c)}`]: c });
  const items = [one, two].map(({ entries }) => JSON.parse(entries.at(-1)?.content ?? "")[0] as { Config: string });
  const entries: LayerEntry[] = [
    { name: "oci-layout", content: '{"imageLayoutVersion":"1.0.0"}' },
    { name: "index.json", content: "{}" },
    ...[...one.entries, ...two.entries].filter(({ name }) => name !== "manifest.json" && name !== "again/layer.tar"),
    { name: "again/layer.tar", type: "2", link: `../blobs/sha256/${hex(a)}` },
    { name: "manifest.json", content: JSON.stringify(items) },
  ];
  expect((await load(images, archive(...entries))).error).toBe("");
  expect((await images.store.lookupImage("one")).id).toBe(one.id);
  expect((await images.store.lookupImage("two")).id).toBe(two.id);
  expect((await images.store.lookupImage("two")).parent).toBe((await images.store.lookupImage("one")).parent);
  expect(images.driver.layers.size).toBe(3);
  expect(images.driver.layers.get(two.id)?.tar.toString("latin1")).toBe(c);
});

/** An OCI layout of images, each behind a list when it has platforms. */
function layout(
  images: {
    item: ReturnType<typeof today>;
    name?: string;
    config?: string;
    platforms?: string[];
    entry?: object;
  }[],
): LayerEntry[] {
  const blobs = new Map<string, string>();
  const put = (mediaType: string, content: string) => {
    blobs.set(hex(content), content);
    return {
      mediaType: `application/vnd.oci.image.${mediaType}`,
      digest: `sha256:${hex(content)}`,
      size: content.length,
    };
  };
  const manifests = images.map(({ item, name, config, platforms, entry }) => {
    const layers = item.entries.slice(0, -2).map(({ content = "" }) => put("layer.v1.tar", content));
    const document = { ...put("config.v1+json", item.config), ...(config && { mediaType: config }) };
    const manifest = put("manifest.v1+json", JSON.stringify({ schemaVersion: 2, config: document, layers }));
    const list = platforms?.map((architecture) => ({ ...manifest, platform: { os: "linux", architecture } }));
    const top = list ? put("index.v1+json", JSON.stringify({ schemaVersion: 2, manifests: list })) : manifest;
    return { ...top, ...(name && { annotations: { "org.opencontainers.image.ref.name": name } }), ...entry };
  });
  return [
    { name: "oci-layout", content: '{"imageLayoutVersion":"1.0.0"}' },
    { name: "index.json", content: JSON.stringify({ schemaVersion: 2, manifests }) },
    ...[...blobs].map(([digest, content]) => ({ name: `blobs/sha256/${digest}`, content })),
  ];
}

test("load takes a layout of the OCI: names, tags alone, lists", async () => {
  const images = await store();
  const [a, b, c] = ["a", "b", "c"].map(fileLayer) as [string, string, string];
  const [one, two, three] = [today([], { a, b }), today([], { a, c }), today([], { c })];
  const entries = layout([
    { item: one, name: "docker.io/library/one:v1" },
    { item: one, name: "host:5000/other/one:v2" },
    { item: two, name: "latest" },
    { item: three, platforms: ["s390x", "amd64"], name: "three:latest" },
  ]);
  const { output, error } = await load(images, archive(...entries), { json: "1", quiet: "1" });
  expect(error).toBe("");
  expect(
    output
      .split("\r\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line).stream),
  ).toEqual([
    "Loaded image: one:v1\n",
    "Loaded image: host:5000/other/one:v2\n",
    `Loaded image ID: sha256:${two.id}\n`,
    "Loaded image: three:latest\n",
  ]);
  expect((await images.store.lookupImage("one:v1")).id).toBe(one.id);
  expect((await images.graph.get(two.id)).parent).toBe((await images.graph.get(one.id)).parent);
  expect(images.driver.layers.get(three.id)?.tar.toString("latin1")).toBe(c);
});

const huge = "x".repeat((4 << 20) + 1);
const good = today(["good:latest"], { "a/layer.tar": fileLayer("a") });
const changed = (
  change: Parameters<typeof today>[2],
  files: Record<string, string> = { "a/layer.tar": fileLayer("a") },
) => today(["bad:latest"], files, change).entries;

const refused: [string, LayerEntry[], RegExp][] = [
  ["a name that climbs out", [{ name: "../x", content: "x" }], /invalid tar header .*lies outside/],
  ["an absolute name that climbs out", [{ name: "/../../x", content: "x" }], /invalid tar header .*lies outside/],
  [
    "an id that is none",
    [...v1(ID[0]!), { name: "x/json", content: json("x") }, { name: "x/layer.tar" }],
    /Invalid id: "x"/,
  ],
  ["an id that leads out", [{ name: "x/json", content: json("../../x") }, { name: "x/layer.tar" }], /Invalid id/],
  ["no id", [{ name: "x/json", content: "{}" }, { name: "x/layer.tar" }], /Id can't be empty/],
  [
    "another image's id",
    [...v1(ID[0]!).slice(0, 2), { name: `${ID[0]}/json`, content: json(ID[1]!) }, { name: `${ID[0]}/layer.tar` }],
    /has wrong id/,
  ],
  [
    "a parent that is none",
    [{ name: `${ID[0]}/json`, content: json(ID[0]!, "../x") }, { name: `${ID[0]}/layer.tar` }],
    /Invalid id/,
  ],
  ["a parent that is missing", v1(ID[0]!, ID[1]), new RegExp(`open .*/repo/${ID[1]}/json: no such file or directory`)],
  ["its own ancestor", v1(ID[0]!, ID[0]), /is its own ancestor/],
  ["a circle of ancestors", [...v1(ID[0]!, ID[1]), ...v1(ID[1]!, ID[2]), ...v1(ID[2]!, ID[0])], /is its own ancestor/],
  ["no layer", [{ name: "x/json", content: "{}" }], /open .*\/repo\/x\/layer.tar: no such file or directory/],
  [
    "a description that is none",
    [{ name: "x/json", content: "{bad" }, { name: "x/layer.tar" }],
    /invalid character 'b'/,
  ],
  [
    "a description of the wrong kind",
    [{ name: "x/json", content: "[1]" }, { name: "x/layer.tar" }],
    /json: cannot unmarshal/,
  ],
  ["a long description", [{ name: "x/json", content: huge }, { name: "x/layer.tar" }], /longer than 4194304 bytes/],
  ["a layer that is a directory", [{ name: "x/json", content: "{}" }, { name: "x/layer.tar/" }], /it is no file/],
  [
    "a layer that is a device",
    [
      { name: "x/json", content: "{}" },
      { name: "x/layer.tar", type: "3", device: [1, 5] },
    ],
    /it is no file/,
  ],
  [
    "a layer that is a link out",
    [
      { name: "x/json", content: "{}" },
      { name: "x/layer.tar", type: "2", link: "../../etc/passwd" },
    ],
    /lies outside/,
  ],
  [
    "a layer that is an absolute link",
    [
      { name: "x/json", content: "{}" },
      { name: "x/layer.tar", type: "2", link: "/etc/passwd" },
    ],
    /no such file/,
  ],
  [
    "a layer that is a hard link out",
    [
      { name: "x/json", content: "{}" },
      { name: "x/layer.tar", type: "1", link: "../etc/passwd" },
    ],
    /lies outside/,
  ],
  [
    "links in a circle",
    [
      { name: "x/json", type: "2", link: "y" },
      { name: "x/y", type: "2", link: "json" },
    ],
    /too many links/,
  ],
  [
    "names that are none",
    [...v1(ID[0]!), { name: "repositories", content: "{bad" }],
    /invalid character 'b' looking for beginning of object key string/,
  ],
  ["a repository that is none", [...v1(ID[0]!), names({ "UP CASE": { latest: ID[0] } })], /Invalid repository name/],
  ["a tag that is none", [...v1(ID[0]!), names({ app: { "a/b": ID[0] } })], /Illegal tag name/],
  ["a name for nothing", [...v1(ID[0]!), names({ app: { latest: ID[5] } })], /No such id/],
  ["an id of a name that is none", [...v1(ID[0]!), names({ app: { latest: 5 } })], /json: cannot unmarshal/],
  ["a layout without a version", [{ name: "oci-layout", content: "{}" }], /unknown version of its layout undefined/],
  ["a layout without an index", layout([]).slice(0, 1), /open .*index.json: no such file/],
  ["a layout without its blobs", layout([{ item: good }]).slice(0, 2), /open .*blobs\/sha256\/.*: no such file/],
  [
    "a manifest with another digest",
    layout([{ item: good }]).map((e) =>
      e.content?.includes("schemaVersion") ? { ...e, content: `${e.content} ` } : e,
    ),
    /Cannot load blobs\/sha256\/[0-9a-f]{64}: its digest is sha256:/,
  ],
  ["a digest that leads out", layout([{ item: good, entry: { digest: "sha256:../../x" } }]), /is no sha256 digest/],
  [
    "no image but a chart",
    layout([{ item: good, config: "application/vnd.cncf.helm.config.v1+json" }]),
    /Cannot load blobs.*: it is no image but "application\/vnd.cncf.helm.config.v1\+json"/,
  ],
  [
    "a list for other machines",
    layout([{ item: good, platforms: ["s390x"] }]),
    /no matching manifest for linux\/amd64/,
  ],
  ["a name that is none", layout([{ item: good, name: "UP/CASE:x" }]), /Invalid repository name|Invalid namespace/],
  ["a manifest that is none", [{ name: "manifest.json", content: "{bad" }], /Cannot read manifest.json: it is no JSON/],
  ["a manifest of the wrong kind", [{ name: "manifest.json", content: '{"a":1}' }], /it is no list/],
  ["a manifest of null", [{ name: "manifest.json", content: "[null]" }], /it is no object/],
  ["a configuration that is not there", changed({ item: { Config: "other.json" } }), /open .*other.json: no such file/],
  ["a configuration outside", changed({ item: { Config: "../../etc/passwd" } }), /lies outside/],
  [
    "another digest of the configuration",
    [...changed({ item: { Config: `${ID[0]}.json` } }), { name: `${ID[0]}.json`, content: good.config }],
    /its digest is sha256:/,
  ],
  ["a layer that is missing", changed({ item: { Layers: ["b/layer.tar"] } }), /open .*b\/layer.tar: no such file/],
  ["a layer too few", changed({ item: { Layers: [] } }), /its manifest has 0 layers, its configuration 1/],
  ["too many layers", changed({ item: { Layers: Array(126).fill("a/layer.tar") } }), /more than 125 layers/],
  [
    "another layer than announced",
    changed({}, { "a/layer.tar": fileLayer("a") }).map((e) =>
      e.name === "a/layer.tar" ? { ...e, content: fileLayer("b") } : e,
    ),
    /invalid diffID for layer 0: expected "sha256:/,
  ],
  [
    "diff ids that are none",
    changed({ config: { rootfs: { type: "layers", diff_ids: ["sha256:x"] } } }),
    /is no sha256 digest/,
  ],
  ["another system", changed({ config: { os: "windows" } }), /operating system "windows" cannot be used/],
  [
    "a tag of today that is none",
    changed({ item: { RepoTags: ["a:b:c:d/e f"] } }),
    /Invalid repository name|Illegal tag/,
  ],
  ["tags of the wrong kind", changed({ item: { RepoTags: [1] } }), /it is no text/],
  [
    "a good image before a bad one",
    [
      ...good.entries.filter(({ name }) => name !== "manifest.json"),
      {
        name: "manifest.json",
        content: JSON.stringify([JSON.parse(good.entries.at(-1)?.content ?? "")[0], { Config: "x", Layers: [] }]),
      },
    ],
    /open .*\/x: no such file/,
  ],
];

test.each(refused)("load refuses %s, and nothing is left", async (_, entries, message) => {
  const images = await store();
  const { error } = await load(images, archive(...entries));
  expect(error).toMatch(message);
  expect(await left(images)).toEqual([]);
});

test("load refuses what is no archive, and one that is cut off anywhere", async () => {
  const images = await store();
  expect((await load(images, Buffer.alloc(0))).error).toBe("EOF");
  expect((await load(images, Buffer.from("garbage"))).error).toBe("EOF");
  expect((await load(images, Buffer.from("garbage".repeat(200)))).error).toMatch(/invalid tar header|unexpected EOF/);
  expect((await load(images, Buffer.alloc(1024))).error).toBe("");
  const whole = archive(...v1(ID[0]!), names({ app: { latest: ID[0] } }));
  for (let at = 100; at < whole.length - 1024; at += 700) {
    const { error } = await load(images, whole.subarray(0, at));
    if (at % 512 !== 0) expect(error, String(at)).toMatch(/unexpected EOF|no such file|EOF/);
  }
  const packed = gzipSync(whole);
  expect((await load(images, packed.subarray(0, packed.length - 10))).error).toMatch(/unexpected EOF/);
  const { [0]: _, ...rest } = await left(images);
  for (const id of images.graph.ids()) await images.graph.delete(id);
  expect(rest).toBeDefined();
});

test("load leaves nothing when its client goes", async () => {
  const images = await store();
  const stop = new AbortController();
  const whole = archive(...v1(ID[0]!));
  const input = (async function* () {
    yield whole.subarray(0, 700);
    stop.abort(new Error("the client went away"));
    yield whole.subarray(700);
  })();
  expect((await run(images, "load", { input, signal: stop.signal })).error).toBe("the client went away");
  expect(await left(images)).toEqual([]);
});

test("load of one image by many at once stores it once", async () => {
  const images = await store();
  const old = archive(...v1(ID[0]!), ...v1(ID[1]!, ID[0]), names({ old: { latest: ID[1] } }));
  const young = archive(...good.entries);
  const runs = await Promise.all([old, young, old, young, old, young].map((bytes) => load(images, bytes)));
  expect(runs.map(({ error }) => error)).toEqual(["", "", "", "", "", ""]);
  expect(images.graph.ids().sort()).toEqual([ID[0], ID[1], good.id].sort());
  expect(await images.host.fs.readdir("/tmp")).toEqual([]);
  expect(await images.host.fs.readdir("/docker/graph/_tmp")).toEqual([]);
});

test("what was saved is loaded again under the same ids, and saved the same", async () => {
  const images = await store();
  const base = today(["base:latest"], { "a/layer.tar": fileLayer("a"), "b/layer.tar": fileLayer("b") });
  await load(images, archive(...base.entries));
  await load(
    images,
    archive(
      ...v1(ID[1]!, base.id),
      ...v1(ID[2]!, ID[1], fileLayer("top")),
      ...v1(ID[3]!),
      names({ app: { latest: ID[2] }, other: { a: ID[3], b: ID[3] } }),
    ),
  );
  const saved = await run(images, "image_export", { args: ["app", "other", "base", ID[1]!] });
  expect(saved.error).toBe("");
  const again = await run(images, "image_export", { args: ["app", "other", "base", ID[1]!] });
  expect(again.bytes.equals(saved.bytes)).toBe(true);
  const copy = await store();
  expect((await load(copy, saved.bytes)).error).toBe("");
  expect(copy.graph.ids().sort()).toEqual(images.graph.ids().sort());
  expect([...copy.store.byId()].sort()).toEqual([...images.store.byId()].sort());
  // What had come from a registry counts as such here, too.
  expect(await copy.graph.chains.isVerified(base.id)).toBe(true);
  for (const id of images.graph.ids()) {
    expect((await (await copy.graph.get(id)).rawJson()).toString()).toBe(
      (await (await images.graph.get(id)).rawJson()).toString(),
    );
  }
  expect((await run(copy, "image_export", { args: ["app", "other", "base", ID[1]!] })).bytes.equals(saved.bytes)).toBe(
    true,
  );
});

test("image_export names what it was asked for: a repository, a tag, an id; and says what it does not know", async () => {
  const images = await store();
  await load(images, archive(...v1(ID[0]!), ...v1(ID[1]!), names({ app: { a: ID[0], b: ID[0], c: ID[1] } })));
  const manifest = async (...args: string[]) => {
    const { bytes, error } = await run(images, "image_export", { args });
    if (error !== "") return error;
    return (JSON.parse(contentOf(bytes, "manifest.json")) as { RepoTags: unknown }[]).map((item) => item.RepoTags);
  };
  expect(await manifest("app")).toEqual([["app:a", "app:b"], ["app:c"]]);
  expect(await manifest("app:b")).toEqual([["app:b"]]);
  expect(await manifest("app:a", "app:c", "app:b")).toEqual([["app:a", "app:b"], ["app:c"]]);
  expect(await manifest(ID[0]!)).toEqual([null]);
  expect(await manifest(ID[1]!.slice(0, 12))).toEqual([null]);
  expect(await manifest("nope")).toBe("No such id: nope");
  expect(await manifest("app:nope")).toBe("No such id: app:nope");
  expect(await manifest("app", "nope")).toBe("No such id: nope");
  expect(await manifest()).toBe("Usage: image_export IMAGE");
});

test("image_tarlayer gives the archive of a layer", async () => {
  const images = await store();
  await load(images, archive(...v1(ID[0]!)));
  expect((await run(images, "image_tarlayer", { args: [ID[0]!] })).bytes.toString("latin1")).toBe(fileLayer(ID[0]!));
  expect((await run(images, "image_tarlayer", { args: ["nope"] })).error).toBe("No such image: nope");
  expect((await run(images, "image_tarlayer")).error).toBe("usage: image_tarlayer NAME");
});

test("load with a driver whose layers are not independent", async () => {
  const images = await imageStore({ driver: new FakeDriver(false) });
  await images.host.fs.mkdir("/tmp", { recursive: true });
  expect((await load(images, archive(...v1(ID[1]!, ID[0]), ...v1(ID[0]!)))).error).toBe("");
  expect((await load(images, archive(...good.entries))).error).toBe("");
  expect(images.driver.mostUnpacking).toBe(1);
});

test("load of archives with the same base at once, as an image of its own and below another", async () => {
  const from = await store();
  const base = today(["base:latest"], { "a/layer.tar": fileLayer("a"), "b/layer.tar": fileLayer("b") });
  await load(from, archive(...base.entries));
  await load(from, archive(...v1(ID[1]!, base.id), names({ app: { latest: ID[1] } })));
  const { bytes: app } = await run(from, "image_export", { args: ["app"] });
  const images = await store();
  const runs = await Promise.all([app, archive(...base.entries), app].map((bytes) => load(images, bytes)));
  expect(runs.map(({ error }) => error)).toEqual(["", "", ""]);
  expect(images.graph.ids().sort()).toEqual(from.graph.ids().sort());
  expect(await images.graph.chains.isVerified(base.id)).toBe(true);
  expect(await images.host.fs.readdir("/docker/graph/_tmp")).toEqual([]);
});

test("load recognizes an image without a layer of its own, with a name and without", async () => {
  const from = await store();
  await load(
    from,
    archive(...v1(ID[0]!), ...v1(ID[1]!, ID[0], layer().toString("latin1")), names({ app: { latest: ID[1] } })),
  );
  // As a driver tells it: nothing has changed.
  from.driver.changes = async () => [];
  (await from.graph.get(ID[1]!)).size = 0;
  for (const name of ["app", ID[1]!]) {
    const { bytes } = await run(from, "image_export", { args: [name] });
    expect(JSON.parse(contentOf(bytes, "manifest.json"))[0].Layers).toEqual([`${ID[0]}/layer.tar`]);
    const images = await store();
    expect((await load(images, bytes, { json: true, quiet: true })).output).toContain(
      name === "app" ? "app:latest" : ID[1],
    );
    expect(images.graph.ids().sort()).toEqual([ID[0], ID[1]]);
  }
});

test("load gives up on archives that would fill the memory, or the disk with lists of ancestors", async () => {
  const images = await store();
  const ids = Array.from({ length: 1002 }, (_, n) => hex(`chain ${n}`));
  const chain = ids.flatMap((id, n) => v1(id, ids[n + 1] ?? "", ""));
  expect((await load(images, archive(...chain))).error).toMatch(/^Cannot load \w+: it stands on more than 1000 images/);
  expect(await left(images)).toEqual([]);
  const long = Array.from({ length: 40 }, (_, i) => ({ name: `${i}${"n".repeat(1000 << 10)}`, content: "" }));
  expect((await load(images, archive(...long))).error).toMatch(/names too long|invalid tar header/);
});

test("load takes nothing for verified that stands on something else, or brings more than its digests say", async () => {
  const from = await store();
  const base = today(["base:latest"], { "a/layer.tar": fileLayer("a"), "b/layer.tar": fileLayer("b") });
  await load(from, archive(...base.entries));
  const lowest = (await from.graph.get(base.id)).parent;
  await load(from, archive(...v1(ID[1]!, base.id), names({ app: { latest: ID[1] } })));
  const { bytes } = await run(from, "image_export", { args: ["app"] });

  // Somebody has put an image of theirs in the place of the lowest layer.
  const poisoned = await store();
  await load(poisoned, archive(...v1(lowest, "", fileLayer("evil"))));
  expect((await load(poisoned, bytes)).error).toBe("");
  expect(await poisoned.graph.chains.isVerified(base.id)).toBe(false);
  expect((await load(poisoned, archive(...base.entries))).error).toContain("from a source that is not verified");

  // An image that differs from the one below in its configuration only has no files, whatever is in the archive.
  const twin = today(
    ["twin:latest"],
    { "a/layer.tar": fileLayer("a"), "b/layer.tar": fileLayer("b") },
    { config: { config: { Cmd: ["other"] } } },
  );
  await load(from, archive(...twin.entries));
  await load(from, archive(...v1(ID[2]!, twin.id), names({ child: { latest: ID[2] } })));
  const child = (await run(from, "image_export", { args: ["child"] })).bytes;
  const at = child.indexOf(`${twin.id}/layer.tar\0`);
  expect(at).toBeGreaterThan(0);
  const clean = await store();
  expect((await load(clean, child)).error).toBe("");
  expect(await clean.graph.chains.isVerified(twin.id)).toBe(true);
  expect(clean.driver.layers.get(twin.id)?.tar).toHaveLength(0);
});
