/**
 * Exercise 2: which modules does a command reach?
 *
 * Say it for six commands, before you look. The machine has pulled busybox before.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";
import type { ModuleName } from "../modules.ts";

/** The modules that each command reaches, in any order; the client is one of them when it asks the daemon. */
export function reached(): Record<"version" | "images" | "ps" | "pull" | "run" | "nope", readonly ModuleName[]> {
  return yourTurn();
}
