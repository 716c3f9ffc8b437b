/**
 * Images as one archive, which this engine, 1.2.0, today's Docker and skopeo can load.
 *
 * ```text
 * manifest.json                   since Docker 1.10: [{"Config":"<hex>.json","RepoTags":[…],"Layers":["<id>/layer.tar",…]}]
 * <hex>.json                      the configuration with this digest; also of images below that have one
 * repositories                    1.2.0: {"busybox":{"latest":"<id>"}}, when something has a name
 * <id>/VERSION, json, layer.tar   1.2.0: an image, and each one below it
 * ```
 *
 * The same images give the same bytes.
 *
 * @origin graph/export.go
 * @module
 */

import { encodeHeader, paddingOf, TRAILER } from "../archive/tar/writer.ts";
import type { Job } from "../engine/job.ts";
import { BadRequestError } from "../errdefs/errdefs.ts";
import type { Image } from "../image/image.ts";
import { parseRepositoryTag } from "../pkg/parsers/parsers.ts";
import { familiarName } from "../registry/names.ts";
import type { Reader } from "../sync/io.ts";
import { compareBytes, goJson } from "../utils/go-json.ts";
import type { Graph } from "./graph.ts";
import { encodeDocument, imageParts } from "./image-document.ts";
import { type LayerArchive, openLayer } from "./layer-archive.ts";
import type { TagStore } from "./tags.ts";

const FILE = 0o100644;
const DIRECTORY = 0o40755;
/** What 1.2.0's temporary directory has. */
const ROOT = 0o40700;

/** The images that were asked for, and under which names: `repository:tag`. */
type Wanted = Map<Image, Set<string>>;

/** An image that goes along, asked for or below one that is. */
interface SavedImage {
  readonly image: Image;
  readonly json: Buffer;
  /** The configuration it came with, if its digest is its id. */
  readonly config: Buffer | undefined;
  readonly layer: LayerArchive & { readonly known: NonNullable<LayerArchive["known"]> };
}

/** An image that was asked for. */
interface Saved {
  readonly id: string;
  readonly config: Buffer;
  /** Digits of its digest. */
  readonly digest: string;
  readonly names: readonly string[];
  /** Ids of the images with its layers, lowest first. */
  readonly layers: readonly string[];
}

/**
 * Job `image_export IMAGE…`: writes an archive of images and all below them. The name of a repository stands for all its
 * tags; an image that is asked for by its id goes without a name.
 *
 * @origin graph/export.go (*TagStore).CmdImageExport
 * @deviation Several images at once, as since Docker 1.5; and beside 1.2.0's files those that came with Docker 1.10. A
 *   layer is given back byte for byte as it came; 1.2.0 archives it anew.
 */
export async function cmdImageExport(store: TagStore, job: Job): Promise<void> {
  if (job.args.length === 0) throw new BadRequestError(`Usage: ${job.name} IMAGE`);
  const { graph } = store;
  const wanted = await wantedImages(store, job.args);
  const held: string[] = [];
  try {
    for (const top of wanted.keys()) {
      for (const { id } of await top.history()) {
        graph.hold(id);
        held.push(id);
      }
    }
    store.log.debug("export.go:32", `Serializing ${job.args.join(" ")}`);
    const images = new Map<string, SavedImage>();
    for (const top of wanted.keys()) {
      for (const image of (await top.history()).reverse()) {
        if (!images.has(image.id)) images.set(image.id, await lookAt(graph, image, job.signal));
      }
    }
    const saved: Saved[] = [];
    for (const [top, names] of wanted) saved.push(await describe(graph, top, [...names].sort(compareBytes), images));
    for await (const chunk of bundle(saved, [...images.values()])) {
      job.signal.throwIfAborted();
      await job.stdout.write(chunk);
    }
    store.log.debug("export.go:95", `End Serializing ${job.args.join(" ")}`);
  } finally {
    for (const id of held) graph.release(id);
  }
}

async function wantedImages(store: TagStore, names: readonly string[]): Promise<Wanted> {
  const wanted: Wanted = new Map();
  const add = (image: Image, name?: string) => {
    const known = wanted.get(image) ?? new Set();
    if (name !== undefined) known.add(name);
    wanted.set(image, known);
  };
  for (const name of names) {
    const familiar = familiarName(name);
    const tags = store.get(name);
    if (tags !== undefined) {
      for (const [tag, id] of tags) add(await store.graph.get(id), `${familiar}:${tag}`);
      continue;
    }
    const image = await store.lookupImage(name);
    const [repository, tag] = parseRepositoryTag(familiar);
    const isTag = tag !== "" && store.get(repository)?.get(tag) === image.id;
    add(image, isTag ? `${repository}:${tag}` : undefined);
  }
  return wanted;
}

/** Reads what is small of an image, and all of its layer only if its digest is not known. */
async function lookAt(graph: Graph, image: Image, signal: AbortSignal): Promise<SavedImage> {
  const config = (await graph.chains.isVerified(image.id)) ? await graph.readExtra(image.id, "config.json") : undefined;
  const json = await image.rawJson();
  const { known, read } = await openLayer(graph, image);
  if (known !== undefined) return { image, json, config, layer: { known, read } };
  const hash = graph.host.hash("sha256");
  let bytes = 0;
  for await (const chunk of read()) {
    signal.throwIfAborted();
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { image, json, config, layer: { known: { diffId: `sha256:${hash.hex()}`, bytes }, read } };
}

async function describe(
  graph: Graph,
  image: Image,
  names: readonly string[],
  images: ReadonlyMap<string, SavedImage>,
): Promise<Saved> {
  const parts = await imageParts(graph, image);
  const layers = parts.layers.map((layer) => layer.image.id);
  const diffIds = layers.map((id) => images.get(id)?.layer.known.diffId ?? "");
  const config = await encodeDocument(parts, diffIds);
  return { id: image.id, config, digest: graph.host.hash("sha256").update(config).hex(), names, layers };
}

/** The archive. */
async function* bundle(saved: readonly Saved[], images: readonly SavedImage[]): AsyncGenerator<Uint8Array> {
  yield entry("./", 0, ROOT, 0);
  const manifest = saved.map(({ digest, names, layers }) => ({
    Config: `${digest}.json`,
    RepoTags: names.length === 0 ? null : names,
    Layers: layers.map((id) => `${id}/layer.tar`),
  }));
  yield* file("manifest.json", Buffer.from(`${goJson(manifest)}\n`), 0);
  const configs = new Map(saved.map(({ digest, config }) => [`${digest}.json`, config]));
  for (const { image, config } of images) if (config !== undefined) configs.set(`${image.id}.json`, config);
  for (const [name, config] of configs) yield* file(name, config, 0);
  const repositories = repositoriesOf(saved);
  if (repositories.size > 0) yield* file("repositories", Buffer.from(goJson(repositories)), 0);
  for (const one of images) yield* directory(one);
  yield TRAILER;
}

function repositoriesOf(saved: readonly Saved[]): Map<string, Map<string, string>> {
  const repositories = new Map<string, Map<string, string>>();
  for (const { names, id } of saved) {
    for (const name of names) {
      const [repository, tag] = parseRepositoryTag(name);
      const tags = repositories.get(repository) ?? new Map<string, string>();
      tags.set(tag, id);
      repositories.set(repository, tags);
    }
  }
  return repositories;
}

/** One image. @origin graph/export.go (*TagStore).exportImage */
async function* directory({ image, json, layer }: SavedImage): AsyncGenerator<Uint8Array> {
  const mtime = Math.max(0, image.createdUnix);
  yield entry(`${image.id}/`, 0, DIRECTORY, mtime);
  yield* file(`${image.id}/VERSION`, Buffer.from("1.0"), mtime);
  yield* file(`${image.id}/json`, json, mtime);
  yield* content(`${image.id}/layer.tar`, layer.read(), layer.known.bytes, mtime);
}

function entry(name: string, size: number, mode: number, mtime: number): Buffer {
  return encodeHeader({ name, type: name.endsWith("/") ? "5" : "0", mode, uid: 0, gid: 0, size, mtime }, 0);
}

async function* file(name: string, data: Buffer, mtime: number): AsyncGenerator<Uint8Array> {
  yield Buffer.concat([entry(name, data.length, FILE, mtime), data, Buffer.alloc(paddingOf(data.length))]);
}

/** A file whose length is known before. */
async function* content(name: string, source: Reader, size: number, mtime: number): AsyncGenerator<Uint8Array> {
  yield entry(name, size, FILE, mtime);
  let left = size;
  for await (const chunk of source) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  // Nobody changes a layer; should it happen, the archive must end here rather than say something else.
  if (left !== 0) throw new TypeError(`${name} has changed its size`);
  yield Buffer.alloc(paddingOf(size));
}
