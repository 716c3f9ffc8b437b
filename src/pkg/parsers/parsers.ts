/**
 * Small formats that client and daemon share: hosts, repository tags, templates with colons.
 *
 * @origin pkg/parsers/parsers.go
 * @module
 */

import { BadRequestError } from "../../errdefs/errdefs.ts";
import { parseInteger } from "../strconv/strconv.ts";

function badAddress(address: string): BadRequestError {
  return new BadRequestError(`Invalid bind address format: ${address}`);
}

/**
 * Completes a `-H` argument: `:2375` becomes `tcp://127.0.0.1:2375`.
 *
 * @param defaultHost - for an address without one
 * @param defaultUnix - socket for nothing at all, and for `unix://`
 * @throws {BadRequestError} for other schemes, for TCP without a port, and for IPv6 (more than one colon)
 * @origin pkg/parsers/parsers.go ParseHost
 */
export function parseHost(defaultHost: string, defaultUnix: string, text: string): string {
  const address = text.trim();
  if (address === "" || address === "unix://") return `unix://${defaultUnix}`;
  if (address === "tcp://") throw badAddress(address);
  if (address.startsWith("unix://") || address.startsWith("fd://")) return address;
  const tcp = address.startsWith("tcp://") ? address.slice("tcp://".length) : address;
  if (tcp === address && address.includes("://")) {
    throw new BadRequestError(`Invalid bind address protocol: ${address}`);
  }
  const [host = "", port, ...more] = tcp.split(":");
  if (port === undefined || more.length > 0) throw badAddress(tcp);
  return `tcp://${host === "" ? defaultHost : host}:${portOf(port, tcp)}`;
}

function portOf(text: string, address: string): number {
  try {
    const port = parseInteger(text);
    if (port !== 0) return port;
  } catch (cause) {
    throw new BadRequestError(`Invalid bind address format: ${address}`, { cause });
  }
  throw badAddress(address);
}

/**
 * Splits `name:tag`. A colon before a slash belongs to a registry's port.
 *
 * @returns the repository, and the tag or the empty text
 * @origin pkg/parsers/parsers.go ParseRepositoryTag
 */
export function parseRepositoryTag(text: string): [repository: string, tag: string] {
  const colon = text.lastIndexOf(":");
  if (colon < 0 || text.includes("/", colon)) return [text, ""];
  return [text.slice(0, colon), text.slice(colon + 1)];
}

/**
 * Splits data at its colons and names the parts after the template's.
 *
 * @throws {BadRequestError} when there are more or fewer parts
 * @origin pkg/parsers/parsers.go PartParser
 */
export function partParser<T extends string>(template: T, data: string): Record<PartsOf<T>, string> {
  const names = template.split(":");
  const parts = data.split(":");
  if (parts.length !== names.length) {
    throw new BadRequestError(`Invalid format to parse.  ${data} should match template ${template}`);
  }
  return Object.fromEntries(names.map((name, i) => [name, parts[i]])) as Record<PartsOf<T>, string>;
}

/** `"a:b"` → `"a" | "b"`. */
export type PartsOf<T extends string> = T extends `${infer Head}:${infer Tail}` ? Head | PartsOf<Tail> : T;

/**
 * Splits `key=value` at the first `=` and trims both.
 *
 * @throws {BadRequestError} without `=`
 * @origin pkg/parsers/parsers.go ParseKeyValueOpt
 */
export function parseKeyValueOpt(text: string): [key: string, value: string] {
  const equals = text.indexOf("=");
  if (equals < 0) throw new BadRequestError(`Unable to parse key/value option: ${text}`);
  return [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
}
