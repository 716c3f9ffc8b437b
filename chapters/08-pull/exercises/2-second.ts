/**
 * Exercise 2: the second client.
 *
 * Each line is what you give the demonstration. Say what the second client of it is told in the end, and how many
 * requests are sent for it, pings included.
 *
 * ```text
 * app:1.0 app:1.0                      --fail layer=404 app:1.0 app:1.0
 * app:1.0 app:latest                   --fail layer=404:1 app:1.0 tools:1.0
 * --leave 1=200 app:1.0 app:1.0        --registry v2 app:1.0 tools:1.0
 * ```
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** By line: `well` or `error`, and the number of requests. */
export function predictions(): Record<string, readonly ["well" | "error", number]> {
  return yourTurn();
}
