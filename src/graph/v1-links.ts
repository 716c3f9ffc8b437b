/**
 * Recognizes images of 2014 in an archive with configurations of today: a configuration depends on nothing but the
 * descriptions and the digests of the layers, so whoever has these can tell which image it was made of.
 *
 * @since Docker 1.10
 * @module
 */

import { EngineError } from "../errdefs/errdefs.ts";
import { type Image, newImgJSON } from "../image/image.ts";
import { ID_PATTERN } from "../utils/utils.ts";
import type { Bundle } from "./bundle.ts";
import { encodeDocument, historyLine } from "./image-document.ts";
import { readRepositories } from "./load-legacy.ts";
import type { ReadItem } from "./load-manifest.ts";
import type { LoadedName } from "./load-plan.ts";
import type { TagStore } from "./tags.ts";

const LAYER_NAME = /^([a-f0-9]{64})\/layer\.tar$/;
/** More images than a chain can have, those without a layer counted. */
const MAX_CHAIN = 500;
/** More images than stand on one another without a layer of their own. */
const MAX_CANDIDATES = 16;

/** A description of 2014, and what of the archive belongs to it. */
export interface V1Link {
  readonly image: Image;
  readonly json: Buffer;
  /** Digest of its layer; `undefined`: it has none of its own. */
  readonly diffId: string | undefined;
  /** The configuration whose digest is its id, and the layers it names. */
  readonly config:
    | { readonly bytes: Buffer; readonly diffIds: readonly unknown[]; readonly history: unknown }
    | undefined;
}

/** The chain of images that the configuration was made of, lowest first; `undefined` when there is none. */
export async function v1Links(
  store: TagStore,
  bundle: Bundle,
  item: ReadItem,
  family: Family,
): Promise<V1Link[] | undefined> {
  const diffIds = new Map<string, string>();
  for (const [i, name] of item.layers.entries()) {
    const id = LAYER_NAME.exec(name)?.[1];
    if (id === undefined) return undefined;
    diffIds.set(id, item.parsed.diffIds[i] as string);
  }
  const last = [...diffIds.keys()].at(-1);
  // An image with this id is its configuration: it is not of 2014.
  if (last === undefined || diffIds.size !== item.layers.length || bundle.has(`${item.digest}/json`)) return undefined;
  for (const top of await family.candidates(item.names, last)) {
    const links = await chainOf(store, bundle, top, diffIds);
    if (links !== undefined && (await leadTo(links, item))) return links;
  }
  return undefined;
}

/** Who stands on whom in an archive; found out when it is first asked for. */
export class Family {
  readonly #bundle: Bundle;
  #children: Promise<Map<string, string[]>> | undefined;
  #named: Promise<Map<string, LoadedName[]>> | undefined;

  constructor(bundle: Bundle) {
    this.#bundle = bundle;
  }

  /** Images that may be meant by names, and by the last one that has a layer: itself and the next that stand on it. */
  async candidates(names: readonly LoadedName[], last: string): Promise<Set<string>> {
    this.#named ??= readRepositories(this.#bundle);
    const wanted = new Set(names.map(({ repository, tag }) => `${repository}:${tag}`));
    const named = [...(await this.#named)].filter(([, own]) =>
      own.some((one) => wanted.has(`${one.repository}:${one.tag}`)),
    );
    const found = new Set([...named.map(([id]) => id).slice(0, MAX_CANDIDATES), last]);
    if (names.length > 0) return found;
    this.#children ??= this.#readChildren();
    const children = await this.#children;
    for (const id of found) {
      for (const child of children.get(id) ?? []) if (found.size < MAX_CANDIDATES) found.add(child);
    }
    return found;
  }

  async #readChildren(): Promise<Map<string, string[]>> {
    const children = new Map<string, string[]>();
    for (const id of this.#bundle.directories()) {
      const parent = ID_PATTERN.test(id) ? (await describe(this.#bundle, id))?.image.parent : undefined;
      if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), id]);
    }
    return children;
  }
}

async function describe(bundle: Bundle, id: string): Promise<{ image: Image; json: Buffer } | undefined> {
  if (!bundle.has(`${id}/json`)) return undefined;
  const json = await bundle.document(`${id}/json`);
  try {
    const image = newImgJSON(json);
    return image.id === id ? { image, json } : undefined;
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    return undefined;
  }
}

/** An image and all below it; `undefined` unless they are here, and have these layers in this order. */
async function chainOf(
  store: TagStore,
  bundle: Bundle,
  top: string,
  diffIds: ReadonlyMap<string, string>,
): Promise<V1Link[] | undefined> {
  const links: V1Link[] = [];
  for (let id = top; id !== ""; ) {
    const found = ID_PATTERN.test(id) && links.length < MAX_CHAIN ? await describe(bundle, id) : undefined;
    if (found === undefined) return undefined;
    links.push({ ...found, diffId: diffIds.get(id), config: await configOf(store, bundle, id) });
    id = found.image.parent;
  }
  links.reverse();
  const order = links.flatMap(({ image, diffId }) => (diffId === undefined ? [] : image.id));
  return order.join() === [...diffIds.keys()].join() ? links : undefined;
}

async function configOf({ graph }: TagStore, bundle: Bundle, id: string): Promise<V1Link["config"]> {
  const name = `${id}.json`;
  if (!bundle.has(name)) return undefined;
  const bytes = await bundle.document(name);
  if (graph.host.hash("sha256").update(bytes).hex() !== id) return undefined;
  try {
    const { rootfs, history } = JSON.parse(bytes.toString("utf8")) as {
      rootfs?: { diff_ids?: unknown };
      history?: unknown;
    };
    return Array.isArray(rootfs?.diff_ids) ? { bytes, diffIds: rootfs.diff_ids as unknown[], history } : undefined;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return undefined;
  }
}

/** Whether the configuration is what is made of these images. @see imageParts */
async function leadTo(links: readonly V1Link[], item: ReadItem): Promise<boolean> {
  const top = links.at(-1) as V1Link;
  const base = links.findLastIndex(({ config }) => config !== undefined);
  for (const from of new Set([base, -1])) {
    const history = [...historyBelow(links.slice(0, from + 1))];
    for (const { image, diffId } of links.slice(from + 1)) history.push(historyLine(image, diffId === undefined));
    const parts = { image: top.image, layers: [], history, own: undefined };
    if ((await encodeDocument(parts, item.parsed.diffIds, top.json)).equals(item.document)) return true;
  }
  return false;
}

/** The history of an image that has a configuration, and those below it. */
function historyBelow(links: readonly V1Link[]): unknown[] {
  const layers = links.filter(({ diffId }) => diffId !== undefined);
  const own = links.at(-1)?.config?.history;
  const lines = Array.isArray(own) ? (own as unknown[]) : [];
  const filled = lines.filter((line) => (line as { empty_layer?: unknown } | null)?.empty_layer !== true).length;
  return filled === layers.length ? lines : layers.map(({ image }) => historyLine(image, false));
}
