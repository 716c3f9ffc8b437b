/**
 * Ports of this machine that are given to containers.
 *
 * @origin daemon/networkdriver/portallocator/portallocator.go
 * @module
 */

import { SystemError } from "../../../errdefs/errdefs.ts";

/** Transport protocols that have ports. */
export type Proto = "tcp" | "udp";

/** First port given out by itself. @origin daemon/networkdriver/portallocator/portallocator.go BeginPortRange */
export const BEGIN_PORT_RANGE = 49153;

/** Last port given out by itself. @origin daemon/networkdriver/portallocator/portallocator.go EndPortRange */
export const END_PORT_RANGE = 65535;

/** @origin daemon/networkdriver/portallocator/portallocator.go ErrPortAlreadyAllocated */
export class PortAlreadyAllocatedError extends SystemError {
  /** `0.0.0.0:80`. @origin daemon/networkdriver/portallocator/portallocator.go (ErrPortAlreadyAllocated).IPPort */
  readonly ipPort: string;

  /** Names the address and the port. */
  constructor(ip: string, port: number, options?: ErrorOptions) {
    super(`Bind for ${ip}:${port} failed: port is already allocated`, options);
    this.ipPort = `${ip}:${port}`;
  }
}

/** @origin daemon/networkdriver/portallocator/portallocator.go ErrAllPortsAllocated */
export class AllPortsAllocatedError extends SystemError {
  /** The text is always the same. */
  constructor() {
    super("all ports are allocated");
  }
}

/** Ports by address and protocol. Different addresses do not know of each other. */
export class PortAllocator {
  readonly #maps = new Map<string, { taken: Set<number>; last: number }>();

  /**
   * Takes a port.
   *
   * @param port - 0: the next free one
   * @throws {PortAlreadyAllocatedError}
   * @throws {AllPortsAllocatedError}
   * @origin daemon/networkdriver/portallocator/portallocator.go RequestPort
   */
  requestPort(ip: string, proto: string, port: number): number {
    if (proto !== "tcp" && proto !== "udp") throw new SystemError("unknown protocol");
    const key = `${ip}/${proto}`;
    const map = this.#maps.get(key) ?? { taken: new Set<number>(), last: END_PORT_RANGE };
    this.#maps.set(key, map);
    if (port > 0) {
      if (map.taken.has(port)) throw new PortAlreadyAllocatedError(ip, port);
      map.taken.add(port);
      return port;
    }
    for (let tried = BEGIN_PORT_RANGE; tried <= END_PORT_RANGE; tried++) {
      map.last = map.last >= END_PORT_RANGE ? BEGIN_PORT_RANGE : map.last + 1;
      if (map.taken.has(map.last)) continue;
      map.taken.add(map.last);
      return map.last;
    }
    throw new AllPortsAllocatedError();
  }

  /** Gives a port back; one that was not taken is no error. @origin daemon/networkdriver/portallocator/portallocator.go ReleasePort */
  releasePort(ip: string, proto: string, port: number): void {
    this.#maps.get(`${ip}/${proto}`)?.taken.delete(port);
  }

  /** @origin daemon/networkdriver/portallocator/portallocator.go ReleaseAll */
  releaseAll(): void {
    this.#maps.clear();
  }
}
