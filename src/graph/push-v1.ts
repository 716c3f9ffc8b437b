/**
 * Pushes to a registry of version 1.
 *
 * @origin graph/push.go pushRepository, pushImage
 * @module
 */

import { join } from "node:path/posix";
import { messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { Session } from "../registry/session.ts";
import {
  lookupRemoteImage,
  type PushedImage,
  pushImageChecksumRegistry,
  pushImageJsonIndex,
  pushImageJsonRegistry,
  pushImageLayerRegistry,
  pushRegistryTag,
  type Shelf,
} from "../registry/session-push.ts";
import { ProgressReader } from "../utils/progress-reader.ts";
import { truncateID } from "../utils/utils.ts";
import type { ProgressSink } from "./progress-sink.ts";
import { type Spooled, spool } from "./spool.ts";
import type { TagStore } from "./tags.ts";

/** What all steps of one push share. */
export interface V1Push {
  readonly store: TagStore;
  readonly session: Session;
  readonly remoteName: string;
  readonly sink: ProgressSink;
  readonly signal: AbortSignal;
}

/** What is pushed, in which order, and which tags lead to each. @origin graph/push.go getImageList */
async function imageList(
  { store }: V1Push,
  tags: ReadonlyMap<string, string>,
): Promise<{ ids: string[]; tagsById: Map<string, string[]> }> {
  const seen = new Set<string>();
  const tagsById = new Map<string, string[]>();
  for (const [tag, id] of tags) {
    tagsById.set(id, [...(tagsById.get(id) ?? []), tag]);
    const images = await (await store.graph.get(id)).history();
    for (const image of images.reverse()) seen.add(image.id);
  }
  return { ids: [...seen], tagsById };
}

/**
 * Pushes tags and everything below them, parents first.
 *
 * @param tags - tag → id; at least one
 * @origin graph/push.go (*TagStore).pushRepository
 */
export async function pushRepositoryV1(
  push: V1Push,
  localName: string,
  tags: ReadonlyMap<string, string>,
): Promise<void> {
  const { store, session, remoteName, sink, signal } = push;
  const { ids, tagsById } = await imageList(push, tags);
  for (const id of ids) store.graph.hold(id);
  try {
    sink.status("", "Sending image list");
    const index = ids.flatMap((id): PushedImage[] => (tagsById.get(id) ?? [undefined]).map((tag) => ({ id, tag })));
    for (const { id, tag } of index) store.log.debug("push.go:101", `Pushing ID: ${id} with Tag: ${tag ?? ""}`);
    const { endpoints, tokens } = await pushImageJsonIndex(session, remoteName, index, { validate: false, signal });
    for (const endpoint of endpoints) {
      sink.status("", `Pushing repository ${localName} (${tags.size} tags)`);
      for (const id of ids) await pushTagged(push, id, tagsById.get(id) ?? [], { endpoint, tokens, signal });
    }
    await pushImageJsonIndex(session, remoteName, index, { validate: true, endpoints, signal });
  } finally {
    for (const id of ids) store.graph.release(id);
  }
}

async function pushTagged(push: V1Push, id: string, tags: readonly string[], shelf: Shelf): Promise<void> {
  const { session, remoteName, sink } = push;
  const short = truncateID(id);
  if (await lookupRemoteImage(session, id, shelf)) sink.status("", `Image ${short} already pushed, skipping`);
  else await pushImageV1(push, id, shelf.endpoint, shelf.tokens);
  for (const tag of tags) {
    const url = `${shelf.endpoint}repositories/${remoteName}/tags/${tag}`;
    sink.status("", `Pushing tag for rev [${short}] on {${url}}`);
    await pushRegistryTag(session, remoteName, tag, id, shelf);
  }
}

/**
 * Pushes one image, without those below it.
 *
 * @origin graph/push.go (*TagStore).pushImage
 */
export async function pushImageV1(
  push: V1Push,
  id: string,
  endpoint: string,
  tokens: readonly string[],
): Promise<void> {
  const { store, session, sink, signal } = push;
  const shelf: Shelf = { endpoint, tokens, signal };
  const short = truncateID(id);
  const json = await store.graph.fs.readFile(join(store.graph.imageRoot(id), "json")).catch((cause: unknown) => {
    throw new SystemError(`Cannot retrieve the path for {${id}}: ${messageOf(cause)}`, { cause });
  });
  sink.progress(short, "Pushing");
  if (!(await pushImageJsonRegistry(session, id, json, shelf))) {
    sink.progress(short, "Image already pushed, skipping");
    return;
  }
  const spooled = await bufferLayer(push, id);
  try {
    store.log.debug("push.go:168", `rendered layer for ${id} of [${spooled.size}] size`);
    const layer = new ProgressReader(spooled.read(), progressOf(push, id, "Pushing", spooled.size));
    const sums = await pushImageLayerRegistry(session, store.host, { id, json, layer }, shelf);
    await layer.close();
    await pushImageChecksumRegistry(session, id, sums, shelf);
  } finally {
    await spooled.remove();
  }
  sink.progress(short, "Image successfully pushed");
}

function progressOf({ store, sink }: V1Push, id: string, action: string, size: number) {
  const { clock } = store.host;
  const now = () => clock.now();
  return { size, output: sink, formatter: sink.formatter, newLine: false, id: truncateID(id), action, now };
}

async function bufferLayer(push: V1Push, id: string): Promise<Spooled> {
  const { store, signal } = push;
  try {
    const image = await store.graph.get(id);
    const progress = new ProgressReader(image.tarLayer(), progressOf(push, id, "Buffering to disk", 0));
    const spooled = await spool(store.graph, progress, signal);
    await progress.close();
    return spooled;
  } catch (cause) {
    signal.throwIfAborted();
    throw new SystemError(`Failed to generate layer archive: ${messageOf(cause)}`, { cause });
  }
}
