/**
 * Exercise 3: whose password is in this request?
 *
 * A request of `docker pull` was recorded on its way. Say whose it is.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** Who pulls, as far as the request says. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * @param request - head of a request, line by line
 * @returns `undefined` when nobody is named
 */
export function readCredentials(request: string): Credentials | undefined {
  return yourTurn(request);
}
