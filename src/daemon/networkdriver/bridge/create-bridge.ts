/**
 * Makes `docker0`.
 *
 * @origin daemon/networkdriver/bridge/driver.go createBridge, createBridgeIface
 * @module
 */

import { messageOf, SystemError } from "../../../errdefs/errdefs.ts";
import { errnoText } from "../../../errdefs/errno-text.ts";
import type { Host } from "../../../host/host.ts";
import type { Links } from "../../../host/net.ts";
import type { Logger } from "../../../pkg/log/log.ts";
import * as resolvconf from "../../../pkg/networkfs/resolvconf/resolvconf.ts";
import { getKernelVersion } from "../../../pkg/parsers/kernel/kernel.ts";
import { checkNameserverOverlaps, checkRouteOverlaps, formatCIDR, parseCIDR } from "../utils.ts";

/**
 * Addresses tried in turn. Not the first of their networks, so that the big ones have the gateway of the small ones,
 * which are older. 172.16.0.0/16 is missing: name servers of Amazon's cloud are there.
 *
 * @origin daemon/networkdriver/bridge/driver.go addrs
 */
const ADDRESSES = [
  "172.17.42.1/16",
  "10.0.42.1/16",
  "10.1.42.1/16",
  "10.42.42.1/16",
  "172.16.42.1/24",
  "172.16.43.1/24",
  "172.16.44.1/24",
  "10.0.42.1/24",
  "10.0.43.1/24",
  "192.168.42.1/24",
  "192.168.43.1/24",
  "192.168.44.1/24",
];

/**
 * Makes the bridge, gives it an address and sets it up. A bridge without an address, which an interrupted daemon may
 * have left, is completed.
 *
 * @param bridgeIP - `172.17.42.1/16`; "": the first of `ADDRESSES` that meets neither a name server nor a route
 */
export async function createBridge(
  host: Pick<Host, "fs" | "machine" | "random">,
  links: Links,
  log: Logger,
  name: string,
  bridgeIP: string,
): Promise<void> {
  const address = bridgeIP === "" ? await freeAddress(host, links, log) : formatCIDR(parseCIDR(bridgeIP));
  if (address === undefined) {
    throw new SystemError(
      `Could not find a free IP address range for interface '${name}'. Please configure its address manually and run 'docker -b ${name}'`,
    );
  }
  log.debug("driver.go:283", `Creating bridge ${name} with network ${address}`);
  createBridgeIface(host, links, log, name);
  step("Unable to add private network", () => links.addAddress(name, address));
  step("Unable to start network bridge", () => links.setUp(name));
}

/** The first address nobody seems to use. */
async function freeAddress(host: Pick<Host, "fs">, links: Links, log: Logger): Promise<string | undefined> {
  // Without the file there is nothing to respect.
  const resolvConf = await resolvconf.get(host).catch(() => "");
  const nameservers = resolvconf.getNameserversAsCIDR(resolvConf);
  for (const address of ADDRESSES) {
    const network = parseCIDR(address);
    try {
      checkNameserverOverlaps(nameservers, network);
    } catch {
      continue; // 1.2.0 says nothing about these
    }
    try {
      checkRouteOverlaps(links, network);
      return address;
    } catch (cause) {
      log.debug("driver.go:274", `${address} ${messageOf(cause)}`);
    }
  }
  return undefined;
}

/**
 * @origin daemon/networkdriver/bridge/driver.go createBridgeIface
 * @deviation The kernel's version is compared as one number: 1.2.0 compares its parts, and takes 4.0 for older than 3.3.
 */
function createBridgeIface(host: Pick<Host, "machine" | "random">, links: Links, log: Logger, name: string): void {
  const { kernel, major } = getKernelVersion(host);
  const setMac = kernel > 3 || (kernel === 3 && major >= 3);
  log.debug("driver.go:313", `setting bridge mac address = ${setMac}`);
  if (links.list().some((link) => link.name === name)) return;
  step(undefined, () => links.addBridge(name, setMac ? randomMac(host) : undefined));
}

/** An address of nobody's: its second-lowest bit says "made up here", its lowest that it is no group. */
function randomMac(host: Pick<Host, "random">): string {
  const bytes = Buffer.from(host.random.bytes(6));
  bytes[0] = (bytes[0]! & 0xfe) | 0x02;
  return bytes.toString("hex").replace(/(..)(?=.)/g, "$1:");
}

/** Turns the kernel's error into 1.2.0's text. */
function step(what: string | undefined, work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw new SystemError(what === undefined ? errnoText(cause) : `${what}: ${errnoText(cause)}`, { cause });
  }
}
