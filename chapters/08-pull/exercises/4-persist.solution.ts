/** An answer to exercise 4. @module */

import type { Clock } from "../../../src/host/clock.ts";

const TRIES = 5;
const PAUSE_MS = 5000;

/** An answer ends the loop; only a failure leads to the pause, and the last failure is the caller's. */
export async function persist<T>(
  send: () => Promise<T>,
  clock: Pick<Clock, "sleep">,
  signal?: AbortSignal,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    signal?.throwIfAborted();
    try {
      return await send();
    } catch (cause) {
      signal?.throwIfAborted();
      if (tries === TRIES) throw cause;
    }
    await clock.sleep(tries * PAUSE_MS, signal);
  }
}
