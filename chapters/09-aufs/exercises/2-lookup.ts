/**
 * Exercise 2: be the kernel.
 *
 * A branch is given as the list of what is in it: `etc/`, `etc/motd`, `bin/.wh.ls`, `srv/.wh..wh..opq`; directories end
 * with a slash, and every directory on the way is in the list. All branches honour whiteouts.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/**
 * Which branch shows a file.
 *
 * @param path - of a file, never of a directory: `etc/motd`
 * @param branches - topmost first
 * @returns the number of the branch, 0 for the topmost; `undefined` when the file is not to be seen
 */
export function branchOf(path: string, branches: readonly (readonly string[])[]): number | undefined {
  return yourTurn(path, branches);
}
