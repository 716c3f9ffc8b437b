/** An answer to exercise 3. @module */

import { checkDaemonConfig, type DaemonConfig } from "../../../src/daemon/config.ts";

/** Asks the daemon's own check about one pair of settings at a time, so that its words stay in one place. */
export function contradictions(config: DaemonConfig): string[] {
  const { bridgeIface, bridgeIP, enableIptables, interContainerCommunication } = config;
  const harmless = { bridgeIface: "", bridgeIP: "", enableIptables: true, interContainerCommunication: true };
  const pairs = [
    { ...harmless, bridgeIface, bridgeIP },
    { ...harmless, enableIptables, interContainerCommunication },
  ];
  return pairs.flatMap((pair) => {
    try {
      checkDaemonConfig(pair);
      return [];
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause;
      return [cause.message];
    }
  });
}
