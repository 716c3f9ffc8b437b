/**
 * Exercise 4: the boot that everybody would write first.
 *
 * Make a `mainDaemon` with one half: engine, builtins, daemon, its handlers, and only then the server. Then look at what
 * the clients say.
 *
 * @module
 */

import type { DaemonParts } from "../../../src/docker/daemon.ts";
import type { DockerFlags } from "../../../src/docker/flags.ts";
import type { Host } from "../../../src/host/host.ts";
import type { Logger } from "../../../src/pkg/log/log.ts";
import { yourTurn } from "../../lib/exercise.ts";

/** Boots one thing after the other; ends when the API is no longer served. No signals, no banner, no TLS. */
export function listenLast(flags: DockerFlags, host: Host, log: Logger, parts: DaemonParts): Promise<void> {
  return yourTurn(flags, host, log, parts);
}
