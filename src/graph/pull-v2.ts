/**
 * Pulls from a registry of version 2.
 *
 * Every layer becomes an image of the graph: the top one has the digits of the configuration's digest as its id, the
 * others those of their chain id, which names the stack of layers up to there. All layers are fetched at once where the
 * driver allows it, each byte once: what comes from the registry is hashed, inflated and unpacked in one pass. Nothing is
 * visible before everything is complete and verified.
 *
 * @since Docker 1.10
 * @module
 */

import { EngineError, messageOf, SystemError } from "../errdefs/errdefs.ts";
import { newImgJSON } from "../image/image.ts";
import { indexServerAddress, type ResolvedName } from "../registry/names.ts";
import { chainIds, parseConfig } from "../registry/v2/config.ts";
import { DIGEST, digestHex } from "../registry/v2/digest.ts";
import type { Descriptor, Platform } from "../registry/v2/manifest.ts";
import type { Repository } from "../registry/v2/repository.ts";
import { truncateID } from "../utils/utils.ts";
import { BLOBS_FILE, encodeLayerRecord, encodeManifestFile, MANIFEST_FILE, noteBlob, placeOf } from "./layer-blobs.ts";
import { DEFAULT_TAG } from "./pool-busy-error.ts";
import type { ProgressSink } from "./progress-sink.ts";
import type { ExtraFiles } from "./staged.ts";
import type { TagStore } from "./tags.ts";
import type { FetchedLayer, LayerTransfer } from "./transfers.ts";
import { layerDescriptions, topDescription } from "./v2-images.ts";

/** What is pulled. */
export interface PullTarget {
  /** As the user knows it. */
  readonly localName: string;
  readonly resolved: ResolvedName;
  /** Tag or digest. */
  readonly reference: string;
  readonly platform: Platform;
}

/** `busybox:latest`, `localhost:5000/app@sha256:…` */
function labelOf(target: PullTarget): string {
  return `${target.localName}${DIGEST.test(target.reference) ? "@" : ":"}${target.reference}`;
}

/** The repository as the registry knows it. */
export function remotePath({ hostname, remoteName }: ResolvedName): string {
  return hostname === indexServerAddress() && !remoteName.includes("/") ? `library/${remoteName}` : remoteName;
}

/**
 * Pulls one image and names it.
 *
 * @throws {NotFoundError} when the registry does not have it, before anything is written to `sink`; other
 *   {EngineError}s when it cannot be fetched or verified: nothing of it is left then
 */
export async function pullV2(
  store: TagStore,
  repository: Repository,
  target: PullTarget,
  sink: ProgressSink,
  signal: AbortSignal,
): Promise<void> {
  const label = labelOf(target);
  const { digest, manifest, document: stored } = await repository.manifest(target.reference, target.platform, signal);
  sink.status(target.reference, `Pulling from ${remotePath(target.resolved)}`);
  const id = digestHex(manifest.config.digest);
  if (!(await store.graph.chains.isVerified(id))) {
    if (await store.graph.exists(id)) {
      throw new SystemError(
        `Cannot pull ${label}: image ${truncateID(id)} exists already, from a source that is not verified`,
      );
    }
    const document = await repository.document(manifest.config, `the configuration of ${label}`, signal);
    await fetchOrRetry(store, repository, target, { id, document, layers: manifest.layers, stored }, sink, signal);
  }
  signal.throwIfAborted();
  const fresh = await name(store, target, digest, id);
  sink.status("", `Digest: ${digest}`);
  sink.status("", `Status: ${fresh ? "Downloaded newer image for" : "Image is up to date for"} ${label}`);
}

/** @returns whether the name led somewhere else before */
async function name(store: TagStore, target: PullTarget, digest: string, id: string): Promise<boolean> {
  const { localName, reference } = target;
  const known = store.repoDigests(id).includes(`${localName}@${digest}`);
  await store.setDigest(localName, digest, id);
  if (DIGEST.test(reference)) return !known;
  if (store.get(localName)?.get(reference === "" ? DEFAULT_TAG : reference) === id) return false;
  await store.set(localName, reference, id);
  return true;
}

interface WantedImage {
  readonly id: string;
  readonly document: Buffer;
  readonly layers: readonly Descriptor[];
  /** The manifest, byte for byte. */
  readonly stored: { readonly bytes: Buffer; readonly type: string };
}

/** How often a layer that another pull failed to get is tried again. */
const RETRIES = 3;

/** Fetches an image. A layer that another pull was fetching and could not get is fetched by this one then. */
async function fetchOrRetry(...args: Parameters<typeof fetchImage>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await fetchImage(...args);
      return;
    } catch (cause) {
      if (!(cause instanceof OthersFailure)) throw cause;
      if (tries >= RETRIES) throw cause.cause;
    }
  }
}

/** A layer failed that another pull was fetching, with its own address and password. */
class OthersFailure extends Error {}

/** Fetches what is missing of an image and makes it visible. */
async function fetchImage(
  store: TagStore,
  repository: Repository,
  target: PullTarget,
  wanted: WantedImage,
  sink: ProgressSink,
  signal: AbortSignal,
): Promise<void> {
  const { graph, layers: transfers } = store;
  const label = labelOf(target);
  const config = parseConfig(wanted.document, wanted.layers.length, target.platform, label);
  const chains = chainIds(config.diffIds, graph.host.hash);
  const descriptions = layerDescriptions(config, chains);
  await graph.chains.load();
  const topKey = `image:${wanted.id}`;
  for (const key of [...chains, topKey]) await transfers.settled(key);

  // From here to the end of the loop nothing waits: what is found stays until it is held.
  const leaving: (() => Promise<void> | void)[] = [];
  const entered: { chain: string | undefined; transfer: LayerTransfer; fresh: boolean }[] = [];
  let below = "";
  const seenAgain: { id: string; diffId: string; blob: Descriptor }[] = [];
  const layers = wanted.layers.map((descriptor, i) => ({
    descriptor,
    shortId: truncateID(digestHex(descriptor.digest)),
    chain: chains[i] as string,
    diffId: config.diffIds[i] as string,
    isTop: i === chains.length - 1,
    description: descriptions[i] as (id: string, parent: string) => Buffer,
  }));
  try {
    for (const layer of layers) {
      const present = graph.chains.find(layer.chain);
      if (present !== undefined) {
        graph.hold(present);
        leaving.push(() => graph.release(present));
        sink.progress(layer.shortId, "Already exists");
        seenAgain.push({ id: present, diffId: layer.diffId, blob: layer.descriptor });
        below = present;
        continue;
      }
      const parent = below;
      const parentTransfer = entered.at(-1)?.transfer;
      const id = layer.isTop ? wanted.id : digestHex(layer.chain);
      const image = layer.isTop ? topDescription(config, id, parent) : layer.description(id, parent);
      const { transfer, fresh, leave } = transfers.enter(layer.chain, () => ({
        id,
        prepare: async () => {
          if (graph.driver.independentLayers) await parentTransfer?.prepared;
          else await parentTransfer?.work.result();
          return graph.prepare(newImgJSON(image), image);
        },
        fetch: async (staged, stop) => {
          const source = { descriptor: layer.descriptor, diffId: layer.diffId, shortId: layer.shortId };
          staged.image.size = await fetchLayer(store, repository, source, staged, sink, stop);
          const blob = { ...layer.descriptor, from: [placeOf(repository)] };
          return {
            ...extraFiles(layer.chain, layer.isTop ? wanted : undefined),
            [BLOBS_FILE]: encodeLayerRecord({ diffId: layer.diffId, blobs: [blob] }),
          };
        },
      }));
      leaving.push(leave);
      entered.push({ chain: layer.chain, transfer, fresh });
      below = transfer.id;
      if (fresh) sink.progress(layer.shortId, "Pulling fs layer");
      else sink.progress(layer.shortId, "Layer already being pulled by another client. Waiting.");
    }
    if (below !== wanted.id && !graph.has(wanted.id)) {
      // Another image stands for these layers already: this one differs from it in its configuration only.
      const document = topDescription(config, wanted.id, below);
      const last = entered.at(-1)?.transfer;
      const { transfer, fresh, leave } = transfers.enter(topKey, () => ({
        id: wanted.id,
        prepare: async () => {
          await last?.work.result();
          return graph.prepare(newImgJSON(document), document);
        },
        fetch: async (staged) => {
          staged.image.size = 0;
          return extraFiles(chains.at(-1), wanted);
        },
      }));
      leaving.push(leave);
      entered.push({ chain: undefined, transfer, fresh });
    }
    const batch = await waitForAll(
      entered.map(async ({ transfer, fresh }) => {
        try {
          return await transfer.work.join(signal);
        } catch (cause) {
          if (fresh || signal.aborted) throw cause;
          throw new OthersFailure("", { cause });
        }
      }),
    );
    signal.throwIfAborted();
    await graph.commit(batch);
    for (const noted of seenAgain) await noteAgain(store, repository, noted);
    for (const { chain, transfer } of entered) if (chain !== undefined) graph.chains.add(chain, transfer.id);
    for (const { shortId, chain } of layers) {
      if (entered.some((entry) => entry.chain === chain)) sink.progress(shortId, "Pull complete");
    }
  } finally {
    // All are told to stop before any is waited for; children before their parents.
    for (const end of leaving.reverse().map((leave) => leave())) await end;
  }
}

/** @param top - the image whose topmost layer it is */
function extraFiles(chain: string | undefined, top: WantedImage | undefined): ExtraFiles {
  return {
    ...(chain === undefined ? {} : { chainid: chain }),
    ...(top === undefined ? {} : { "config.json": top.document, [MANIFEST_FILE]: encodeManifestFile(top.stored) }),
  };
}

/** Another repository says that it has a layer: worth a question at the next push. */
async function noteAgain(
  store: TagStore,
  repository: Repository,
  { id, diffId, blob }: { id: string; diffId: string; blob: Descriptor },
): Promise<void> {
  try {
    await noteBlob(store.graph, id, { diffId, blob, repository: placeOf(repository), verified: false });
  } catch (cause) {
    store.log.error("pull.go:240", `Cannot note where the layer ${id} is: ${messageOf(cause)}`);
  }
}

/** The first failure ends the waiting; the others are not lost, their owners are told by leaving. */
async function waitForAll<T>(work: readonly Promise<T>[]): Promise<T[]> {
  for (const promise of work) promise.catch(() => undefined);
  return Promise.all(work);
}

/** Downloads and unpacks one layer. @returns its size unpacked, in bytes */
async function fetchLayer(
  store: TagStore,
  repository: Repository,
  source: { descriptor: Descriptor; diffId: string; shortId: string },
  staged: FetchedLayer["staged"],
  sink: ProgressSink,
  signal: AbortSignal,
): Promise<number> {
  const { descriptor, diffId, shortId } = source;
  const start = Math.floor(store.host.clock.now() / 1000);
  const blob = repository.blob(
    descriptor,
    {
      onRetry: (cause) =>
        store.log.info(`encountered error during pull and clearing it before resume: ${String(cause)}`),
    },
    signal,
  );
  async function* counted(): AsyncGenerator<Uint8Array> {
    let current = 0;
    for await (const chunk of blob) {
      current += chunk.length;
      sink.update(shortId, "Downloading", { current, total: descriptor.size, start });
      yield chunk;
    }
    sink.progress(shortId, "Verifying Checksum");
    sink.progress(shortId, "Download complete");
    sink.progress(shortId, "Extracting", { current, total: descriptor.size });
  }
  const result = await staged.apply(counted(), signal);
  if (result.received !== descriptor.size || result.digest !== descriptor.digest) {
    throw new LayerError(`filesystem layer verification failed for digest ${descriptor.digest}: got ${result.digest}`);
  }
  if (result.diffId !== diffId) {
    throw new LayerError(
      `filesystem layer verification failed for digest ${descriptor.digest}: unpacked it has the digest ${result.diffId}, its configuration says ${diffId}`,
    );
  }
  return result.size;
}

/** What came is not what was announced. */
class LayerError extends EngineError {
  readonly statusCode = 500;
}
