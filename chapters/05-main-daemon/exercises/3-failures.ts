/**
 * Exercise 3: what each failure does.
 *
 * A client comes at 30 ms, before the daemon can answer. Fill in the table: how our daemon ends, what becomes of the
 * client, and which of the two files `/var/run/docker.pid` and `/var/run/docker.sock` are there afterwards.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** What goes wrong. TERM comes after 200 ms. */
export type Trouble = "nothing" | "pidfile" | "root" | "bridge" | "listen" | "TERM";

/** How it ends. `status` is `undefined` for a daemon that goes on. */
export interface Outcome {
  readonly status: number | undefined;
  readonly client: "answered" | "refused" | "cut off";
  readonly left: readonly ("docker.pid" | "docker.sock")[];
}

/** The table. */
export function outcomes(): Record<Trouble, Outcome> {
  return yourTurn();
}
