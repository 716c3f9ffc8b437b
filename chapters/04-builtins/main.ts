/**
 * Chapter 04: the engine learns its first names.
 *
 * {@link load} is one line, and it does nothing but write down who will do what. {@link initNetwork} shows the other
 * half: a name is called, and what runs registers further names.
 *
 * @module
 */

import { register } from "../../src/builtins/builtins.ts";
import type { DaemonConfig } from "../../src/daemon/config.ts";
import { initNetworkDriver } from "../../src/daemon/init-network.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Host } from "../../src/host/host.ts";
import type { Trapped } from "../03-signal-trap/main.ts";

/** Adds the builtins: nine names, five calls, and nothing runs. */
export function load({ eng, flags, log }: Trapped, host: Host): void {
  register(eng, host, log, flags.config);
}

/**
 * Makes the network as a booting daemon does, through the name that the builtins registered.
 *
 * @returns `false` where there is to be none
 * @throws when the job fails: the daemon does not start then
 */
export async function initNetwork(eng: Engine, config: DaemonConfig): Promise<boolean> {
  if (config.disableNetwork) return false;
  await initNetworkDriver(config, eng);
  return true;
}
