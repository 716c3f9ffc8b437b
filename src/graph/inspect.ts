/**
 * The jobs that describe one image.
 *
 * @origin graph/service.go CmdGet, CmdLookup
 * @module
 */

import { Env } from "../engine/env.ts";
import type { Job } from "../engine/job.ts";
import { BadRequestError, EngineError, isErrno, NoSuchError } from "../errdefs/errdefs.ts";
import type { Image } from "../image/image.ts";
import { goJson } from "../utils/go-json.ts";
import { isToday } from "./api-version.ts";
import type { Graph } from "./graph.ts";
import { openLayer } from "./layer-archive.ts";
import type { TagStore } from "./tags.ts";

/** The few fields other parts of the engine ask for. @origin graph/service.go (*TagStore).CmdGet */
export async function cmdImageGet(store: TagStore, job: Job): Promise<void> {
  if (job.args.length !== 1) throw new BadRequestError(`usage: ${job.name} NAME`);
  const image = await store.lookupImage(job.args[0] as string);
  const out = new Env();
  out.setJson("Created", image.created);
  out.set("Author", image.author);
  out.set("Os", image.os);
  out.set("Architecture", image.architecture);
  out.set("DockerVersion", image.dockerVersion);
  out.set("Id", image.id);
  out.set("Parent", image.parent);
  await out.writeTo(job.stdout);
}

/** Everything; environment `raw`: the stored bytes. @origin graph/service.go (*TagStore).CmdLookup */
export async function cmdImageInspect(store: TagStore, job: Job): Promise<void> {
  if (job.args.length !== 1) throw new BadRequestError(`usage: ${job.name} NAME`);
  const image = await lookup(store, job.args[0] as string);
  if (job.getenvBool("raw")) {
    await job.stdout.write(await image.rawJson());
    return;
  }
  if (isToday(job)) {
    await job.stdout.write(`${goJson(await inspectToday(store, image))}\n`);
    return;
  }
  const out = new Env();
  out.set("Id", image.id);
  out.set("Parent", image.parent);
  out.set("Comment", image.comment);
  out.setJson("Created", image.created);
  out.set("Container", image.container);
  out.setJson("ContainerConfig", withoutLaterKeys(image.containerConfig));
  out.set("DockerVersion", image.dockerVersion);
  out.set("Author", image.author);
  out.setJson("Config", image.config === undefined ? null : withoutLaterKeys(image.config));
  out.set("Architecture", image.architecture);
  out.set("Os", image.os);
  out.setInt("Size", image.size);
  await out.writeTo(job.stdout);
}

function withoutLaterKeys<T extends object>(config: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(config).filter(([key]) => key !== "Labels" && key !== "StopSignal"),
  ) as Partial<T>;
}

/** @since Docker 1.10 */
async function inspectToday(store: TagStore, image: Image): Promise<Record<string, unknown>> {
  const { graph } = store;
  const text = await graph.readExtra(image.id, "config.json");
  const document =
    text === undefined
      ? undefined
      : (JSON.parse(text.toString()) as { config?: unknown; rootfs?: { diff_ids?: unknown } });
  const size = (await image.getParentsSize()) + image.size;
  // What later versions added to the configuration (health checks, shells) is handed on as it came.
  const added = document?.config;
  const config = { ...image.config, ...(typeof added === "object" ? added : {}), ...image.config };
  return {
    Id: image.id,
    RepoTags: store.byId().get(image.id) ?? [],
    RepoDigests: store.repoDigests(image.id),
    Parent: document === undefined ? image.parent : "",
    Comment: image.comment,
    Created: image.created,
    Container: image.container,
    ContainerConfig: image.containerConfig,
    DockerVersion: image.dockerVersion,
    Author: image.author,
    Config: config,
    Architecture: image.architecture,
    Os: image.os,
    Size: size,
    VirtualSize: size,
    GraphDriver: { Data: null, Name: graph.driver.name },
    RootFS: { Type: "layers", Layers: document?.rootfs?.diff_ids ?? (await diffIds(graph, image)) },
    Metadata: { LastTagTime: "0001-01-01T00:00:00Z" },
  };
}

async function lookup(store: TagStore, name: string): Promise<Image> {
  try {
    return await store.lookupImage(name);
  } catch (cause) {
    if (!(cause instanceof EngineError) && !isErrno(cause)) throw cause;
    throw new NoSuchError("image", name, { cause });
  }
}

/** The digests of all layers, lowest first; `null` when one is not known. */
async function diffIds(graph: Graph, image: Image): Promise<string[] | null> {
  const known = await Promise.all(
    (await image.history()).map(async (one) => (await openLayer(graph, one)).known?.diffId),
  );
  return known.every((digest) => digest !== undefined) ? known.reverse() : null;
}

/** The archive of an image's layer. @origin graph/service.go (*TagStore).CmdTarLayer */
export async function cmdTarLayer(store: TagStore, job: Job): Promise<void> {
  if (job.args.length !== 1) throw new BadRequestError(`usage: ${job.name} NAME`);
  const image = await lookup(store, job.args[0] as string);
  let bytes = 0;
  for await (const chunk of image.tarLayer()) {
    await job.stdout.write(chunk);
    bytes += chunk.length;
  }
  store.log.debug("service.go:171", `rendered layer for ${image.id} of [${bytes}] size`);
}
