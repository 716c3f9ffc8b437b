/**
 * Containers cannot ask a name server that only listens on the host's loopback.
 *
 * @origin daemon/daemon.go checkLocaldns; utils/utils.go CheckLocalDns
 * @module
 */

import * as resolvconf from "../pkg/networkfs/resolvconf/resolvconf.ts";
import type { Daemon } from "./daemon.ts";

/** @origin daemon/daemon.go DefaultDns */
const defaultDns = ["8.8.8.8", "8.8.4.4"];

/** Takes public servers when the host's is local and nobody named others. @origin daemon/daemon.go checkLocaldns */
export async function checkLocalDns({ config, host, log }: Pick<Daemon, "config" | "host" | "log">): Promise<void> {
  const text = (await resolvconf.get(host)).toString("utf8");
  if (config.dns.length > 0 || !isLocalDns(text)) return;
  log.info(
    "Local (127.0.0.1) DNS resolver found in resolv.conf and containers can't use it. " +
      `Using default external servers : [${defaultDns.join(" ")}]`,
  );
  config.dns.push(...defaultDns);
}

/** Whether the first name server is this machine, or there is none. @origin utils/utils.go CheckLocalDns */
export function isLocalDns(resolvConf: string): boolean {
  for (const line of resolvConf.split("\n")) {
    const [text = ""] = line.split("#", 1);
    if (!text.includes("nameserver")) continue;
    return text.includes("127.0.0.1") || text.includes("127.0.1.1");
  }
  return true;
}
