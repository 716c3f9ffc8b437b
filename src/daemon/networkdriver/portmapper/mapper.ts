/**
 * Published ports: from a port of this machine to a port of a container.
 *
 * @origin daemon/networkdriver/portmapper/mapper.go
 * @module
 */

import { isErrno, SystemError } from "../../../errdefs/errdefs.ts";
import { errnoText } from "../../../errdefs/errno-text.ts";
import type { Host } from "../../../host/host.ts";
import type { PortForward } from "../../../host/net.ts";
import type { Chain } from "../../../pkg/iptables/chain.ts";
import type { Iptables } from "../../../pkg/iptables/iptables.ts";
import { type PortAllocator, PortAlreadyAllocatedError, type Proto } from "../portallocator/portallocator.ts";

/** An address and a port of one protocol. */
export interface Endpoint {
  readonly proto: Proto;
  readonly ip: string;
  readonly port: number;
}

/** `172.17.0.2:80` */
export const endpointText = ({ ip, port }: Endpoint): string => `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;

interface Mapping {
  readonly host: Endpoint;
  readonly container: Endpoint;
  /** What holds the port; nothing when the address is not this machine's. */
  readonly forward: PortForward | undefined;
}

/** All mappings of a driver. */
export class PortMapper {
  readonly #host: Pick<Host, "net">;
  readonly #ports: PortAllocator;
  readonly #iptables: Iptables;
  readonly #mappings = new Map<string, Mapping>();
  #chain: Chain | undefined;

  /** @param ports - says which ports are free */
  constructor(host: Pick<Host, "net">, ports: PortAllocator, iptables: Iptables) {
    this.#host = host;
    this.#ports = ports;
    this.#iptables = iptables;
  }

  /** From now on packets from outside go to the container by iptables. @origin daemon/networkdriver/portmapper/mapper.go SetIptablesChain */
  setIptablesChain(chain: Chain | undefined): void {
    this.#chain = chain;
  }

  /**
   * Publishes a port.
   *
   * @param hostPort - 0: the next free one
   * @throws {PortAlreadyAllocatedError} when a container or another program has it
   * @origin daemon/networkdriver/portmapper/mapper.go Map
   * @deviation The port is held by a listening socket before anything else happens, so that a port another program has
   *   is an error, and `0.0.0.0` and a single address do not get the same automatic port. 1.2.0 starts a proxy process
   *   and does not look whether it got the port.
   */
  async map(container: Endpoint, hostIp: string, hostPort: number): Promise<Endpoint> {
    const { proto } = container;
    const port = this.#ports.requestPort(hostIp, proto, hostPort);
    const host: Endpoint = { proto, ip: hostIp, port };
    let forward: PortForward | undefined;
    try {
      if (this.#mappings.has(keyOf(host))) throw new SystemError("port is already mapped to ip");
      forward = await this.#hold(host, container);
      await this.#forward("-A", host, container);
      this.#mappings.set(keyOf(host), { host, container, forward });
      return host;
    } catch (cause) {
      await forward?.close();
      this.#ports.releasePort(hostIp, proto, port);
      throw cause;
    }
  }

  /**
   * Takes the port from the other programs of this machine.
   *
   * @returns nothing for an address that this machine does not have (yet), when iptables can do without: packets for it
   *   may be routed through here all the same
   */
  async #hold(host: Endpoint, container: Endpoint): Promise<PortForward | undefined> {
    const to = { host: container.ip, port: container.port };
    try {
      return await this.#host.net.forwardPort(host.proto, { host: host.ip, port: host.port }, to);
    } catch (cause) {
      if (isErrno(cause, "EADDRINUSE")) throw new PortAlreadyAllocatedError(host.ip, host.port, { cause });
      if (isErrno(cause, "EADDRNOTAVAIL") && this.#chainFor(host) !== undefined) return undefined;
      throw new SystemError(`listen ${host.proto} ${endpointText(host)}: ${errnoText(cause)}`, { cause });
    }
  }

  /**
   * Takes a published port back.
   *
   * @throws {SystemError} `port is not mapped`; or when iptables fails, and the port is free all the same
   * @origin daemon/networkdriver/portmapper/mapper.go Unmap
   */
  async unmap(host: Endpoint): Promise<void> {
    const mapping = this.#mappings.get(keyOf(host));
    if (mapping === undefined) throw new SystemError("port is not mapped");
    this.#mappings.delete(keyOf(host));
    try {
      await Promise.all([mapping.forward?.close(), this.#forward("-D", host, mapping.container)]);
    } finally {
      this.#ports.releasePort(host.ip, host.proto, host.port);
    }
  }

  /** @origin daemon/networkdriver/portmapper/mapper.go forward */
  async #forward(action: "-A" | "-D", host: Endpoint, container: Endpoint): Promise<void> {
    const { proto, ip, port } = host;
    const rule = { proto, ip, port, toIp: container.ip, toPort: container.port };
    await this.#chainFor(host)?.forward(this.#iptables, action, rule);
  }

  /**
   * Where the rule for a port goes, if there is to be one.
   *
   * @deviation No rules for 127.0.0.0/8: packets to there never come from outside, unless somebody on the same wire
   *   forges them, and then the rule would let them in. Nor for IPv6, which the rules cannot express.
   */
  #chainFor({ ip }: Endpoint): Chain | undefined {
    return ip.startsWith("127.") || ip.includes(":") ? undefined : this.#chain;
  }
}

/** @origin daemon/networkdriver/portmapper/mapper.go getKey */
const keyOf = (endpoint: Endpoint): string => `${endpointText(endpoint)}/${endpoint.proto}`;
