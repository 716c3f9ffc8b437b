/**
 * Pulls from a registry of version 1.
 *
 * @origin graph/pull.go pullRepository, pullImage
 * @article 004/e
 * @module
 */

import { EngineError, messageOf, NotFoundError, SystemError } from "../errdefs/errdefs.ts";
import { type Image, newImgJSON } from "../image/image.ts";
import type { Session } from "../registry/session.ts";
import { TransportError } from "../registry/transport-error.ts";
import { ProgressReader } from "../utils/progress-reader.ts";
import { truncateID } from "../utils/utils.ts";
import { PoolBusyError } from "./pool-busy-error.ts";
import type { ProgressSink } from "./progress-sink.ts";
import { raceAbort } from "./shared-work.ts";
import type { StagedImage } from "./staged.ts";
import type { TagStore } from "./tags.ts";
import type { LayerTransfer } from "./transfers.ts";

const TRIES = 5;
const PAUSE_MS = 500;
/** Minutes of silence that one layer may cost. */
const MAX_SILENCES = 2;

/** What all steps of one pull share. */
export interface V1Pull {
  readonly store: TagStore;
  readonly session: Session;
  readonly localName: string;
  readonly remoteName: string;
  /** `""`: all tags. */
  readonly askedTag: string;
  readonly sink: ProgressSink;
  /** Several images at once. */
  readonly parallel: boolean;
  readonly signal: AbortSignal;
}

/** @origin graph/pull.go (*TagStore).pullRepository */
export async function pullRepositoryV1(pull: V1Pull): Promise<void> {
  const { store, session, localName, remoteName, askedTag, sink, signal } = pull;
  sink.status("", `Pulling repository ${localName}`);
  const data = await session.getRepositoryData(remoteName, signal).catch((cause: unknown) => {
    if (!(cause instanceof NotFoundError)) throw cause;
    throw new NotFoundError(`Error: image ${remoteName} not found`, { cause });
  });
  store.log.debug("pull.go:89", "Retrieving the tag list");
  const tags = await session.getRemoteTags(data.endpoints, remoteName, data.tokens, signal).catch((cause: unknown) => {
    store.log.error("pull.go:92", messageOf(cause));
    throw cause;
  });
  store.log.debug("pull.go:104", "Registering tags");
  if (askedTag !== "" && !tags.has(askedTag)) {
    throw new SystemError(`Tag ${askedTag} not found in repository ${localName}`);
  }
  // One line for each image: of several tags the last one names it.
  const images = new Map<string, string>();
  for (const [tag, id] of tags) if (askedTag === "" || tag === askedTag) images.set(id, tag);
  for (const id of data.imgList.keys()) {
    if (!images.has(id)) store.log.debug("pull.go:139", `Image (id: ${id}) does not match ${askedTag}, skipping`);
  }
  const failures: unknown[] = [];
  const download = async ([id, tag]: [string, string]) => {
    try {
      await downloadImage(pull, data.endpoints, data.tokens, id, tag);
    } catch (cause) {
      signal.throwIfAborted();
      failures.push(cause);
    }
  };
  if (pull.parallel) await Promise.all([...images].map(download));
  else for (const image of images) await download(image);
  signal.throwIfAborted();
  if (pull.parallel && failures.length > 0) throw failures.at(-1);
  for (const [tag, id] of tags) {
    if (askedTag === "" || tag === askedTag) await store.set(localName, tag, id);
  }
}

/** One image, from the first endpoint that has it. */
async function downloadImage(
  pull: V1Pull,
  endpoints: readonly string[],
  tokens: readonly string[],
  id: string,
  tag: string,
): Promise<void> {
  const { store, localName, sink, parallel, signal } = pull;
  const short = truncateID(id);
  const work = async () => {
    sink.progress(short, `Pulling image (${tag}) from ${localName}`);
    let last: unknown;
    for (const endpoint of endpoints) {
      sink.progress(short, `Pulling image (${tag}) from ${localName}, endpoint: ${endpoint}`);
      try {
        await pullImage(pull, endpoint, tokens, id);
        sink.progress(short, "Download complete");
        return;
      } catch (cause) {
        signal.throwIfAborted();
        if (!(cause instanceof EngineError)) store.log.error("pull.go:172", messageOf(cause));
        last = cause;
        sink.progress(
          short,
          `Error pulling image (${tag}) from ${localName}, endpoint: ${endpoint}, ${messageOf(cause)}`,
        );
      }
    }
    const text = `Error pulling image (${tag}) from ${localName}, ${messageOf(last)}`;
    sink.progress(short, text);
    if (!parallel) sink.progress(short, "Download complete");
    throw new SystemError(text, { cause: last });
  };
  try {
    await store.poolAdd("pull", `img:${id}`, work).join(signal);
  } catch (cause) {
    if (!(cause instanceof PoolBusyError)) throw cause;
    sink.progress(short, "Layer already being pulled by another client. Waiting.");
    await raceAbort(cause.shared.ended(), signal);
    // The other client may have gone, or have had no luck where it asked.
    if (!store.graph.has(id)) return downloadImage(pull, endpoints, tokens, id, tag);
    sink.progress(short, "Download complete");
  }
}

/**
 * An image and everything below it that is missing, oldest first.
 *
 * @origin graph/pull.go (*TagStore).pullImage
 * @deviation Nothing is visible before all of it is here; 1.2.0 leaves the layers of a pull that failed.
 */
async function pullImage(pull: V1Pull, endpoint: string, tokens: readonly string[], id: string): Promise<void> {
  const { store, session, sink, signal } = pull;
  const history = await session.getRemoteHistory(id, endpoint, tokens, signal);
  sink.progress(truncateID(id), "Pulling dependent layers");
  const leaving: (() => Promise<void> | void)[] = [];
  const entered: LayerTransfer[] = [];
  try {
    let parent = "";
    for (const layer of history.reverse()) {
      const expectedParent = parent;
      const key = `layer:${layer}`;
      await store.layers.settled(key);
      if (store.graph.has(layer) && (await store.graph.exists(layer))) {
        store.graph.hold(layer);
        leaving.push(() => store.graph.release(layer));
      } else {
        const { transfer, leave } = store.layers.enter(key, () =>
          newLayer(pull, endpoint, tokens, layer, expectedParent),
        );
        leaving.push(leave);
        entered.push(transfer);
        await transfer.work.join(signal);
      }
      sink.progress(truncateID(layer), "Download complete");
      parent = layer;
    }
    await store.graph.commit(await Promise.all(entered.map((transfer) => transfer.work.result())));
  } finally {
    for (const end of leaving.reverse().map((leave) => leave())) await end;
  }
}

function newLayer(pull: V1Pull, endpoint: string, tokens: readonly string[], id: string, parent: string) {
  let description: { image: Image; json: Buffer; size: number } | undefined;
  return {
    id,
    prepare: async (signal: AbortSignal): Promise<StagedImage> => {
      description = await getDescription(pull, endpoint, tokens, id, signal);
      const { image, json } = description;
      if (image.id !== id || image.parent !== parent) {
        throw new SystemError(
          `Cannot use the description of ${id}: it says it is ${JSON.stringify(image.id)} on top of ${JSON.stringify(image.parent)}`,
        );
      }
      return pull.store.graph.prepare(image, json);
    },
    fetch: async (first: StagedImage, signal: AbortSignal) => {
      if (description !== undefined) await fillLayer(pull, endpoint, tokens, first, description.size, signal);
      return {};
    },
  };
}

/** Waits between two tries, unless it was the last. @throws the failure of the last one */
async function pause(pull: V1Pull, tries: number, signal: AbortSignal): Promise<void> {
  await pull.store.host.clock.sleep(tries * PAUSE_MS, signal);
}

async function getDescription(
  pull: V1Pull,
  endpoint: string,
  tokens: readonly string[],
  id: string,
  signal: AbortSignal,
): Promise<{ image: Image; json: Buffer; size: number }> {
  pull.sink.progress(truncateID(id), "Pulling metadata");
  for (let tries = 1; ; tries++) {
    try {
      const found = await pull.session.getRemoteImageJson(id, endpoint, tokens, signal);
      try {
        return { ...found, image: newImgJSON(found.json) };
      } catch (cause) {
        throw new SystemError(`Failed to parse json: ${messageOf(cause)}`, { cause });
      }
    } catch (cause) {
      signal.throwIfAborted();
      if (tries >= TRIES) {
        pull.sink.progress(truncateID(id), "Error pulling dependent layers");
        throw cause;
      }
      await pause(pull, tries, signal);
    }
  }
}

async function fillLayer(
  pull: V1Pull,
  endpoint: string,
  tokens: readonly string[],
  staged: StagedImage,
  size: number,
  signal: AbortSignal,
): Promise<void> {
  const { store, session, sink } = pull;
  const { image } = staged;
  const short = truncateID(image.id);
  const isSilence = (cause: unknown) => cause instanceof TransportError && cause.timeout;
  for (let tries = 1; ; tries++) {
    sink.progress(short, tries === 1 ? "Pulling fs layer" : `Pulling fs layer [retries: ${tries}]`);
    let step = "pulling";
    try {
      const layer = await session.getRemoteImageLayer(image.id, endpoint, tokens, size, signal);
      step = "downloading";
      const { now } = store.host.clock;
      const terms = { size, output: sink, formatter: sink.formatter, newLine: false, id: short, action: "Downloading" };
      await staged.apply(new ProgressReader(layer, { ...terms, now: () => now.call(store.host.clock) }), signal);
      image.size = await store.graph.driver.diffSize(image.id, image.parent || undefined);
      return;
    } catch (cause) {
      signal.throwIfAborted();
      if (!isSilence(cause) || tries >= MAX_SILENCES) {
        sink.progress(short, `Error ${step} dependent layers`);
        throw cause;
      }
      await pause(pull, tries, signal);
      // What came before the silence is unpacked already: the next try begins with an empty layer.
      await store.graph.driver.remove(image.id);
      await store.graph.driver.create(image.id, image.parent || undefined);
    }
  }
}
