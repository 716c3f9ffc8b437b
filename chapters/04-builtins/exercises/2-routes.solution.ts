/** An answer to exercise 2. @module */

import type { Route } from "../../../src/api/server/router.ts";
import type { Engine } from "../../../src/engine/engine.ts";

/** What the engine lists is sorted already. */
export function unreachable(eng: Engine, routes: readonly Route[]): string[] {
  const run = new Set(routes.flatMap(({ jobs }) => jobs));
  return eng.commands().filter((name) => !run.has(name));
}
