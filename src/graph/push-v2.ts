/**
 * Pushes to a registry of version 2.
 *
 * Layers first, several at once, then for each tag the configuration and the manifest: an image that can be named is
 * complete. What came from a registry and is unchanged goes back under the digests it came with.
 *
 * @since Docker 1.10
 * @module
 */

import { messageOf, NotFoundError } from "../errdefs/errdefs.ts";
import { chainIds } from "../registry/v2/config.ts";
import { type EncodedManifest, encodeManifest } from "../registry/v2/encode.ts";
import type { Descriptor } from "../registry/v2/manifest.ts";
import type { Repository } from "../registry/v2/repository.ts";
import { Uploader } from "../registry/v2/upload.ts";
import { goJson } from "../utils/go-json.ts";
import { truncateID } from "../utils/utils.ts";
import { encodeDocument, type ImageParts, imageParts } from "./image-document.ts";
import { readManifest } from "./layer-blobs.ts";
import type { ProgressSink } from "./progress-sink.ts";
import { type LayerPush, type PushedLayer, pushLayer } from "./push-layer.ts";
import type { TagStore } from "./tags.ts";

/** Layers on their way at once. */
const UPLOADS = 5;

/** What is pushed. */
export interface PushTarget {
  readonly localName: string;
  /** Tag → id; at least one. */
  readonly tags: ReadonlyMap<string, string>;
  /** Whether the client is one of today, which reads `aux`. */
  readonly today: boolean;
}

/**
 * Pushes the tags of a repository.
 *
 * @throws {NotFoundError} when an image is gone; what the registry says, otherwise
 */
export async function pushV2(
  store: TagStore,
  repository: Repository,
  target: PushTarget,
  sink: ProgressSink,
  signal: AbortSignal,
): Promise<void> {
  const { graph } = store;
  const held: string[] = [];
  try {
    const images = new Map<string, ImageParts>();
    for (const id of new Set(target.tags.values())) {
      const image = await graph.get(id);
      const parts = await imageParts(graph, image);
      for (const each of await image.history()) {
        graph.hold(each.id);
        held.push(each.id);
      }
      if (!held.every((one) => graph.has(one))) throw new NotFoundError(`No such id: ${id}`);
      images.set(id, parts);
    }
    const pushed = await pushLayers({ store, repository, sink, signal }, [...images.values()]);
    for (const [tag, id] of target.tags) {
      const parts = images.get(id) as ImageParts;
      await pushImage(store, repository, { target, tag, parts, pushed }, sink, signal);
    }
  } finally {
    for (const id of held) graph.release(id);
  }
}

/** Each layer of the images once, some at a time. @returns by the id of the image whose layer it is */
async function pushLayers(push: LayerPush, images: readonly ImageParts[]): Promise<Map<string, PushedLayer>> {
  const { sink, signal } = push;
  const layers = new Map(images.flatMap(({ layers }) => layers.map((layer) => [layer.image.id, layer] as const)));
  for (const id of layers.keys()) sink.progress(truncateID(id), "Preparing");
  const pushed = new Map<string, PushedLayer>();
  const waiting = [...layers.values()];
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const work = async (): Promise<void> => {
    for (let layer = waiting.shift(); layer !== undefined; layer = waiting.shift()) {
      both.throwIfAborted();
      pushed.set(layer.image.id, await pushLayer({ ...push, signal: both }, layer));
    }
  };
  const failures: unknown[] = [];
  await Promise.all(
    Array.from({ length: UPLOADS }, () =>
      work().catch((cause: unknown) => {
        failures.push(cause);
        stop.abort(cause);
      }),
    ),
  );
  signal.throwIfAborted();
  if (failures.length > 0) throw failures[0];
  return pushed;
}

/** Configuration, manifest and tag of one image. */
async function pushImage(
  store: TagStore,
  repository: Repository,
  what: { target: PushTarget; tag: string; parts: ImageParts; pushed: ReadonlyMap<string, PushedLayer> },
  sink: ProgressSink,
  signal: AbortSignal,
): Promise<void> {
  const { target, tag, parts, pushed } = what;
  const layers = parts.layers.map(({ image }) => pushed.get(image.id) as PushedLayer);
  const diffIds = layers.map(({ diffId }) => diffId);
  await noteChains(store, parts, diffIds);
  const document = await encodeDocument(parts, diffIds);
  const uploader = new Uploader(repository.conversation);
  const digestOf = (bytes: Uint8Array) => `sha256:${store.host.hash("sha256").update(bytes).hex()}`;
  const config = { mediaType: "application/octet-stream", digest: digestOf(document), size: document.length };
  if (!(await uploader.has(config.digest, signal))) {
    async function* read(from: number, end?: number): AsyncGenerator<Uint8Array> {
      yield document.subarray(from, end);
    }
    await uploader.upload({ size: config.size, descriptor: async () => config, read }, "", signal);
  }
  const blobs = layers.map(({ blob }) => blob);
  const manifest = (await storedManifest(store, parts, config, blobs)) ?? encodeManifest(config, blobs);
  const digest = digestOf(manifest.document);
  await uploader.putManifest(tag, manifest.document, manifest.mediaType, digest, signal);
  await store.setDigest(target.localName, digest, parts.image.id);
  const size = manifest.document.length;
  sink.status("", `${tag}: digest: ${digest} size: ${size}`);
  if (target.today) sink.write(`${goJson({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: size } })}\r\n`);
}

/** Layers that were read are known again by what is in them: nobody needs to fetch them. */
async function noteChains({ graph, log }: TagStore, parts: ImageParts, diffIds: readonly string[]): Promise<void> {
  const chains = chainIds(diffIds, graph.host.hash);
  try {
    for (const [i, { image }] of parts.layers.entries()) await graph.chains.note(chains[i] as string, image.id);
  } catch (cause) {
    // It costs a download one day, nothing else.
    log.error("push.go:146", `Cannot note the layers of ${parts.image.id}: ${messageOf(cause)}`);
  }
}

/** The manifest the image came by, when it names what was pushed now. */
async function storedManifest(
  store: TagStore,
  { image }: ImageParts,
  config: Descriptor,
  layers: readonly Descriptor[],
): Promise<EncodedManifest | undefined> {
  const stored = await readManifest(store.graph, image.id);
  if (stored === undefined) return undefined;
  const fields = JSON.parse(stored.document.toString("utf8")) as { config?: Descriptor; layers?: Descriptor[] };
  const same =
    fields.config?.digest === config.digest &&
    fields.layers?.length === layers.length &&
    fields.layers.every((layer, i) => layer.digest === layers[i]?.digest);
  return same ? stored : undefined;
}
