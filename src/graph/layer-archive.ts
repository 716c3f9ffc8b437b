/**
 * The archive of a layer, as it came.
 *
 * ```text
 * <graph>/<id>/layer.json   {"diff_id":"sha256:<hex>","bytes":<length>} of the archive
 * <graph>/<id>/layer.split  everything of it but the contents of files (see archive/split.ts)
 * ```
 *
 * An image has both, or, when it was made by an older version or when its archive brought one file twice, none: then its
 * layer is archived anew, and its digest is not the one it came with.
 *
 * @since Docker 1.8
 * @module
 */

import { join } from "node:path/posix";
import { gunzip } from "../archive/compression.ts";
import { joinSplit } from "../archive/split.ts";
import { messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { Image } from "../image/image.ts";
import { fileChunks } from "../sync/file-chunks.ts";
import type { Reader } from "../sync/io.ts";
import type { Graph } from "./graph.ts";
import { LAYER_JSON, LAYER_SPLIT } from "./staged.ts";

const DIGEST = /^sha256:[a-f0-9]{64}$/;

/** The archive of a layer. */
export interface LayerArchive {
  /** Its digest and length; `undefined`: nobody knows without reading it. */
  readonly known: { readonly diffId: string; readonly bytes: number } | undefined;
  /** Reads it; as often as one likes. @throws {SystemError} at the end when it is not what was recorded */
  read(): Reader;
}

/** The archive of an image's layer. Nothing is read yet. */
export async function openLayer(graph: Graph, image: Image): Promise<LayerArchive> {
  const directory = graph.driver.layerPath?.(image.id);
  const known = directory === undefined ? undefined : await recorded(graph, image.id);
  if (directory === undefined || known === undefined) {
    const parent = image.parent === "" ? undefined : image.parent;
    return { known: undefined, read: () => graph.driver.diff(image.id, parent) };
  }
  return { known, read: () => rejoined(graph, image.id, directory, known.diffId) };
}

async function recorded(graph: Graph, id: string): Promise<LayerArchive["known"]> {
  const text = await graph.readExtra(id, LAYER_JSON);
  if (text === undefined) return undefined;
  const { diff_id: diffId, bytes } = JSON.parse(text.toString()) as { diff_id?: unknown; bytes?: unknown };
  if (typeof diffId !== "string" || !DIGEST.test(diffId) || !Number.isSafeInteger(bytes)) {
    throw new SystemError(`Cannot read the layer of image ${id}: ${LAYER_JSON} is broken`);
  }
  return { diffId, bytes: bytes as number };
}

async function* rejoined(graph: Graph, id: string, directory: string, diffId: string): AsyncGenerator<Uint8Array> {
  const hash = graph.host.hash("sha256");
  try {
    const split = gunzip(fileChunks(await graph.fs.open(join(graph.imageRoot(id), LAYER_SPLIT), "r")));
    for await (const chunk of joinSplit(graph.fs, directory, split)) {
      hash.update(chunk);
      yield chunk;
    }
  } catch (cause) {
    throw new SystemError(`Cannot read the layer of image ${id}: ${messageOf(cause)}`, { cause });
  }
  const digest = `sha256:${hash.hex()}`;
  if (digest === diffId) return;
  throw new SystemError(`Cannot read the layer of image ${id}: its files have changed: ${digest} instead of ${diffId}`);
}
