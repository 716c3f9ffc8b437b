/**
 * Which registries may be spoken to without proof of who they are.
 *
 * @since Docker 1.3
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";

/** Says whether plain http and unknown certificates are acceptable for `host[:port]`. */
export type InsecurePolicy = (authority: string) => boolean;

/** The host of `host[:port]`, without the brackets of an IPv6 address. */
export function hostOf(authority: string): string {
  if (authority.startsWith("[")) return authority.slice(1, authority.indexOf("]"));
  const colon = authority.indexOf(":");
  return colon < 0 ? authority : authority.slice(0, colon);
}

function ipv4(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((all, part) => all * 256 + part, 0);
}

/**
 * A network in CIDR notation, as a test for addresses; `undefined` for a text without a slash.
 *
 * @throws {BadRequestError} when it is no IPv4 network
 */
export function network(text: string): ((host: string) => boolean) | undefined {
  const [base = "", bits, more] = text.split("/");
  if (bits === undefined) return undefined;
  const start = ipv4(base);
  const length = /^\d{1,2}$/.test(bits) ? Number(bits) : 99;
  if (start === undefined || length > 32 || more !== undefined) {
    throw new BadRequestError(`Invalid network in --insecure-registry: ${text}`);
  }
  const size = 2 ** (32 - length);
  const first = Math.floor(start / size);
  return (host) => {
    const address = ipv4(host);
    return address !== undefined && Math.floor(address / size) === first;
  };
}

/** Whether a host is this machine itself. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || LOOPBACK(host);
}

const LOOPBACK = network("127.0.0.0/8") as (host: string) => boolean;

/**
 * Makes the policy: this machine itself, and what the administrator named.
 *
 * A name is compared as it is written, with its port; a network with addresses only, names are not looked up.
 *
 * @param named - `host[:port]` or an IPv4 network in CIDR notation
 * @throws {BadRequestError} when a network is none
 * @deviation 1.2.0 falls back to http for every registry, so that whoever can disturb https reads the traffic and the
 *   passwords (CVE-2014-5277).
 */
export function insecurePolicy(named: readonly string[]): InsecurePolicy {
  const networks = named.map(network).filter((match) => match !== undefined);
  const names = new Set(named.filter((text) => !text.includes("/")).map((text) => text.toLowerCase()));
  return (authority) => {
    const host = hostOf(authority.toLowerCase());
    if (isLoopback(host)) return true;
    return names.has(authority.toLowerCase()) || names.has(host) || networks.some((match) => match(host));
  };
}
