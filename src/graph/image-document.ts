/**
 * The configuration document of an image, for those who know images by it: registries of version 2 and `docker save`.
 *
 * An image that was pulled has one. For one that was made here it is put together: the document of the nearest image
 * below that has one, and a line of history for each image on top.
 *
 * @since Docker 1.10
 * @module
 */

import { join } from "node:path/posix";
import { isErrno } from "../errdefs/errdefs.ts";
import type { Image } from "../image/image.ts";
import { chainIds } from "../registry/v2/config.ts";
import { DIGEST } from "../registry/v2/digest.ts";
import { goJson } from "../utils/go-json.ts";
import type { Graph } from "./graph.ts";

type Json = Readonly<Record<string, unknown>>;

/** A layer of an image. */
export interface DocumentLayer {
  /** The image of the graph whose layer it is. */
  readonly image: Image;
  /** The digest of its archive as its document has it; `undefined`: not known yet. */
  readonly diffId: string | undefined;
}

/** Everything the document is made of. */
export interface ImageParts {
  readonly image: Image;
  /** Lowest first; at least one. */
  readonly layers: readonly DocumentLayer[];
  readonly history: readonly unknown[];
  /** The image's own document, byte for byte. */
  readonly own: Buffer | undefined;
}

/** Takes an image apart into layers and lines of history. */
export async function imageParts(graph: Graph, image: Image): Promise<ImageParts> {
  const images = (await image.history()).reverse();
  const base = await nearestDocument(graph, images);
  const above = images.slice(base === undefined ? 0 : base.index + 1);
  const layers: DocumentLayer[] = [...(base?.layers ?? [])];
  const history: unknown[] = [...(base?.history ?? [])];
  for (const one of above) {
    // An image without any layer is none to others.
    const mustHave = layers.length === 0 && one === image;
    const empty = !mustHave && (await isEmptyLayer(graph, one));
    history.push(historyLine(one, empty));
    if (!empty) layers.push({ image: one, diffId: undefined });
  }
  return { image, layers, history, own: above.length === 0 ? base?.bytes : undefined };
}

interface Base {
  /** Where in the list of images. */
  readonly index: number;
  readonly bytes: Buffer;
  readonly layers: readonly DocumentLayer[];
  readonly history: readonly unknown[];
}

/** @param images - lowest first */
async function nearestDocument(graph: Graph, images: readonly Image[]): Promise<Base | undefined> {
  for (let index = images.length - 1; index >= 0; index--) {
    const image = images[index] as Image;
    if (!(await graph.chains.isVerified(image.id))) continue;
    const bytes = await graph.fs.readFile(join(graph.imageRoot(image.id), "config.json"));
    const document = JSON.parse(bytes.toString("utf8")) as { rootfs?: { diff_ids?: unknown }; history?: unknown };
    const diffIds = document.rootfs?.diff_ids;
    if (!Array.isArray(diffIds) || !diffIds.every((id) => typeof id === "string" && DIGEST.test(id))) continue;
    const layers = await layersOf(graph, images.slice(0, index + 1), diffIds as string[]);
    if (layers === undefined) continue;
    const lines = Array.isArray(document.history) ? (document.history as unknown[]) : [];
    const filled = lines.filter((line) => (line as Json | null)?.["empty_layer"] !== true).length;
    // Lines that do not fit the layers would make them all wrong.
    const history = filled === layers.length ? lines : layers.map((layer) => historyLine(layer.image, false));
    return { index, bytes, layers, history };
  }
  return undefined;
}

/** Which images have the layers that a document names; of several for one stack the lowest has the content. */
async function layersOf(
  graph: Graph,
  images: readonly Image[],
  diffIds: readonly string[],
): Promise<DocumentLayer[] | undefined> {
  const byChain = new Map<string, Image>();
  for (const image of images) {
    const chain = await readOptional(graph, image.id, "chainid");
    if (chain !== "" && !byChain.has(chain)) byChain.set(chain, image);
  }
  const layers: DocumentLayer[] = [];
  for (const [i, chain] of chainIds(diffIds, graph.host.hash).entries()) {
    const image = byChain.get(chain);
    if (image === undefined) return undefined;
    layers.push({ image, diffId: diffIds[i] });
  }
  return layers.length === 0 ? undefined : layers;
}

async function readOptional(graph: Graph, id: string, name: string): Promise<string> {
  try {
    return await graph.fs.readFile(join(graph.imageRoot(id), name), "utf8");
  } catch (cause) {
    if (!isErrno(cause, "ENOENT")) throw cause;
    return "";
  }
}

async function isEmptyLayer(graph: Graph, image: Image): Promise<boolean> {
  if (image.size > 0) return false;
  return (await graph.driver.changes(image.id, image.parent || undefined)).length === 0;
}

/** What an image says about how it came about. @param empty - whether it has no layer of its own */
export function historyLine(image: Image, empty: boolean): object {
  return {
    created: image.created,
    author: image.author || undefined,
    created_by: (image.containerConfig.Cmd ?? []).join(" ") || undefined,
    comment: image.comment || undefined,
    empty_layer: empty || undefined,
  };
}

/**
 * Writes the document.
 *
 * @param diffIds - digests of the layers' archives, lowest first
 * @param json - the image's description, for one that is not in the graph
 * @returns the image's own document, byte for byte, when it has these layers
 */
export async function encodeDocument(
  parts: ImageParts,
  diffIds: readonly string[],
  json?: Uint8Array,
): Promise<Buffer> {
  const rootfs = { type: "layers", diff_ids: diffIds };
  const { own, image, history } = parts;
  if (own !== undefined) {
    if (parts.layers.every((layer, i) => layer.diffId === diffIds[i])) return own;
    return Buffer.from(goJson({ ...(JSON.parse(own.toString("utf8")) as Json), rootfs }));
  }
  const stored = JSON.parse(Buffer.from(json ?? (await image.rawJson())).toString("utf8")) as Json;
  return Buffer.from(
    goJson({
      architecture: image.architecture || "amd64",
      author: image.author || undefined,
      comment: image.comment || undefined,
      config: stored["config"] ?? {},
      container: image.container || undefined,
      container_config: stored["container_config"],
      created: image.created,
      docker_version: image.dockerVersion || undefined,
      history,
      os: image.os || "linux",
      rootfs,
    }),
  );
}
