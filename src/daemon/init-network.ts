/**
 * The network, through the name that the builtins registered.
 *
 * @origin daemon/daemon.go NewDaemonFromDirectory
 * @module
 */

import type { Engine } from "../engine/engine.ts";
import type { DaemonConfig } from "./config.ts";

/**
 * Runs the job that makes the bridge and its rules, with the settings that concern it.
 *
 * @throws when the job fails: the daemon does not start then
 * @origin daemon/daemon.go NewDaemonFromDirectory
 * @article 001/5.4.1
 */
export async function initNetworkDriver(config: DaemonConfig, eng: Engine): Promise<void> {
  const job = eng.job("init_networkdriver");
  job.setenvBool("EnableIptables", config.enableIptables);
  job.setenvBool("InterContainerCommunication", config.interContainerCommunication);
  job.setenvBool("EnableIpForward", config.enableIpForward);
  job.setenvBool("EnableIpMasq", config.enableIpMasq);
  job.setenv("BridgeIface", config.bridgeIface);
  job.setenv("BridgeIP", config.bridgeIP);
  job.setenv("FixedCIDR", config.fixedCIDR);
  job.setenv("DefaultBindingIP", config.defaultIp);
  await job.run();
}
