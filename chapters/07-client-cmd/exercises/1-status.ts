/**
 * Exercise 1: predict the exit status.
 *
 * Say what each of these command lines ends with, before you look. There is one image on the machine, busybox.
 *
 * ```text
 * images      IMAGES       nope         nope pull    help pull    pull         ps --nope
 * --nope ps   images nope  rmi nope     --tls ps     -H :1 -H :2  --tlsverify  -v --tlsverify
 * ```
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** Exit status by command line. */
export function predictions(): Record<string, number> {
  return yourTurn();
}
