/**
 * One layer on its way to a registry of version 2.
 *
 * ```text
 * the repository has a blob of it            Layer already exists
 * another repository there has one           Mounted from <repository>
 * otherwise it is packed, sent, and noted    Buffering to disk, Pushing, Pushed
 *
 * A large layer is sent while it is packed: what it becomes is known too late to ask whether it is there.
 * ```
 *
 * @since Docker 1.10
 * @module
 */

import { messageOf } from "../errdefs/errdefs.ts";
import { LAYER_TYPE } from "../registry/v2/encode.ts";
import type { Descriptor } from "../registry/v2/manifest.ts";
import type { Repository } from "../registry/v2/repository.ts";
import { Uploader } from "../registry/v2/upload.ts";
import { truncateID } from "../utils/utils.ts";
import type { DocumentLayer } from "./image-document.ts";
import { type LayerArchive, openLayer } from "./layer-archive.ts";
import { type LayerBlob, noteBlob, placeOf, readLayerRecord } from "./layer-blobs.ts";
import { PackedLayer } from "./packed-layer.ts";
import type { ProgressSink } from "./progress-sink.ts";
import type { TagStore } from "./tags.ts";

/** More repositories than these are not asked for a blob. */
const MAX_MOUNTS = 3;
/** A layer that is longer than this, compressed, is sent before it is whole. */
const OVERLAP_BYTES = 4 << 20;

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
  const packing = new Packing(push, id, await openLayer(graph, layer.image));
  const packed = await PackedLayer.start(graph, packing.source(layer.image.size), signal);
  try {
    await packed.reaches(OVERLAP_BYTES);
    if (packed.size === undefined) packing.label = "Pushing";
    if (packed.size !== undefined && (await uploader.has((await packed.result()).digest, signal))) {
      sink.progress(truncateID(id), "Layer already exists");
      await uploader.cancel(found?.begun ?? "", signal);
    } else {
      await send(push, uploader, id, packed, found?.begun);
    }
    const { diffId, digest, size } = await packed.result();
    const blob = { mediaType: LAYER_TYPE, digest, size };
    await note(push, id, diffId, blob);
    return { diffId, blob };
  } finally {
    await packed.remove();
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

/** A layer that is read out of its driver. */
class Packing {
  readonly #push: LayerPush;
  readonly #id: string;
  readonly #archive: LayerArchive;
  /** What is said of it meanwhile. */
  label = "Buffering to disk";

  constructor(push: LayerPush, id: string, archive: LayerArchive) {
    this.#push = push;
    this.#id = truncateID(id);
    this.#archive = archive;
  }

  /** @param size - how long it may be, where nobody knows */
  async *source(size: number): AsyncGenerator<Uint8Array> {
    const { store, sink } = this.#push;
    const start = Math.floor(store.host.clock.now() / 1000);
    let current = 0;
    for await (const chunk of this.#archive.read()) {
      current += chunk.length;
      const total = this.#archive.known?.bytes ?? Math.max(current, size);
      sink.update(this.#id, this.label, { current, total, start });
      yield chunk;
    }
  }
}

/** Sends a layer, also while it is being packed. */
async function send(
  push: LayerPush,
  uploader: Uploader,
  id: string,
  packed: PackedLayer,
  begun: string | undefined,
): Promise<void> {
  const { store, sink, signal } = push;
  const start = Math.floor(store.host.clock.now() / 1000);
  async function* read(from: number, end?: number): AsyncGenerator<Uint8Array> {
    let current = from;
    for await (const chunk of packed.read(from, end)) {
      current += chunk.length;
      // Before that, how far the packing has come says more.
      const total = packed.size;
      if (total !== undefined) sink.update(truncateID(id), "Pushing", { current, total, start });
      yield chunk;
    }
  }
  const descriptor = async () => ({ mediaType: LAYER_TYPE, ...(await packed.result()) });
  sink.progress(truncateID(id), "Pushing", { current: 0, total: packed.size ?? 0 });
  const onRetry = (cause: unknown) => store.log.info(`encountered error during push and retrying: ${messageOf(cause)}`);
  const source = {
    get size() {
      return packed.size;
    },
    descriptor,
    read,
    onRetry,
  };
  await uploader.upload(source, begun, signal);
  sink.progress(truncateID(id), "Pushed");
}
