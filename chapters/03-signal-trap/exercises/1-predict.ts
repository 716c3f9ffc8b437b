/**
 * Exercise 1: predict the end.
 *
 * Say with which exit status the process ends, and after how many seconds. The arguments are those of the demonstration.
 *
 * ```text
 * TERM@0 --handler 3s                          INT@0 INT@1s INT@2s INT@3s --job never
 * QUIT@1s --job 3s                             QUIT@1s --job 3s --debug
 * TERM@0 --job never --handler 12s             TERM@0 INT@1s TERM@2s --job 4s --handler 4s
 * TERM@0 QUIT@6s --job 2s --handler 3s         HUP@1s --job 3s
 * ```
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** Status and seconds by arguments; the status of a process that a signal ended is the one a shell shows. */
export function predictions(): Record<string, readonly [status: number, seconds: number]> {
  return yourTurn();
}
