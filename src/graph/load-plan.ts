/**
 * What an archive of images holds, before anything of it is loaded.
 *
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";
import { parseRepositoryTag } from "../pkg/parsers/parsers.ts";
import { familiarName, resolveRepositoryPath } from "../registry/names.ts";
import { DEFAULT_TAG } from "./pool-busy-error.ts";
import type { LayerPlan } from "./stack.ts";

/** More images than anybody has in one archive. */
export const MAX_IMAGES = 5000;
/** More layers than any container can stand on: each has a list of those below it. */
export const MAX_CHAIN = 1000;

const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** A name that an image of the archive is to get. */
export interface LoadedName {
  readonly repository: string;
  readonly tag: string;
}

/** An image of the archive. */
export interface LoadedImage {
  readonly id: string;
  readonly names: readonly LoadedName[];
}

/** What an archive holds. */
export interface LoadPlan {
  /** Each behind what it lies on. */
  readonly layers: readonly LayerPlan[];
  /** Those to tell about. */
  readonly images: readonly LoadedImage[];
}

/** Divides a name of an archive. @throws {BadRequestError} when it is none */
export function loadedName(text: string): LoadedName {
  const [repository, tag] = parseRepositoryTag(familiarName(text));
  return checkedName(repository, tag === "" ? DEFAULT_TAG : tag);
}

/** @throws {BadRequestError} */
export function checkedName(repository: string, tag: string): LoadedName {
  const name = familiarName(repository);
  resolveRepositoryPath(name);
  if (!TAG.test(tag)) throw new BadRequestError(`Illegal tag name: ${tag.slice(0, 200)}`);
  return { repository: name, tag };
}
