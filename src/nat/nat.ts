/**
 * Ports as Docker writes them: `80/tcp`, and `127.0.0.1:8080:80` for a published one.
 *
 * @origin nat/nat.go
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";
import { parseIP } from "../pkg/net/ip.ts";
import { partParser } from "../pkg/parsers/parsers.ts";
import { NumError, parseUint } from "../pkg/strconv/strconv.ts";

/** @origin nat/nat.go PortSpecTemplate */
export const portSpecTemplate = "ip:hostPort:containerPort";

/** @origin nat/nat.go PortSpecTemplateFormat */
export const portSpecTemplateFormat = "ip:hostPort:containerPort | ip::containerPort | hostPort:containerPort";

/** `80/tcp`. @origin nat/nat.go Port */
export type Port = string;

/** Where a port is published; an empty text lets the daemon choose. @origin nat/nat.go PortBinding */
export interface PortBinding {
  HostIp: string;
  HostPort: string;
}

/** @origin nat/nat.go PortSet */
export type PortSet = Record<Port, Record<string, never>>;

/** Where each port is published; `null` or an empty list: nowhere. @origin nat/nat.go PortMap */
export type PortMap = Record<Port, PortBinding[] | null>;

/** @origin nat/nat.go NewPort */
export function newPort(proto: string, port: string): Port {
  return `${port}/${proto}`;
}

/**
 * The number of a port from 0 to 65535.
 *
 * @throws {BadRequestError} with strconv's text
 * @origin nat/nat.go ParsePort
 */
export function parsePort(text: string): number {
  try {
    return parseUint(text, 10, 16);
  } catch (cause) {
    if (cause instanceof NumError) throw new BadRequestError(cause.message, { cause });
    throw cause;
  }
}

/** The protocol; `tcp` when none is given. @origin nat/nat.go (Port).Proto */
export function protoOf(port: Port): string {
  return port.split("/")[1] ?? "tcp";
}

/** The text before the protocol. @origin nat/nat.go (Port).Port */
export function portOf(port: Port): string {
  return port.split("/")[0] ?? "";
}

/**
 * The number of a port.
 *
 * @throws {BadRequestError} when it is none; a client may have sent anything
 * @origin nat/nat.go (Port).Int
 * @deviation A clear error, where 1.2.0 panics and the connection breaks.
 */
export function intOf(port: Port): number {
  return parsePort(portOf(port));
}

/** Splits `80/tcp`; both parts are empty for the empty text. @origin nat/nat.go SplitProtoPort */
export function splitProtoPort(text: string): [proto: string, port: string] {
  if (text === "") return ["", ""];
  return [protoOf(text), portOf(text)];
}

const protocols = new Set(["tcp", "udp"]);

/** What {@link parsePortSpecs} makes of a list. */
export interface PortSpecs {
  exposedPorts: PortSet;
  bindings: Record<Port, PortBinding[]>;
}

/**
 * Reads port specifications such as `80`, `8080:80`, `127.0.0.1::53/udp`.
 *
 * @throws {BadRequestError} naming the first part that is wrong
 * @origin nat/nat.go ParsePortSpecs
 */
export function parsePortSpecs(specs: readonly string[]): PortSpecs {
  const exposedPorts: PortSet = {};
  const bindings: Record<Port, PortBinding[]> = {};
  for (const spec of specs) {
    const { port, binding } = parsePortSpec(spec);
    exposedPorts[port] = {};
    (bindings[port] ??= []).push(binding);
  }
  return { exposedPorts, bindings };
}

function parsePortSpec(spec: string): { port: Port; binding: PortBinding } {
  const slash = spec.lastIndexOf("/");
  const proto = slash < 0 ? "tcp" : spec.slice(slash + 1);
  const address = slash < 0 ? spec : spec.slice(0, slash);
  const colons = address.split(":").length - 1;
  const full = colons === 0 ? `::${address}` : colons === 1 ? `:${address}` : address;
  const { ip, hostPort, containerPort } = partParser(portSpecTemplate, full);
  if (ip !== "" && parseIP(ip) === undefined) throw new BadRequestError(`Invalid ip address: ${ip}`);
  if (containerPort === "") throw new BadRequestError(`No port specified: ${full}<empty>`);
  if (!isPort(containerPort)) throw new BadRequestError(`Invalid containerPort: ${containerPort}`);
  if (hostPort !== "" && !isPort(hostPort)) throw new BadRequestError(`Invalid hostPort: ${hostPort}`);
  if (!protocols.has(proto)) throw new BadRequestError(`Invalid proto: ${proto}`);
  return { port: newPort(proto, containerPort), binding: { HostIp: ip, HostPort: hostPort } };
}

function isPort(text: string): boolean {
  return /^[0-9]+$/.test(text) && Number(text) <= 65535;
}

/**
 * Sorts ports in place.
 *
 * @param before - whether the first port comes before the second
 * @origin nat/sort.go Sort
 */
export function sortPorts(ports: Port[], before: (a: Port, b: Port) => boolean): Port[] {
  return ports.sort((a, b) => (before(a, b) ? -1 : before(b, a) ? 1 : 0));
}
