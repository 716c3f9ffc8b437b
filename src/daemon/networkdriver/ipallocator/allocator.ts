/**
 * Addresses of containers.
 *
 * An address that was given back is used again only after all the others: a neighbour may still have it in its ARP
 * table.
 *
 * @origin daemon/networkdriver/ipallocator/allocator.go
 * @module
 */

import { ConflictError, SystemError } from "../../../errdefs/errdefs.ts";
import { contains, formatCIDR, type IPNet, intToIP, ipToInt, networkRange, networkSize } from "../utils.ts";

/** @origin daemon/networkdriver/ipallocator/allocator.go ErrNoAvailableIPs */
export class NoAvailableIPsError extends SystemError {
  /** The text is always the same. */
  constructor() {
    super("no available ip addresses on network");
  }
}

/** @origin daemon/networkdriver/ipallocator/allocator.go ErrIPAlreadyAllocated */
export class IPAlreadyAllocatedError extends ConflictError {
  /** The text is always the same. */
  constructor() {
    super("ip already allocated");
  }
}

/** Addresses of one network, by their distance from its first. @origin daemon/networkdriver/ipallocator/allocator.go allocatedMap */
interface Allocated {
  readonly taken: Set<number>;
  last: number;
  /** Lowest and highest position given out. */
  readonly begin: number;
  readonly end: number;
}

/** All networks of a driver. Nothing in here waits, so no two callers meet. */
export class IPAllocator {
  readonly #networks = new Map<string, Allocated>();

  /**
   * Restricts a network to a part of it (`--fixed-cidr`).
   *
   * @throws {SystemError} when it is not a part of it, or the network is in use
   * @since Docker 1.3
   */
  registerSubnet(network: IPNet, subnet: IPNet): void {
    const [first, last] = networkRange(network);
    const [subFirst, subLast] = networkRange(subnet);
    if (this.#networks.has(formatCIDR(network))) throw new SystemError("network already registered");
    // The first and the last address of the part are left out as well.
    const [begin, end] = [subFirst + 1 - first, subLast - 1 - first];
    if (begin < 1 || end > last - first - 1 || begin >= end) {
      throw new SystemError("network does not contain specified subnet");
    }
    this.#networks.set(formatCIDR(network), { taken: new Set(), last: begin - 1, begin, end });
  }

  /**
   * Takes an address.
   *
   * @param network - the network, with the address of its gateway
   * @param ip - the one to take; default: the next free one, never the gateway's nor the first of the network
   * @throws {NoAvailableIPsError}
   * @throws {IPAlreadyAllocatedError}
   * @origin daemon/networkdriver/ipallocator/allocator.go RequestIP
   */
  requestIP(network: IPNet, ip?: string): string {
    const allocated = this.#of(network);
    if (ip === undefined) return this.#next(network, allocated);
    if (!contains(network, ip)) throw new SystemError("requested ip is out of range");
    const position = ipToInt(ip) - networkRange(network)[0];
    if (allocated.taken.has(position)) throw new IPAlreadyAllocatedError();
    allocated.taken.add(position);
    allocated.last = position;
    return ip;
  }

  /** Gives an address back; one that was not taken is no error. @origin daemon/networkdriver/ipallocator/allocator.go ReleaseIP */
  releaseIP(network: IPNet, ip: string): void {
    this.#networks.get(formatCIDR(network))?.taken.delete(ipToInt(ip) - networkRange(network)[0]);
  }

  #of(network: IPNet): Allocated {
    const key = formatCIDR(network);
    let allocated = this.#networks.get(key);
    if (allocated === undefined) {
      // Without the network's own address and the broadcast address.
      allocated = { taken: new Set(), last: 0, begin: 1, end: networkSize(network.prefix) - 2 };
      this.#networks.set(key, allocated);
    }
    return allocated;
  }

  #next(network: IPNet, allocated: Allocated): string {
    const [first] = networkRange(network);
    const own = ipToInt(network.ip) - first;
    const { begin, end, taken } = allocated;
    let position = allocated.last;
    for (let tried = begin; tried <= end; tried++) {
      position = position < begin || position >= end ? begin : position + 1;
      if (position === own || position === 1 || taken.has(position)) continue;
      taken.add(position);
      allocated.last = position;
      return intToIP(first + position);
    }
    throw new NoAvailableIPsError();
  }
}
