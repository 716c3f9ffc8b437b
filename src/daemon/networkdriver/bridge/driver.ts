/**
 * The bridge network: every container has an address behind `docker0`.
 *
 * Job `init_networkdriver` makes the bridge and the rules, then registers what the daemon calls for each container:
 * `allocate_interface`, `release_interface`, `allocate_port`, `link`. They only keep books and publish ports; the
 * container's own interface is made by `interface.ts`.
 *
 * @origin daemon/networkdriver/bridge/driver.go
 * @article 001/5.4.1
 * @module
 */

import type { Handler, Job } from "../../../engine/job.ts";
import { isErrno, SystemError } from "../../../errdefs/errdefs.ts";
import { errnoText } from "../../../errdefs/errno-text.ts";
import type { Host } from "../../../host/host.ts";
import type { Links } from "../../../host/net.ts";
import { Chain } from "../../../pkg/iptables/chain.ts";
import { Iptables } from "../../../pkg/iptables/iptables.ts";
import { transact } from "../../../pkg/iptables/transaction.ts";
import type { Logger } from "../../../pkg/log/log.ts";
import { isLeftover } from "../interface.ts";
import { IPAllocator } from "../ipallocator/allocator.ts";
import { PortAllocator } from "../portallocator/portallocator.ts";
import { PortMapper } from "../portmapper/mapper.ts";
import { formatCIDR, getIfaceAddr, type IPNet, parseCIDR } from "../utils.ts";
import { Allocations } from "./allocations.ts";
import { createBridge } from "./create-bridge.ts";
import { ContainerLinks } from "./link-containers.ts";
import { removeLeftovers, setupIPTables } from "./setup-iptables.ts";

/** @origin daemon/networkdriver/bridge/driver.go DefaultNetworkBridge */
export const DEFAULT_NETWORK_BRIDGE = "docker0";

/** What `--bridge` is set to for no network at all. */
export const DISABLE_NETWORK_BRIDGE = "none";

/** What the driver touches. */
export type DriverHost = Pick<
  Host,
  "net" | "fs" | "exec" | "env" | "stdout" | "stderr" | "machine" | "kernel" | "random"
>;

/**
 * Makes the handler of `init_networkdriver`.
 *
 * Environment of the job: `EnableIptables`, `InterContainerCommunication`, `EnableIpForward`, `BridgeIface`,
 * `BridgeIP`, `DefaultBindingIP`; `EnableIpMasq` (missing: yes) and `FixedCIDR` as of 1.3.
 *
 * @origin daemon/networkdriver/bridge/driver.go InitDriver
 * @article 001/5.4.1
 */
export function initDriver(host: DriverHost, log: Logger): Handler {
  return async (job) => {
    const bridge = job.getenv("BridgeIface") || DEFAULT_NETWORK_BRIDGE;
    if (bridge === DISABLE_NETWORK_BRIDGE) return;
    const iptables = new Iptables(host);
    // Asked before the bridge is made.
    if (job.getenvBool("EnableIptables")) await iptables.check();
    const links = host.net.links();
    let network: IPNet;
    try {
      network = await bridgeNetwork(host, log, job, links, bridge);
      requireBridge(links, bridge);
      removeStaleLinks(host, links, bridge);
    } finally {
      links.close();
    }
    const ips = addressPool(job, network);
    const mapper = new PortMapper(host, new PortAllocator(), iptables);
    await acceptNoRouters(host, bridge);
    const [chain] = await Promise.all([filter(iptables, log, job, bridge, network), forwardPackets(host, job)]);
    mapper.setIptablesChain(chain);
    if (!job.getenvBool("InterContainerCommunication")) await filterBridge(host, job);

    job.eng.hackSetGlobalVar("httpapi.bridgeIP", network.ip);
    const defaultBindingIP = job.getenv("DefaultBindingIP") || "0.0.0.0";
    const allocations = new Allocations({ bridge, network, defaultBindingIP, ips, mapper, log });
    const containerLinks = new ContainerLinks(iptables, bridge);
    job.eng.onShutdown(() => allocations.releaseAll());
    job.eng.onShutdown(() => containerLinks.removeAll());
    job.eng.register("allocate_interface", allocations.allocate);
    job.eng.register("release_interface", allocations.release);
    job.eng.register("allocate_port", allocations.allocatePort);
    job.eng.register("link", containerLinks.toggle);
  };
}

/** The bridge's address; makes the bridge when it is ours to make. */
async function bridgeNetwork(host: DriverHost, log: Logger, job: Job, links: Links, bridge: string): Promise<IPNet> {
  const bridgeIP = job.getenv("BridgeIP");
  const print = (line: string) => void host.stdout.write(`${line}\n`);
  let network: IPNet;
  try {
    network = getIfaceAddr(links, bridge, print);
  } catch (cause) {
    if (job.getenv("BridgeIface") !== "") {
      job.logf(`bridge not found: ${bridge}`);
      throw cause;
    }
    job.logf(`creating new bridge for ${bridge}`);
    await createBridge(host, links, log, bridge, bridgeIP);
    job.logf("getting iface addr");
    return getIfaceAddr(links, bridge, print);
  }
  if (bridgeIP !== "") {
    const { ip } = parseCIDR(bridgeIP);
    if (ip !== network.ip) {
      throw new SystemError(`bridge ip (${network.ip}) does not match existing bridge configuration ${ip}`);
    }
  }
  return network;
}

/**
 * Refuses a link that nothing can be plugged into.
 *
 * @deviation 1.2.0 takes any link that has an address, and fails with each container.
 */
function requireBridge(links: Links, name: string): void {
  const kind = links.list().find((link) => link.name === name)?.kind;
  if (kind === undefined || kind === "bridge") return;
  throw new SystemError(
    `${name} is no bridge; make one (ip link add NAME type bridge) and say -b NAME, or leave out -b`,
  );
}

/** The addresses of containers: all of the network, or a part of it. @since Docker 1.3 */
function addressPool(job: Job, network: IPNet): IPAllocator {
  const ips = new IPAllocator();
  const fixed = job.getenv("FixedCIDR");
  if (fixed !== "") ips.registerSubnet(network, parseCIDR(fixed));
  return ips;
}

/**
 * Takes down what a killed daemon left on the bridge.
 *
 * @deviation 1.2.0 leaves it to the kernel, which waits for the last process in each namespace.
 */
function removeStaleLinks(host: Pick<Host, "kernel">, links: Links, bridge: string): void {
  const all = links.list();
  const index = all.find((link) => link.name === bridge)?.index;
  const stale = all.filter(({ master, alias }) => master === index && isLeftover(host, alias));
  links.remove(...stale.map(({ name }) => name));
}

/**
 * A container may send router advertisements; the host must not believe them (CVE-2020-13401).
 *
 * @since Docker 19.03.11
 */
async function acceptNoRouters(host: Pick<Host, "fs">, bridge: string): Promise<void> {
  // A kernel without IPv6 has no such file, and no such problem.
  await host.fs.writeFile(`/proc/sys/net/ipv6/conf/${bridge}/accept_ra`, "0\n").catch(() => undefined);
}

/** All rules in one go. @returns the chain for published ports, when there are to be rules */
function filter(iptables: Iptables, log: Logger, job: Job, bridge: string, network: IPNet): Promise<Chain | undefined> {
  const enabled = job.getenvBool("EnableIptables");
  const icc = job.getenvBool("InterContainerCommunication");
  const ipMasq = !job.envExists("EnableIpMasq") || job.getenvBool("EnableIpMasq");
  return transact(iptables, async (run) => {
    if (enabled) await setupIPTables(run, log, { bridge, network: formatCIDR(network), icc, ipMasq });
    // Tried in any case: an earlier daemon may have had rules.
    await Chain.removeExisting(run, "DOCKER");
    await removeLeftovers(run, bridge);
    return enabled ? await Chain.create(run, "DOCKER", bridge) : undefined;
  });
}

/** Makes a router of this machine. */
async function forwardPackets(host: Pick<Host, "fs">, job: Job): Promise<void> {
  if (!job.getenvBool("EnableIpForward")) return;
  const path = "/proc/sys/net/ipv4/ip_forward";
  try {
    await host.fs.writeFile(path, "1\n");
  } catch (cause) {
    job.logf(`WARNING: unable to enable IPv4 forwarding: open ${path}: ${errnoText(cause)}\n`);
  }
}

/**
 * Sends packets between two containers through the filter: without it `--icc=false` would keep nobody apart.
 *
 * @deviation In the kernels of 1.2.0's time they always went there; since Linux 3.18 it takes a module.
 */
async function filterBridge(host: Pick<Host, "fs" | "exec">, job: Job): Promise<void> {
  const path = "/proc/sys/net/bridge/bridge-nf-call-iptables";
  const enable = () => host.fs.writeFile(path, "1\n");
  try {
    await enable().catch(async (cause: unknown) => {
      if (!isErrno(cause, "ENOENT")) throw cause;
      await host.exec.run("modprobe", ["br_netfilter"]).catch(() => undefined); // seen by what is still not there
      await enable();
    });
  } catch (cause) {
    const cure = "load the kernel module br_netfilter";
    job.logf(`WARNING: containers can talk to each other all the same: open ${path}: ${errnoText(cause)}; ${cure}\n`);
  }
}
