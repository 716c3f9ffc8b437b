/**
 * Exercise 2: from a text to a request line.
 *
 * Both functions of the client make a request out of a text, and then put the daemon's address into it:
 *
 * ```text
 * call     "/v1.14/containers/json"            a path
 * stream   "http://v1.14/images/create?tag="   a URL
 * ```
 *
 * Go's HTTP client takes path and query of the text for the request line. For the Host header it takes the host of the
 * text, if that names one, and else the address that is put in afterwards.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** What of a request depends on the text. */
export interface Wire {
  /** `GET /path?query` */
  readonly line: string;
  /** Value of the Host header. */
  readonly host: string;
}

/** @param address - `127.0.0.1:2375`, put in after the text was read */
export function wire(method: string, text: string, address: string): Wire {
  return yourTurn(method, text, address);
}
