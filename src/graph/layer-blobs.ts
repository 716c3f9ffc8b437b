/**
 * What is known of a layer beyond what is in it: the digest of its archive, and compressed forms of it that registries
 * have.
 *
 * ```text
 * <graph>/<id>/blobs.json     {"diffId":"sha256:…","blobs":[{"mediaType":"…","digest":"sha256:…","size":1,"from":["host/app"]}]}
 * <graph>/<id>/manifest.json  {"mediaType":"…","document":"<the manifest it came by, in base64>"}; top images only
 * ```
 *
 * Only what was verified is written down: a blob that was downloaded and unpacked to this very layer, or made of it and
 * uploaded. So a push can say "this layer is that blob" without reading the layer.
 *
 * @since Docker 1.10
 * @module
 */

import { join } from "node:path/posix";
import { isErrno } from "../errdefs/errdefs.ts";
import { DIGEST } from "../registry/v2/digest.ts";
import type { Descriptor } from "../registry/v2/manifest.ts";
import type { Repository } from "../registry/v2/repository.ts";
import { KeyedMutex } from "../sync/keyed-mutex.ts";
import { goJson } from "../utils/go-json.ts";
import type { Graph } from "./graph.ts";

/** A compressed form of a layer. */
export interface LayerBlob extends Descriptor {
  /** Repositories that have it, the latest first: `127.0.0.1:5000/library/app`. */
  readonly from: readonly string[];
}

/** What is known of a layer. */
export interface LayerRecord {
  /** Digest of the layer's archive without compression. */
  readonly diffId: string;
  /** The latest first. */
  readonly blobs: readonly LayerBlob[];
}

/** The manifest an image came by. */
export interface StoredManifest {
  readonly mediaType: string;
  readonly document: Buffer;
}

/** Names of the files beside an image's description. */
export const [BLOBS_FILE, MANIFEST_FILE] = ["blobs.json", "manifest.json"];

const MAX_BLOBS = 4;
const MAX_FROM = 16;

const writing = new KeyedMutex();

/** The file's content for a layer that came from, or went to, a repository. */
export function encodeLayerRecord(record: LayerRecord): string {
  return goJson({
    diffId: record.diffId,
    blobs: record.blobs.map(({ mediaType, digest, size, from }) => ({ mediaType, digest, size, from })),
  });
}

/** Where a repository is, as it is noted with a blob: `127.0.0.1:5000/library/app`. */
export function placeOf(repository: Pick<Repository, "base" | "name">): string {
  return `${new URL(repository.base).host}/${repository.name}`;
}

/** The file's content for a manifest as it came. */
export function encodeManifestFile({ bytes, type }: { bytes: Buffer; type: string }): string {
  const declared = (JSON.parse(bytes.toString("utf8")) as { mediaType?: unknown }).mediaType;
  const mediaType = typeof declared === "string" ? declared : (type.split(";")[0]?.trim() ?? "");
  return goJson({ mediaType, document: bytes.toString("base64") });
}

/** What is known of the layer of an image. What cannot be read counts as nothing. */
export async function readLayerRecord(graph: Graph, id: string): Promise<LayerRecord | undefined> {
  const stored = await readJson(graph, id, BLOBS_FILE);
  if (stored === undefined || typeof stored["diffId"] !== "string" || !DIGEST.test(stored["diffId"])) return undefined;
  const blobs: unknown[] = Array.isArray(stored["blobs"]) ? stored["blobs"] : [];
  return { diffId: stored["diffId"], blobs: blobs.filter(isLayerBlob) };
}

/** The manifest an image came by, `undefined` for one that was made here. */
export async function readManifest(graph: Graph, id: string): Promise<StoredManifest | undefined> {
  const { mediaType, document } = (await readJson(graph, id, MANIFEST_FILE)) ?? {};
  if (typeof mediaType !== "string" || typeof document !== "string") return undefined;
  return { mediaType, document: Buffer.from(document, "base64") };
}

async function readJson(graph: Graph, id: string, name: string): Promise<Record<string, unknown> | undefined> {
  try {
    const value: unknown = JSON.parse(await graph.fs.readFile(join(graph.imageRoot(id), name), "utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch (cause) {
    if (isErrno(cause, "ENOENT") || cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

function isLayerBlob(value: unknown): value is LayerBlob {
  if (typeof value !== "object" || value === null) return false;
  const { mediaType, digest, size, from } = value as Record<string, unknown>;
  const isFrom = Array.isArray(from) && from.every((name) => typeof name === "string");
  return (
    typeof mediaType === "string" &&
    typeof digest === "string" &&
    DIGEST.test(digest) &&
    Number.isSafeInteger(size) &&
    isFrom
  );
}

/**
 * Notes that a repository has a layer as a blob.
 *
 * @param noted - `verified`: whether the blob is this layer beyond doubt; otherwise it is noted only where it is known
 */
export async function noteBlob(
  graph: Graph,
  id: string,
  noted: { diffId: string; blob: Descriptor; repository: string; verified: boolean },
): Promise<void> {
  const { diffId, blob, repository, verified } = noted;
  await writing.run(id, async () => {
    const known = await readLayerRecord(graph, id);
    const before = known?.diffId === diffId ? known.blobs : [];
    const same = before.find(({ digest }) => digest === blob.digest);
    if ((!verified && same === undefined) || same?.from[0] === repository || !graph.has(id)) return;
    const from = [repository, ...(same?.from ?? []).filter((name) => name !== repository)].slice(0, MAX_FROM);
    const { mediaType, digest, size } = same ?? blob;
    const blobs = [{ mediaType, digest, size, from }, ...before.filter((other) => other !== same)].slice(0, MAX_BLOBS);
    await graph.writeExtra(id, BLOBS_FILE, encodeLayerRecord({ diffId, blobs }));
  });
}
