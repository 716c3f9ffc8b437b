/** An answer to exercise 3. @module */

import type { Outcome, Trouble } from "./3-failures.ts";

/** The pid file in the second row is the other daemon's: ours never had one, and so does not remove it. */
export function outcomes(): Record<Trouble, Outcome> {
  return {
    nothing: { status: undefined, client: "answered", left: ["docker.pid", "docker.sock"] },
    pidfile: { status: 1, client: "cut off", left: ["docker.pid"] },
    root: { status: 1, client: "cut off", left: [] },
    bridge: { status: 1, client: "cut off", left: [] },
    listen: { status: 1, client: "cut off", left: [] },
    TERM: { status: 0, client: "cut off", left: [] },
  };
}
