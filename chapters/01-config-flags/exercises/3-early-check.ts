/**
 * Exercise 3: refuse early, and say everything.
 *
 * 1.2.0 finds contradictions in a goroutine, when the socket is already listening, and tells the first one only. Write a
 * check that main() could call right after parsing: it answers with every contradiction, in 1.2.0's words.
 *
 * @module
 */

import type { DaemonConfig } from "../../../src/daemon/config.ts";
import { yourTurn } from "../../lib/exercise.ts";

/** Every contradiction in a configuration; empty when there is none. */
export function contradictions(config: DaemonConfig): string[] {
  return yourTurn(config);
}
