/**
 * Chapter 05: the configuration of chapter 01, the engine, the signals and the builtins of 02 to 04 become a program.
 *
 * What is new is one function of the engine's own, `mainDaemon`. Here stands what surrounds it in `main()`: the flags
 * before, and after it the exit status.
 *
 * @module
 */

import { register } from "../../src/builtins/builtins.ts";
import { type DaemonOverrides, newDaemon } from "../../src/daemon/new-daemon.ts";
import { type DaemonParts, mainDaemon } from "../../src/docker/daemon.ts";
import { messageOf } from "../../src/errdefs/errdefs.ts";
import type { Host } from "../../src/host/host.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { configure } from "../01-config-flags/main.ts";

/** What `mainDaemon` wires together, with drivers that fit the machine. */
export function parts(overrides: DaemonOverrides = {}): DaemonParts {
  return { register, newDaemon: (config, eng, host, log) => newDaemon(config, eng, host, log, overrides) };
}

/**
 * What `main()` does with a command line that has a `-d`: reads it, runs the daemon, and says how it ended.
 *
 * @returns the exit status. A daemon that is told to stop by a signal never comes back: the trap ends the process
 */
export async function boot(args: readonly string[], host: Host, given: DaemonParts = parts()): Promise<number> {
  const { set, flags } = configure(args, host);
  const log = new Logger(host);
  try {
    await mainDaemon(flags, host, log, set, given);
    return 0;
  } catch (cause) {
    log.std(messageOf(cause)); // log.Fatal: a line, and the status is 1
    return 1;
  }
}
