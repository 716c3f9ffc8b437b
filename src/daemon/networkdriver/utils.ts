/**
 * Arithmetic of IPv4 networks, and what the kernel knows about them.
 *
 * @origin daemon/networkdriver/utils.go
 * @module
 */

import { BadRequestError, SystemError } from "../../errdefs/errdefs.ts";
import type { Links } from "../../host/net.ts";
import { NetworkOverlapsError, NetworkOverlapsWithNameserversError } from "./network.ts";

/** An address with the size of its network: Go's `net.IPNet`, where the address may be that of a host. */
export interface IPNet {
  /** Dotted IPv4 address. */
  readonly ip: string;
  /** 0–32. */
  readonly prefix: number;
}

/** Dotted address → number without sign. @throws {BadRequestError} `invalid IP address: …` */
export function ipToInt(ip: string): number {
  const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(ip)?.slice(1).map(Number);
  if (bytes === undefined || bytes.some((byte) => byte > 255)) throw new BadRequestError(`invalid IP address: ${ip}`);
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** Number → dotted address. */
export function intToIP(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".");
}

/** Parses `172.17.42.1/16`. The address keeps its host part. @throws {BadRequestError} with the text of Go's `net.ParseCIDR` */
export function parseCIDR(text: string): IPNet {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(text);
  const prefix = Number(match?.[2] ?? 33);
  try {
    if (match !== null && prefix <= 32) return { ip: intToIP(ipToInt(match[1]!)), prefix };
  } catch (cause) {
    throw new BadRequestError(`invalid CIDR address: ${text}`, { cause });
  }
  throw new BadRequestError(`invalid CIDR address: ${text}`);
}

/** `172.17.42.1/16` */
export const formatCIDR = ({ ip, prefix }: IPNet): string => `${ip}/${prefix}`;

/** Bits of the network part as a number. */
const maskOf = (prefix: number): number => (prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0);

/** The mask as Go shows it: `ffff0000`. */
export const maskText = (prefix: number): string => maskOf(prefix).toString(16).padStart(8, "0");

/** First and last address. @origin daemon/networkdriver/utils.go NetworkRange */
export function networkRange(network: IPNet): [first: number, last: number] {
  const mask = maskOf(network.prefix);
  const first = (ipToInt(network.ip) & mask) >>> 0;
  return [first, (first | ~mask) >>> 0];
}

/** How many addresses there are. @origin daemon/networkdriver/utils.go NetworkSize */
export const networkSize = (prefix: number): number => 2 ** (32 - prefix);

/** Whether the network has the address. */
export function contains(network: IPNet, ip: string): boolean {
  const [first, last] = networkRange(network);
  const value = ipToInt(ip);
  return first <= value && value <= last;
}

/** @origin daemon/networkdriver/utils.go NetworkOverlaps */
export function networkOverlaps(a: IPNet, b: IPNet): boolean {
  const [firstA, lastA] = networkRange(a);
  const [firstB, lastB] = networkRange(b);
  return firstA <= lastB && firstB <= lastA;
}

/** @throws {NetworkOverlapsWithNameserversError} @origin daemon/networkdriver/utils.go CheckNameserverOverlaps */
export function checkNameserverOverlaps(nameservers: readonly string[], network: IPNet): void {
  for (const server of nameservers) {
    if (networkOverlaps(network, parseCIDR(server))) throw new NetworkOverlapsWithNameserversError();
  }
}

/** The default route does not count. @throws {NetworkOverlapsError} @origin daemon/networkdriver/utils.go CheckRouteOverlaps */
export function checkRouteOverlaps(links: Pick<Links, "routes">, network: IPNet): void {
  for (const { destination } of links.routes()) {
    if (destination !== "0.0.0.0/0" && networkOverlaps(network, parseCIDR(destination)))
      throw new NetworkOverlapsError();
  }
}

/**
 * There is no link of that name.
 *
 * @deviation Says which one, and what to do; 1.2.0 ends with `route ip+net: no such network interface`.
 */
export class NoSuchInterfaceError extends SystemError {
  /** @param name - that of the link */
  constructor(name: string) {
    const cure = `make it first (ip link add ${name} type bridge), or leave out -b`;
    super(`route ip+net: no such network interface: ${name}; ${cure}`);
  }
}

/**
 * The IPv4 address of a link: the first, if there are more.
 *
 * @param print - told when there are more
 * @throws {NoSuchInterfaceError} when there is no such link
 * @throws {SystemError} when it has no address
 * @origin daemon/networkdriver/utils.go GetIfaceAddr
 */
export function getIfaceAddr(
  links: Pick<Links, "list" | "addresses">,
  name: string,
  print: (line: string) => void,
): IPNet {
  const link = links.list().find((one) => one.name === name);
  if (link === undefined) throw new NoSuchInterfaceError(name);
  const [first, ...others] = links.addresses().filter(({ index }) => index === link.index);
  if (first === undefined) throw new SystemError(`Interface ${name} has no IP addresses`);
  if (others.length > 0) {
    print(`Interface ${name} has more than 1 IPv4 address. Defaulting to using ${first.address}`);
  }
  return { ip: first.address, prefix: first.prefix };
}
