/**
 * The jobs that name an image.
 *
 * @origin graph/tag.go
 * @module
 */

import type { Job } from "../engine/job.ts";
import { BadRequestError } from "../errdefs/errdefs.ts";
import { parseRepositoryTag } from "../pkg/parsers/parsers.ts";
import type { TagStore } from "./tags.ts";

/** `image_tag NEWNAME OLDNAME` @origin graph/tag.go (*TagStore).CmdTag */
export async function cmdTag(store: TagStore, job: Job): Promise<void> {
  const [newName, oldName] = job.args;
  if (newName === undefined || oldName === undefined || job.args.length !== 2) {
    throw new BadRequestError(`usage: ${job.name} NEWNAME OLDNAME`);
  }
  const [repository, tag] = parseRepositoryTag(newName);
  await store.set(repository, tag, oldName);
}

/**
 * `tag IMAGE REPOSITORY [TAG]`; `force` in the environment changes nothing.
 *
 * @origin graph/tag.go (*TagStore).CmdTagLegacy
 */
export async function cmdTagLegacy(store: TagStore, job: Job): Promise<void> {
  const [image, repository, tag] = job.args;
  if (image === undefined || repository === undefined || job.args.length > 3) {
    throw new BadRequestError(`Usage: ${job.name} IMAGE REPOSITORY [TAG]\n`);
  }
  await store.set(repository, tag ?? "", image);
}
