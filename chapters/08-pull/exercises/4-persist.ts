/**
 * Exercise 4: what session.go meant.
 *
 * GetRemoteImageLayer of 1.2.0 wants to send a request up to five times, waiting 5, 10, 15, 20 seconds in between. When a
 * request fails there is no response, and it closes the body of that. Write what was meant.
 *
 * @module
 */

import type { Clock } from "../../../src/host/clock.ts";
import { yourTurn } from "../../lib/exercise.ts";

/**
 * The first answer there is, whatever its status.
 *
 * @throws the failure of the fifth try; what the signal says, as soon as it says it
 */
export async function persist<T>(
  send: () => Promise<T>,
  clock: Pick<Clock, "sleep">,
  signal?: AbortSignal,
): Promise<T> {
  return yourTurn(send, clock, signal);
}
