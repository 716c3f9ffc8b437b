/**
 * Exercise 3: the end of the page.
 *
 * The kernel takes 4095 bytes of mount options and drops the rest. 1.2.0 sends all branches in one call, however many
 * there are, and turns to its second way only when this call fails. In which roots does it not fail, although layers are
 * missing?
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/**
 * What the kernel is left with, of 1.2.0's options for a container on an image of `layers` layers.
 *
 * @param root - the root of the daemon: `/var/lib/docker`; all ids have 64 characters
 * @returns how many of the image's layers are named to the end, with or without their `=ro+wh`; `cut` is what stands
 *   behind the last colon, when that is no whole branch: part of a path, or of `=ro+wh`; "" when nothing is cut in two
 */
export function remains(root: string, layers: number): { readonly named: number; readonly cut: string } {
  return yourTurn(root, layers);
}

/** A root for which an image of 100 layers is mounted without an error, and without its lowest layers. */
export function unluckyRoot(): string {
  return yourTurn();
}
