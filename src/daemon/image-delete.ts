/**
 * Removes names of images, and images that have no name left.
 *
 * @origin daemon/image_delete.go
 * @module
 */

import type { Engine } from "../engine/engine.ts";
import { Env } from "../engine/env.ts";
import { type Job, Status } from "../engine/job.ts";
import { Table } from "../engine/table.ts";
import { ConflictError, NotFoundError } from "../errdefs/errdefs.ts";
import type { Graph } from "../graph/graph.ts";
import { DEFAULT_TAG, type TagStore } from "../graph/tags.ts";
import type { Image } from "../image/image.ts";
import { parseRepositoryTag } from "../pkg/parsers/parsers.ts";
import { truncateID } from "../utils/utils.ts";

/** What is needed of a container: it keeps its image. */
export interface ImageUser {
  readonly id: string;
  /** Id of the image. */
  readonly image: string;
  readonly state: { readonly running: boolean };
}

/** What is needed of the daemon. */
export interface ImageDeleteDaemon {
  readonly eng: Engine;
  readonly graph: Graph;
  readonly repositories: TagStore;
  /** Newest first. */
  list(): readonly ImageUser[];
}

/** How a deletion goes on. */
interface Deletion {
  readonly daemon: ImageDeleteDaemon;
  readonly rows: Table;
  readonly force: boolean;
  readonly noprune: boolean;
}

/**
 * Job `image_delete IMAGE`: writes a list of `{"Untagged": …}` and `{"Deleted": …}`.
 *
 * @throws {NotFoundError} `No such image: <name>`
 * @throws {ConflictError} when a container or another repository needs the image
 * @origin daemon/image_delete.go (*Daemon).ImageDelete
 */
export async function imageDelete(daemon: ImageDeleteDaemon, job: Job): Promise<Status> {
  const [name] = job.args;
  if (job.args.length !== 1 || name === undefined) return job.errorf(`Usage: ${job.name} IMAGE`);
  const deletion = { daemon, rows: new Table(""), force: job.getenvBool("force"), noprune: job.getenvBool("noprune") };
  await deleteImage(deletion, name, true);
  if (deletion.rows.rows.length === 0) throw new ConflictError(`Conflict, ${name} wasn't deleted`);
  await deletion.rows.writeListTo(job.stdout);
  return Status.OK;
}

/**
 * Removes one name, or by id all names of one repository; then the image, and untagged parents after it.
 *
 * @param first - the image that was asked for; parents that have a name end the walk
 * @origin daemon/image_delete.go (*Daemon).DeleteImage
 */
async function deleteImage(deletion: Deletion, name: string, first: boolean): Promise<void> {
  const { daemon, rows, force, noprune } = deletion;
  const { repositories, graph } = daemon;
  const [repository, tag] = parseRepositoryTag(name);
  const image = await lookup(repositories, name, repository, tag || DEFAULT_TAG);
  const byId = image.id.includes(name);
  const { repo, tags } = byId ? ownNames(repositories, image, name, force) : { repo: repository, tags: [tag || DEFAULT_TAG] };
  if (!first && tags.length > 0) return;

  for (const each of tags) {
    await repositories.delete(repo, each);
    rows.add(row("Untagged", `${repo}:${each}`));
    await record(daemon.eng, "untag", image.id);
  }
  const left = repositories.byId().get(image.id) ?? [];
  if (left.length > 0 && !(left.length <= 1 && repo === "")) return;
  if (((await graph.byParent()).get(image.id) ?? []).length > 0) return;

  await checkUsers(daemon, image.id, force, tags.length > 0);
  await repositories.deleteAll(image.id);
  await graph.delete(image.id);
  rows.add(row("Deleted", image.id));
  await record(daemon.eng, "delete", image.id);
  if (image.parent === undefined || noprune) return;
  try {
    await deleteImage(deletion, image.parent, false);
  } catch (cause) {
    // A parent that is needed elsewhere stays: only the first step down tells so.
    if (first) throw cause;
  }
}

async function lookup(repositories: TagStore, name: string, repository: string, tag: string): Promise<Image> {
  try {
    return await repositories.lookupImage(name);
  } catch (cause) {
    const known = repositories.get(repository) !== undefined;
    throw new NotFoundError(`No such image: ${known ? `${repository}:${tag}` : name}`, { cause });
  }
}

/** Names of an image that was given by id: all must be of one repository, unless forced. */
function ownNames(repositories: TagStore, image: Image, name: string, force: boolean): { repo: string; tags: string[] } {
  let repo = "";
  const tags: string[] = [];
  for (const full of repositories.byId().get(image.id) ?? []) {
    const [repository, tag] = parseRepositoryTag(full);
    if (repo === "" || repo === repository) {
      repo = repository;
      if (tag !== "") tags.push(tag);
    } else if (!force) {
      throw new ConflictError(
        `Conflict, cannot delete image ${name} because it is tagged in multiple repositories, use -f to force`,
      );
    }
  }
  return { repo, tags };
}

/**
 * Refuses when a container is made from the image or from one on top of it.
 *
 * @origin daemon/image_delete.go (*Daemon).canDeleteImage
 */
async function checkUsers(daemon: ImageDeleteDaemon, id: string, force: boolean, untagged: boolean): Promise<void> {
  const note = untagged ? " (docker untagged the image)" : "";
  for (const container of daemon.list()) {
    const image = await daemon.graph.get(container.image);
    let uses = false;
    await image.walkHistory((each) => {
      uses ||= each.id === id;
    });
    if (!uses) continue;
    const [image12, container12] = [truncateID(id), truncateID(container.id)];
    if (container.state.running && force) {
      throw new ConflictError(
        `Conflict, cannot force delete ${image12} because the running container ${container12} is using it${note}, stop it and retry`,
      );
    }
    if (container.state.running) {
      throw new ConflictError(
        `Conflict, cannot delete ${image12} because the running container ${container12} is using it${note}, stop it and use -f to force`,
      );
    }
    if (!force) {
      throw new ConflictError(
        `Conflict, cannot delete ${image12} because the container ${container12} is using it${note}, use -f to force`,
      );
    }
  }
}

function row(key: string, value: string): Env {
  const env = new Env();
  env.set(key, value);
  return env;
}

async function record(eng: Engine, action: string, id: string): Promise<void> {
  await eng.job("log", action, id, "").run();
}
