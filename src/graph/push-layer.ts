/**
 * One layer on its way to a registry of version 2.
 *
 * ```text
 * the repository has a blob of it            Layer already exists
 * another repository there has one           Mounted from <repository>
 * otherwise it is packed, sent, and noted    Buffering to disk, Pushing, Pushed
 * ```
 *
 * @since Docker 1.10
 * @module
 */

import { gzip } from "../archive/compression.ts";
import { messageOf, SystemError } from "../errdefs/errdefs.ts";
import { LAYER_TYPE } from "../registry/v2/encode.ts";
import type { Descriptor } from "../registry/v2/manifest.ts";
import type { Repository } from "../registry/v2/repository.ts";
import { Uploader } from "../registry/v2/upload.ts";
import type { Reader } from "../sync/io.ts";
import { truncateID } from "../utils/utils.ts";
import type { DocumentLayer } from "./image-document.ts";
import { openLayer } from "./layer-archive.ts";
import { type LayerBlob, noteBlob, placeOf, readLayerRecord } from "./layer-blobs.ts";
import type { ProgressSink } from "./progress-sink.ts";
import { type Spooled, spool } from "./spool.ts";
import type { TagStore } from "./tags.ts";

/** More repositories than these are not asked for a blob. */
const MAX_MOUNTS = 3;

/** What all layers of one push share. */
export interface LayerPush {
  readonly store: TagStore;
  readonly repository: Repository;
  readonly sink: ProgressSink;
  readonly signal: AbortSignal;
}

/** A layer that the repository has. */
export interface PushedLayer {
  readonly diffId: string;
  readonly blob: Descriptor;
}

/** Brings a layer into the repository. */
export async function pushLayer(push: LayerPush, layer: DocumentLayer): Promise<PushedLayer> {
  const { store, repository, sink, signal } = push;
  const { graph } = store;
  const { id } = layer.image;
  const uploader = new Uploader(repository.conversation);
  const record = await readLayerRecord(graph, id);
  // The document of the image counts: a record that does not fit it is of no use.
  const known = record !== undefined && (layer.diffId ?? record.diffId) === record.diffId ? record : undefined;
  const found = known && (await findBlob(push, uploader, id, known.blobs));
  if (known !== undefined && found?.blob !== undefined) {
    await note(push, id, known.diffId, found.blob);
    return { diffId: known.diffId, blob: found.blob };
  }
  const packed = await packLayer(push, layer);
  try {
    const { diffId, spooled } = packed;
    const blob = { mediaType: LAYER_TYPE, digest: spooled.digest, size: spooled.size };
    if (await uploader.has(blob.digest, signal)) {
      sink.progress(truncateID(id), "Layer already exists");
      await uploader.cancel(found?.begun ?? "", signal);
    } else {
      await send(push, uploader, id, blob, spooled, found?.begun);
    }
    await note(push, id, diffId, blob);
    return { diffId, blob };
  } finally {
    await packed.spooled.remove();
  }
}

/** Looks for a blob that need not be sent. @returns else an upload that has begun on the way */
async function findBlob(
  push: LayerPush,
  uploader: Uploader,
  id: string,
  blobs: readonly LayerBlob[],
): Promise<{ blob?: Descriptor; begun?: string }> {
  const { sink, repository, signal } = push;
  const here = placeOf(repository);
  for (const blob of blobs) {
    if (!(await uploader.has(blob.digest, signal))) continue;
    sink.progress(truncateID(id), "Layer already exists");
    return { blob };
  }
  const host = `${new URL(repository.base).host}/`;
  let begun = "";
  for (const blob of blobs) {
    const places = blob.from.filter((place) => place.startsWith(host) && place !== here);
    for (const place of places.slice(0, MAX_MOUNTS)) {
      const from = place.slice(host.length);
      const location = await uploader.mount(blob.digest, from, signal);
      if (location === undefined) {
        sink.progress(truncateID(id), `Mounted from ${from}`);
        return { blob };
      }
      if (location === "") continue;
      await uploader.cancel(begun, signal);
      begun = location;
    }
  }
  return { begun };
}

async function note({ store, repository }: LayerPush, id: string, diffId: string, blob: Descriptor): Promise<void> {
  try {
    await noteBlob(store.graph, id, { diffId, blob, repository: placeOf(repository), verified: true });
  } catch (cause) {
    // It costs another upload one day, nothing else.
    store.log.error("push.go:146", `Cannot note where the layer ${id} is: ${messageOf(cause)}`);
  }
}

/** Reads the layer out of its driver, hashes and compresses it. */
async function packLayer(push: LayerPush, layer: DocumentLayer): Promise<{ diffId: string; spooled: Spooled }> {
  const { store, sink, signal } = push;
  const { graph, host } = store;
  const { image } = layer;
  const archive = await openLayer(graph, image);
  const total = archive.known?.bytes;
  // What was recorded is checked as it is read.
  const hash = archive.known === undefined ? host.hash("sha256") : undefined;
  const start = Math.floor(host.clock.now() / 1000);
  async function* counted(): Reader & AsyncGenerator<Uint8Array> {
    let current = 0;
    for await (const chunk of archive.read()) {
      hash?.update(chunk);
      current += chunk.length;
      sink.update(truncateID(image.id), "Buffering to disk", {
        current,
        total: total ?? Math.max(current, image.size),
        start,
      });
      yield chunk;
    }
  }
  try {
    const spooled = await spool(graph, gzip(counted()), signal);
    return { diffId: archive.known?.diffId ?? `sha256:${hash?.hex()}`, spooled };
  } catch (cause) {
    signal.throwIfAborted();
    throw new SystemError(`Failed to generate layer archive: ${messageOf(cause)}`, { cause });
  }
}

async function send(
  push: LayerPush,
  uploader: Uploader,
  id: string,
  blob: Descriptor,
  spooled: Spooled,
  begun: string | undefined,
): Promise<void> {
  const { store, sink, signal } = push;
  const start = Math.floor(store.host.clock.now() / 1000);
  async function* counted(from: number, end: number): AsyncGenerator<Uint8Array> {
    let current = from;
    for await (const chunk of spooled.read(from, end)) {
      current += chunk.length;
      sink.update(truncateID(id), "Pushing", { current, total: blob.size, start });
      yield chunk;
    }
  }
  sink.progress(truncateID(id), "Pushing", { current: 0, total: blob.size });
  const onRetry = (cause: unknown) => store.log.info(`encountered error during push and retrying: ${messageOf(cause)}`);
  await uploader.upload({ descriptor: blob, read: counted, onRetry }, begun, signal);
  sink.progress(truncateID(id), "Pushed");
}
