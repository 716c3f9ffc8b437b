/**
 * Digests: `sha256:` and 64 hexadecimal digits.
 *
 * @since Docker 1.6
 * @module
 */

import { BadRequestError } from "../../errdefs/errdefs.ts";

/** The only form that is accepted: others cannot be verified here. */
export const DIGEST = /^sha256:[a-f0-9]{64}$/;

/**
 * Makes sure that a text is a digest before it becomes part of a path or an address.
 *
 * @throws {BadRequestError}
 */
export function parseDigest(value: unknown, what: string): string {
  if (typeof value === "string" && DIGEST.test(value)) return value;
  throw new BadRequestError(`Cannot use ${what}: ${JSON.stringify(value)?.slice(0, 100)} is no sha256 digest`);
}

/** The digits alone. */
export function digestHex(digest: string): string {
  return digest.slice("sha256:".length);
}
