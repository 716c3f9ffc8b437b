/**
 * Exercise 2: which names can a client reach?
 *
 * A name in the table is no address. A client reaches a job only where a route runs it; the other names are for the
 * daemon itself. Find the names that no route leads to.
 *
 * @module
 */

import type { Route } from "../../../src/api/server/router.ts";
import type { Engine } from "../../../src/engine/engine.ts";
import { yourTurn } from "../../lib/exercise.ts";

/** The names of the engine's table that no route runs, sorted. A route says in `jobs` what it runs. */
export function unreachable(eng: Engine, routes: readonly Route[]): string[] {
  return yourTurn(eng, routes);
}
