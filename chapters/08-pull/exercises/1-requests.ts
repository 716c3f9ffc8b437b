/**
 * Exercise 1: the requests of a pull.
 *
 * An image is given by its line of ancestors, as `ancestry` answers: the image itself first, the lowest layer last. Some of
 * them may be here already. Say which requests a pull of version 1 sends after its pings, in order.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** Paths from `/v1/` on: `["repositories/app/images", …]`. @param repository - without the registry: `app`, `user/app` */
export function requests(repository: string, ancestry: readonly string[], here: ReadonlySet<string>): string[] {
  return yourTurn(repository, ancestry, here);
}
