/**
 * Ids of images and containers.
 *
 * @origin utils/utils.go
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";

const SHORT_LENGTH = 12;

/** An id that may become part of a path. */
export const ID_PATTERN = /^[a-f0-9]{64}$/;

/** The first 12 characters: how people see an id. @origin utils/utils.go TruncateID */
export function truncateID(id: string): string {
  return id.slice(0, SHORT_LENGTH);
}

/**
 * 64 random hexadecimal digits whose first 12 are no decimal number, which would be a poor host name.
 *
 * @origin utils/utils.go GenerateRandomID
 */
export function generateRandomID(random: Host["random"]): string {
  for (;;) {
    const id = random.bytes(32).toString("hex");
    if (!/^\d+$/.test(truncateID(id))) return id;
  }
}

/**
 * Refuses what cannot be an id.
 *
 * @throws {BadRequestError}
 * @origin utils/utils.go ValidateID
 * @deviation Only 64 lower-case hexadecimal digits pass: an id becomes a directory name. 1.2.0 refuses nothing but the
 *   empty id and colons, so that an image called `../..` removes and writes outside the store (CVE-2014-5282,
 *   CVE-2014-9358).
 */
export function validateID(id: string): void {
  if (id === "") throw new BadRequestError("Id can't be empty");
  if (id.includes(":")) throw new BadRequestError("Invalid character in id: ':'");
  if (!ID_PATTERN.test(id)) throw new BadRequestError(`Invalid id: ${JSON.stringify(id)}`);
}

/** Whether a text is an address of the web. @origin utils/utils.go IsURL */
export function isUrl(text: string): boolean {
  return text.startsWith("http://") || text.startsWith("https://");
}

/** Whether a text names a git repository: `git://…`, `github.com/…`, `git@github.com:…`, or a URL ending in `.git`. @origin utils/utils.go IsGIT */
export function isGit(text: string): boolean {
  return /^(?:git:\/\/|github\.com\/|git@github\.com:)/.test(text) || (text.endsWith(".git") && isUrl(text));
}
