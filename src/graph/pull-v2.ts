/**
 * Pulls from a registry of version 2.
 *
 * All layers are fetched at once where the driver allows it, each byte once: what comes from the registry is hashed,
 * inflated and unpacked in one pass. How they become images is in `assemble.ts`.
 *
 * @since Docker 1.10
 * @module
 */

import { EngineError, isErrno, messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { UnpackResult } from "../host/pool.ts";
import { indexServerAddress, type ResolvedName } from "../registry/names.ts";
import { TransportError } from "../registry/transport-error.ts";
import { parseConfig } from "../registry/v2/config.ts";
import { DIGEST, digestHex } from "../registry/v2/digest.ts";
import type { Descriptor, Platform } from "../registry/v2/manifest.ts";
import type { Repository } from "../registry/v2/repository.ts";
import { truncateID } from "../utils/utils.ts";
import { type LayerSource, planImage } from "./assemble.ts";
import { BLOBS_FILE, encodeLayerRecord, encodeManifestFile, MANIFEST_FILE, noteBlob, placeOf } from "./layer-blobs.ts";
import { DEFAULT_TAG } from "./pool-busy-error.ts";
import type { ProgressSink } from "./progress-sink.ts";
import { type LayerStep, stackLayers } from "./stack.ts";
import type { StagedImage } from "./staged.ts";
import type { TagStore } from "./tags.ts";

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
  const known = await knownBy(store, target, digest, stored.bytes);
  const id = known ?? digestHex(manifest.config.digest);
  if (known === undefined && !(await store.graph.chains.isVerified(id))) {
    if (await store.graph.exists(id)) {
      throw new SystemError(
        `Cannot pull ${label}: image ${truncateID(id)} exists already, from a source that is not verified`,
      );
    }
    const document = await repository.document(manifest.config, `the configuration of ${label}`, signal);
    await fetchImage(store, repository, target, { id, document, layers: manifest.layers, stored }, sink, signal);
  }
  signal.throwIfAborted();
  const fresh = await name(store, target, digest, id);
  sink.status("", `Digest: ${digest}`);
  sink.status("", `Status: ${fresh ? "Downloaded newer image for" : "Image is up to date for"} ${label}`);
}

/**
 * The image that has this very manifest here, because it was pulled by it, or pushed. The digest of a list names more than
 * one image.
 */
async function knownBy(
  store: TagStore,
  target: PullTarget,
  digest: string,
  manifest: Uint8Array,
): Promise<string | undefined> {
  const { graph } = store;
  if (`sha256:${graph.host.hash("sha256").update(manifest).hex()}` !== digest) return undefined;
  const image = await store.lookupImage(`${target.localName}@${digest}`).catch(() => undefined);
  return image !== undefined && (await graph.map()).has(image.id) ? image.id : undefined;
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

/** What is said of a layer while the image is put together. */
const STEPS: Readonly<Record<LayerStep, string>> = {
  present: "Already exists",
  begun: "Pulling fs layer",
  shared: "Layer already being pulled by another client. Waiting.",
  done: "Pull complete",
};

/** Fetches what is missing of an image and makes it visible. */
async function fetchImage(
  store: TagStore,
  repository: Repository,
  target: PullTarget,
  wanted: WantedImage,
  sink: ProgressSink,
  signal: AbortSignal,
): Promise<void> {
  const { id, document } = wanted;
  const config = parseConfig(document, wanted.layers.length, target.platform, labelOf(target));
  const seenAgain: { id: string; diffId: string; blob: Descriptor }[] = [];
  const layers = wanted.layers.map((descriptor): LayerSource => {
    const shortId = truncateID(digestHex(descriptor.digest));
    return {
      fill: async (staged, diffId, stop) => {
        const size = await fetchLayer(store, repository, { descriptor, diffId, shortId }, staged, sink, stop);
        const blob = { ...descriptor, from: [placeOf(repository)] };
        return { size, extra: { [BLOBS_FILE]: encodeLayerRecord({ diffId, blobs: [blob] }) } };
      },
      onStep: (step, image, diffId) => {
        if (step === "present") seenAgain.push({ id: image, diffId, blob: descriptor });
        sink.progress(shortId, STEPS[step]);
      },
    };
  });
  const extra = { [MANIFEST_FILE]: encodeManifestFile(wanted.stored) };
  const stack = async () => stackLayers(store, await planImage(store, { id, document, config, layers, extra }), signal);
  await stack().catch((cause: unknown) => {
    if (!(cause instanceof ResumedError) || signal.aborted) throw cause;
    store.log.info(`${cause.message}: it is fetched again from its beginning`);
    return stack();
  });
  for (const noted of seenAgain) await noteAgain(store, repository, noted);
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

/** Downloads and unpacks one layer. @returns its size unpacked, in bytes */
async function fetchLayer(
  store: TagStore,
  repository: Repository,
  source: { descriptor: Descriptor; diffId: string; shortId: string },
  staged: StagedImage,
  sink: ProgressSink,
  signal: AbortSignal,
): Promise<number> {
  const { descriptor, shortId } = source;
  const start = Math.floor(store.host.clock.now() / 1000);
  let resumed = false;
  const onRetry = (cause: unknown, got: number) => {
    resumed ||= got > 0;
    store.log.info(`encountered error during pull and clearing it before resume: ${String(cause)}`);
  };
  const blob = repository.blob(descriptor, { onRetry }, signal);
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
  try {
    const result = await staged.apply(counted(), signal);
    checkLayer(result, source);
    return result.size;
  } catch (cause) {
    // What came behind the break may not belong to what came before.
    if (!resumed || signal.aborted || cause instanceof TransportError || isErrno(cause, "ENOSPC", "EDQUOT"))
      throw cause;
    throw new ResumedError(messageOf(cause), { cause });
  }
}

function checkLayer(result: UnpackResult, { descriptor, diffId }: { descriptor: Descriptor; diffId: string }): void {
  if (result.received !== descriptor.size || result.digest !== descriptor.digest) {
    throw new LayerError(`filesystem layer verification failed for digest ${descriptor.digest}: got ${result.digest}`);
  }
  if (result.diffId !== diffId) {
    throw new LayerError(
      `filesystem layer verification failed for digest ${descriptor.digest}: unpacked it has the digest ${result.diffId}, its configuration says ${diffId}`,
    );
  }
}

/** What came is not what was announced. */
class LayerError extends EngineError {
  readonly statusCode = 500;
}

/** What came in two parts is not what was announced. */
class ResumedError extends LayerError {}
