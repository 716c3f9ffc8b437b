/**
 * Exercise 4: a driver without union mounts.
 *
 * Under vfs every layer is a whole tree. A new layer begins as a copy of its parent's; then the archive of the layer is
 * carried out upon it, whiteouts and all. The whiteouts do not stay.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/**
 * What is in the tree afterwards.
 *
 * @param tree - paths of the parent, directories with a slash at the end, sorted
 * @param layer - names of the archive, in any order; `./` and aufs's own `.wh..wh.aufs`, `.wh..wh.orph/` and
 *   `.wh..wh.plnk/` are among them
 * @returns the paths, sorted
 */
export function carryOut(tree: readonly string[], layer: readonly string[]): string[] {
  return yourTurn(tree, layer);
}
