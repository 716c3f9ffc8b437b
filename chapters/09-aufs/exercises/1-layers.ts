/**
 * Exercise 1: what stands in `layers/<id>`, and what goes to mount(2).
 *
 * `layers` holds the texts of the files that are there, by id.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** The text of `layers/<id>` for a new layer on top of `parent`; `undefined`: a base layer. */
export function textFor(parent: string | undefined, layers: ReadonlyMap<string, string>): string {
  return yourTurn(parent, layers);
}

/** The options with which a layer is mounted, for `root` = `<docker root>/aufs`; `undefined` when it is not mounted. */
export function mountData(root: string, id: string, layers: ReadonlyMap<string, string>): string | undefined {
  return yourTurn(root, id, layers);
}
