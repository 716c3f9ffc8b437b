/**
 * The job `image_delete`: names go first, then images nobody needs, then their ancestors.
 *
 * @origin daemon/image_delete.go
 * @module
 */

import type { Engine } from "../engine/engine.ts";
import { Env } from "../engine/env.ts";
import type { Job } from "../engine/job.ts";
import { Table } from "../engine/table.ts";
import { BadRequestError, ConflictError, EngineError, NoSuchError } from "../errdefs/errdefs.ts";
import type { Graph } from "../graph/graph.ts";
import { DEFAULT_TAG, type TagStore } from "../graph/tags.ts";
import type { Image } from "../image/image.ts";
import { parseRepositoryTag } from "../pkg/parsers/parsers.ts";
import { goJson } from "../utils/go-json.ts";
import { truncateID } from "../utils/utils.ts";

/** What deleting an image needs of the daemon. */
export interface ImageDeleter {
  readonly graph: Graph;
  readonly repositories: TagStore;
  /** All containers, newest first. */
  list(): readonly { readonly id: string; readonly image: string; readonly state: { readonly running: boolean } }[];
}

interface Request {
  readonly daemon: ImageDeleter;
  readonly eng: Engine;
  readonly rows: { Untagged?: string; Deleted?: string }[];
  readonly force: boolean;
  readonly noprune: boolean;
  /** Speaks API 1.22 or newer. */
  readonly today: boolean;
}

/**
 * Deletes `IMAGE` and writes what was done; environment: `force`, `noprune`.
 *
 * @origin daemon/image_delete.go (*Daemon).ImageDelete
 */
export async function imageDelete(daemon: ImageDeleter, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length !== 1) throw new BadRequestError(`Usage: ${job.name} IMAGE`);
  const [major = 0, minor = 0] = job.getenv("apiVersion").split(".").map(Number);
  const request: Request = {
    daemon,
    eng: job.eng,
    rows: [],
    force: job.getenvBool("force"),
    noprune: job.getenvBool("noprune"),
    today: major > 1 || (major === 1 && minor >= 22),
  };
  await deleteImage(request, name, true);
  if (request.rows.length === 0) throw new ConflictError(`Conflict, ${name} wasn't deleted`);
  if (request.today) {
    await job.stdout.write(`${goJson(request.rows)}\n`);
    return;
  }
  const table = new Table();
  for (const row of request.rows) {
    const env = new Env();
    for (const [key, value] of Object.entries(row)) env.set(key, value);
    table.add(env);
  }
  await table.writeListTo(job.stdout);
}

/** @origin daemon/image_delete.go (*Daemon).DeleteImage */
async function deleteImage(request: Request, name: string, first: boolean): Promise<void> {
  const { repositories, graph } = request.daemon;
  const image = await find(request, name);
  const isId = image.id.includes(name.replace(/^sha256:/, ""));
  // An ancestor that has a name of its own stays.
  const stays = !first && (repositories.byId().has(image.id) || repositories.repoDigests(image.id).length > 0);
  if (stays && request.today) return;
  // In 1.2.0 it stays, too, but its names in several repositories are the error of a removal that has been made.
  const tags = isId ? tagsOf(request, image, name) : name.includes("@") ? [] : [withTag(name)];
  if (stays) return;
  const children = (await graph.byParent()).get(image.id) ?? [];

  let untagged = false;
  if (!isId && name.includes("@")) {
    const [repository = "", digest = ""] = name.split("@");
    await repositories.deleteDigest(repository, digest);
    untagged = await note(request, { Untagged: name }, "untag", image.id);
  }
  for (const [repository, tag] of tags) {
    await repositories.delete(repository, tag);
    untagged = await note(request, { Untagged: `${repository}:${tag}` }, "untag", image.id);
  }
  const left = (repositories.byId().get(image.id) ?? []).map(withTag);
  const gone = tags.map(([repository]) => repository).filter((name) => left.every(([other]) => other !== name));
  await forgetDigests(request, image, isId && left.length === 0 ? undefined : new Set(gone));
  if (left.length > 0) return;
  if (children.length > 0 || repositories.repoDigests(image.id).length > 0) return;
  await checkUnused(request, image.id, untagged);
  await repositories.deleteAll(image.id);
  await graph.delete(image.id);
  await note(request, { Deleted: image.id }, "delete", image.id);
  if (image.parent === "" || request.noprune) return;
  // Clients of today ask for this image alone: an ancestor that something needs stays, whether forced or not.
  const above = request.today ? { ...request, force: false } : request;
  try {
    await deleteImage(above, image.parent, false);
  } catch (cause) {
    // Of an ancestor that cannot go nobody hears, but in 1.2.0 for the nearest one.
    if ((first && !request.today) || !(cause instanceof EngineError)) throw cause;
  }
}

async function find({ daemon, today }: Request, name: string): Promise<Image> {
  try {
    return await daemon.repositories.lookupImage(name);
  } catch (cause) {
    const [repository, tag] = withTag(name);
    const isKnown = daemon.repositories.get(repository) !== undefined;
    const full = (isKnown || today) && !name.includes("@") && !name.startsWith("sha256:");
    throw new NoSuchError("image", full ? `${repository}:${tag}` : name, { cause });
  }
}

function withTag(name: string): [repository: string, tag: string] {
  const [repository, tag] = parseRepositoryTag(name);
  return [repository, tag === "" ? DEFAULT_TAG : tag];
}

/**
 * The names that go when an image is deleted by its id: those of one repository.
 *
 * With `force` 1.2.0 removes those of the first repository only; clients of today mean all.
 */
function tagsOf({ daemon, force, today }: Request, image: Image, name: string): [string, string][] {
  const names = (daemon.repositories.byId().get(image.id) ?? []).map(withTag);
  const digests = today ? daemon.repositories.repoDigests(image.id).map(repositoryOf) : [];
  const first = names[0]?.[0] ?? digests[0];
  const own = names.filter(([repository]) => repository === first);
  if ((own.length < names.length || digests.some((repository) => repository !== first)) && !force) {
    throw new ConflictError(
      `Conflict, cannot delete image ${name} because it is tagged in multiple repositories, use -f to force`,
    );
  }
  return today ? names : own;
}

function repositoryOf(digest: string): string {
  return digest.slice(0, digest.indexOf("@"));
}

/**
 * An image without a tag in a repository has no digest there either, unless it is asked for by one. Digests of other
 * repositories keep it, as names do.
 *
 * @param of - the repositories; `undefined`: all
 */
async function forgetDigests(request: Request, image: Image, of: ReadonlySet<string> | undefined): Promise<void> {
  const { repositories } = request.daemon;
  for (const known of repositories.repoDigests(image.id)) {
    const repository = repositoryOf(known);
    if (of !== undefined && !of.has(repository)) continue;
    await repositories.deleteDigest(repository, known.slice(repository.length + 1));
    if (request.today) request.rows.push({ Untagged: known });
  }
}

/** Writes down what was done. @returns true */
async function note(request: Request, row: Request["rows"][number], action: string, id: string): Promise<true> {
  request.rows.push(row);
  // What is done is done, whether or not anybody listens.
  await request.eng
    .job("log", action, id, "")
    .run()
    .catch(() => undefined);
  return true;
}

/**
 * Refuses when a container needs the image.
 *
 * @origin daemon/image_delete.go (*Daemon).canDeleteImage
 * @deviation A container whose own image is gone (removed by force) is passed over; in 1.2.0 one such container keeps
 *   every image from being deleted. An image that a pull or a new container is just being built on is kept too.
 */
async function checkUnused({ daemon, force }: Request, id: string, untagged: boolean): Promise<void> {
  const message = untagged ? " (docker untagged the image)" : "";
  const image = truncateID(id);
  for (const container of daemon.list()) {
    let uses = false;
    try {
      const top = await daemon.graph.get(container.image);
      await top.walkHistory((ancestor) => {
        uses ||= ancestor.id === id;
      });
    } catch (cause) {
      if (!(cause instanceof EngineError)) throw cause;
    }
    if (!uses) continue;
    const user = truncateID(container.id);
    if (container.state.running) {
      throw new ConflictError(
        force
          ? `Conflict, cannot force delete ${image} because the running container ${user} is using it${message}, stop it and retry`
          : `Conflict, cannot delete ${image} because the running container ${user} is using it${message}, stop it and use -f to force`,
      );
    }
    if (!force) {
      throw new ConflictError(
        `Conflict, cannot delete ${image} because the container ${user} is using it${message}, use -f to force`,
      );
    }
  }
  if (daemon.graph.isHeld(id)) {
    throw new ConflictError(
      `Conflict, cannot delete ${image} because something is being made of it${message}, retry later`,
    );
  }
}
