/**
 * Exercise 4: SIGHUP reads the configuration again.
 *
 * In 1.2.0 SIGHUP ends the daemon. Many daemons, today's dockerd among them, read their configuration again. Write that
 * trap. Two reloads never run at the same time: what arrives while one is running leads to one more when it is done, and
 * not to more than one. A reload that fails is reported on standard error as `Cannot reload: …`, and the next one works.
 *
 * @module
 */

import type { Host } from "../../../src/host/host.ts";
import { yourTurn } from "../../lib/exercise.ts";

/** Calls `reload` for SIGHUP from now on. */
export function reloadOnHup(host: Pick<Host, "signals" | "stderr">, reload: () => Promise<void>): void {
  yourTurn(host, reload);
}
