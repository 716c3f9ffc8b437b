/**
 * Archives with a `manifest.json`: a configuration and layers for each image.
 *
 * An image is its configuration: the digest is its id. But when the configuration is the one that descriptions of 2014 in
 * the same archive lead to (see v1-links.ts), it was saved by us, and keeps the id that it had.
 *
 * @since Docker 1.10
 * @module
 */

import { BadRequestError, ConflictError } from "../errdefs/errdefs.ts";
import { listOf, objectOf, parseJson, textOf } from "../registry/json.ts";
import { chainIds, type ImageConfig, parseConfig } from "../registry/v2/config.ts";
import { digestHex } from "../registry/v2/digest.ts";
import { truncateID } from "../utils/utils.ts";
import { type LayerSource, planImage } from "./assemble.ts";
import { type Bundle, MAX_LIST_BYTES } from "./bundle.ts";
import { openLayer } from "./layer-archive.ts";
import { fillFromBundle } from "./load-layer.ts";
import { v1Plan } from "./load-legacy.ts";
import { type LoadedImage, type LoadedName, type LoadPlan, loadedName, MAX_IMAGES } from "./load-plan.ts";
import type { ProgressSink } from "./progress-sink.ts";
import type { LayerPlan } from "./stack.ts";
import type { ExtraFiles } from "./staged.ts";
import type { TagStore } from "./tags.ts";
import { Family, type V1Link, v1Links } from "./v1-links.ts";

/** A container stands on 125 layers at most: the two of its own come on top. */
const MAX_LAYERS = 125;
/** Names that are digests: `<hex>.json`, `blobs/sha256/<hex>`. */
const CONFIG_NAME = /^(?:([a-f0-9]{64})\.json|blobs\/sha256\/([a-f0-9]{64}))$/;

/** An image of the archive. */
export interface Item {
  readonly config: string;
  readonly names: readonly LoadedName[];
  /** Files, lowest first. */
  readonly layers: readonly string[];
}

/** An image whose configuration was read. */
export interface ReadItem extends Item {
  readonly document: Buffer;
  /** Digits of its digest. */
  readonly digest: string;
  readonly parsed: ImageConfig;
}

/** Finds out what is in the archive. @throws {EngineError} when an image of it cannot be loaded */
export async function planManifest(
  store: TagStore,
  bundle: Bundle,
  progress: ProgressSink | undefined,
  signal: AbortSignal,
): Promise<LoadPlan> {
  const list = listOf(
    parseJson(await bundle.document("manifest.json", MAX_LIST_BYTES), "manifest.json"),
    "manifest.json",
  );
  if (list.length > MAX_IMAGES) throw new BadRequestError(`Cannot load the archive: more than ${MAX_IMAGES} images`);
  return planItems(store, bundle, list.map(itemOf), progress, signal);
}

/** Finds out about the images of an archive. @throws {EngineError} when one of them cannot be loaded */
export async function planItems(
  store: TagStore,
  bundle: Bundle,
  items: readonly Item[],
  progress: ProgressSink | undefined,
  signal: AbortSignal,
): Promise<LoadPlan> {
  const layers: LayerPlan[] = [];
  const images: LoadedImage[] = [];
  const family = new Family(bundle);
  for (const named of items) {
    signal.throwIfAborted();
    const item = await readItem(store, bundle, named);
    const old = await v1Chain(store, bundle, item, family, progress);
    const plans = old ?? (await contentPlans(store, bundle, item, progress));
    layers.push(...plans.layers);
    images.push({ id: plans.id, names: item.names });
  }
  return { layers, images };
}

function itemOf(value: unknown): Item {
  const fields = objectOf(value, "an image of manifest.json");
  const texts = (key: string) =>
    listOf(fields[key] ?? [], `${key} of manifest.json`).map((text) => textOf(text, `${key} of manifest.json`));
  const item: Item = {
    config: textOf(fields["Config"], "Config of manifest.json"),
    names: texts("RepoTags").map(loadedName),
    layers: texts("Layers"),
  };
  if (item.layers.length <= MAX_LAYERS) return item;
  throw new BadRequestError(`Cannot load ${item.config}: more than ${MAX_LAYERS} layers`);
}

/** Reads the configuration and looks whether all layers are there. */
async function readItem({ graph, host }: TagStore, bundle: Bundle, item: Item): Promise<ReadItem> {
  const document = await bundle.document(item.config);
  const digest = graph.host.hash("sha256").update(document).hex();
  const [, ...announced] = CONFIG_NAME.exec(item.config) ?? [];
  if (announced.some((hex) => hex !== undefined && hex !== digest)) {
    throw new BadRequestError(`Cannot load ${item.config}: its digest is sha256:${digest}`);
  }
  const { os, arch } = host.machine;
  const parsed = parseConfig(document, item.layers.length, { os, architecture: arch }, item.config, "load");
  for (const name of item.layers) bundle.open(name);
  return { ...item, document, digest, parsed };
}

/** The layers of an image whose id is its digest. */
async function contentPlans(
  store: TagStore,
  bundle: Bundle,
  item: ReadItem,
  progress: ProgressSink | undefined,
): Promise<{ id: string; layers: LayerPlan[] }> {
  const { digest: id, document, parsed: config } = item;
  if (!(await store.graph.chains.isVerified(id)) && (await store.graph.exists(id))) {
    throw new BadRequestError(
      `Cannot load ${item.config}: image ${truncateID(id)} exists already, from a source that is not verified`,
    );
  }
  const layers = item.layers.map((name, index): LayerSource => {
    const layer = { bundle, name, index, progress, clock: store.host.clock };
    return {
      fill: (staged, diffId, signal) => fillFromBundle({ ...layer, diffId }, staged, signal),
    };
  });
  return { id, layers: await planImage(store, { id, document, config, layers }) };
}

/** The layers of an image of 2014; `undefined` when it is none. */
async function v1Chain(
  store: TagStore,
  bundle: Bundle,
  item: ReadItem,
  family: Family,
  progress: ProgressSink | undefined,
): Promise<{ id: string; layers: LayerPlan[] } | undefined> {
  const links = await v1Links(store, bundle, item, family);
  if (links === undefined) return undefined;
  const { diffIds } = item.parsed;
  const chains = chainIds(diffIds, store.graph.host.hash);
  const layers: LayerPlan[] = [];
  let below = 0;
  /** Whether everything so far holds what its digests say: what is here already may be anything under that id. */
  let sound = true;
  for (const { image, json, config, diffId } of links) {
    const index = below;
    if (diffId !== undefined) below++;
    const chain = chains[below - 1];
    const extra: ExtraFiles = sound ? extraFiles(image.id, chain, config, diffIds.slice(0, below)) : {};
    const isThere = store.graph.has(image.id) && (await store.graph.exists(image.id));
    if (isThere) await checkLayer(store, image.id, diffId);
    const stands = isThere ? (await store.graph.readExtra(image.id, "chainid"))?.toString() : extra["chainid"];
    sound &&= chain !== undefined && stands === chain;
    const expected = { index, extra, diffId };
    layers.push(v1Plan(store, bundle, { image, json, on: layers.at(-1), progress, expected }));
  }
  return { id: (links.at(-1) as V1Link).image.id, layers };
}

/** What makes an ancestor that has come from a registry what it was: its chain, and its configuration if it is here. */
function extraFiles(
  id: string,
  chain: string | undefined,
  config: V1Link["config"],
  diffIds: readonly string[],
): ExtraFiles {
  if (chain === undefined) return {};
  if (digestHex(chain) === id) return { chainid: chain };
  if (config === undefined || config.diffIds.length !== diffIds.length) return {};
  if (!config.diffIds.every((digest, i) => digest === diffIds[i])) return {};
  return { chainid: chain, "config.json": config.bytes };
}

/** An id of 2014 says nothing about what is in an image: one that is here already has to hold the same. */
async function checkLayer({ graph }: TagStore, id: string, diffId: string | undefined): Promise<void> {
  if (diffId === undefined) return;
  const { known } = await openLayer(graph, await graph.get(id));
  if (known === undefined || known.diffId === diffId) return;
  throw new ConflictError(`Cannot load image ${truncateID(id)}: it exists already, with another layer`);
}
