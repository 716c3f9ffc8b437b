/**
 * The order of lists of images.
 *
 * @module
 */

import type { Image } from "../image/image.ts";
import { compareBytes } from "../utils/go-json.ts";

/** Newest first, to the nanosecond: several may be of the same second. Sorts in place. */
export function newestFirst<T extends { image: Image }>(rows: T[]): T[] {
  return rows.sort((a, b) => {
    if (a.image.createdNs !== b.image.createdNs) return a.image.createdNs > b.image.createdNs ? -1 : 1;
    return compareBytes(a.image.id, b.image.id);
  });
}
