/**
 * A container's own end of the network: a namespace, and in it `eth0`, whose other end is on the bridge.
 *
 * 1.2.0 has libcontainer do it while it starts the process; here it is ready before, because runc is given a namespace
 * by its path.
 *
 * @since libcontainer's network strategy "veth" of 1.2.0
 * @module
 */

import { isErrno, SystemError } from "../../errdefs/errdefs.ts";
import { errnoText } from "../../errdefs/errno-text.ts";
import type { Host } from "../../host/host.ts";
import type { Links } from "../../host/net.ts";
import { ipToInt } from "./utils.ts";

/** What a container's interface is to be. */
export interface InterfaceOptions {
  /** The container's. */
  readonly id: string;
  /** Where the namespace is to live. */
  readonly netnsPath: string;
  readonly bridge: string;
  readonly ip: string;
  readonly prefix: number;
  /** "" is none. */
  readonly gateway: string;
  /** 0 is the kernel's default. */
  readonly mtu: number;
}

/** How often a name is drawn before it is believed that something else is wrong. */
const NAME_ATTEMPTS = 4;

/** What our links are marked with, so that a later daemon knows them: the process that made them, and for whom. */
const ALIAS = /^drydock (\d+) (\d+) /;

/** The mark of a link made by this process. */
function aliasOf(host: Pick<Host, "kernel" | "machine">, id: string): string {
  const { pid } = host.machine;
  return `drydock ${pid} ${host.kernel.processStartTime(pid) ?? "0"} ${id}`;
}

/** Whether a link was made by a daemon that is gone. */
export function isLeftover(host: Pick<Host, "kernel">, alias: string | undefined): boolean {
  const match = ALIAS.exec(alias ?? "");
  return match !== null && host.kernel.processStartTime(Number(match[1])) !== match[2];
}

/**
 * The address of `eth0` by its IP: a neighbour that remembers the container that had the IP before is not led astray.
 *
 * @since Docker 1.3
 */
export function macOf(ip: string): string {
  return `02:42:${ipToInt(ip)
    .toString(16)
    .padStart(8, "0")
    .replace(/(..)(?=.)/g, "$1:")}`;
}

/**
 * Makes the namespace and the interface. What an earlier daemon left at the path is replaced.
 *
 * @returns the name of the link on the bridge, and the address of `eth0`
 * @throws when any of it fails; then nothing of it is left
 */
export async function createInterface(
  host: Pick<Host, "net" | "kernel" | "machine" | "random">,
  options: InterfaceOptions,
): Promise<{ vethHost: string; mac: string }> {
  const { netnsPath, ip, prefix, gateway } = options;
  await host.net.createNetns(netnsPath).catch(async (cause: unknown) => {
    if (!isErrno(cause, "EEXIST")) throw cause;
    await host.net.removeNetns(netnsPath);
    await host.net.createNetns(netnsPath);
  });
  try {
    const mac = macOf(ip);
    const vethHost = joinBridge(host, options, mac);
    const inside = host.net.links(netnsPath);
    try {
      inside.addAddress("eth0", `${ip}/${prefix}`);
      inside.setUp("eth0");
      if (gateway !== "") inside.addDefaultRoute(gateway);
    } finally {
      inside.close();
    }
    return { vethHost, mac };
  } catch (cause) {
    await host.net.removeNetns(netnsPath); // the pair goes with it
    throw cause;
  }
}

/** Makes the pair and puts its outer end on the bridge. */
function joinBridge(
  host: Pick<Host, "net" | "kernel" | "machine" | "random">,
  { id, netnsPath, bridge, mtu }: InterfaceOptions,
  peerMac: string,
): string {
  const links = host.net.links();
  try {
    for (let attempt = 1; ; attempt++) {
      const name = `veth${host.random.bytes(4).toString("hex").slice(0, 7)}`;
      try {
        links.addVeth({ name, peer: "eth0", peerNetns: netnsPath, mtu, alias: aliasOf(host, id), peerMac });
      } catch (cause) {
        if (isErrno(cause, "EEXIST") && attempt < NAME_ATTEMPTS) continue;
        throw cause;
      }
      plugIn(links, name, bridge);
      links.setUp(name);
      return name;
    }
  } finally {
    links.close();
  }
}

/** Puts a link on the bridge. @throws {SystemError} when that is not possible: something else may have its name by now */
function plugIn(links: Links, name: string, bridge: string): void {
  try {
    links.setMaster(name, bridge);
  } catch (cause) {
    throw new SystemError(`Cannot connect ${name} to the bridge ${bridge}: ${errnoText(cause)}`, { cause });
  }
}

/**
 * Removes the namespace, and with it the pair. What is not there is no error.
 *
 * The kernel takes the links down by itself when nobody is in the namespace any more: asking for it takes 25 ms in which
 * this process can do nothing else.
 */
export async function removeInterface(host: Pick<Host, "net">, options: { readonly netnsPath: string }): Promise<void> {
  await host.net.removeNetns(options.netnsPath);
}
