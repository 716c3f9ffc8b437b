/**
 * Exercise 1: find the file.
 *
 * You read `daemon/monitor.go` in Docker's tree and want to see the same here. Say where it is.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** The file of this project that stands for a Go file: `daemon/monitor.go` → `src/daemon/monitor.ts`. */
export function here(go: string): string {
  return yourTurn(go);
}
