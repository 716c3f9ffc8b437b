/**
 * The kernel's table of network interfaces, in memory: bridges, addresses and routes are remembered, no packet moves.
 *
 * @module
 */

import type { Link, LinkAddress, Links, Route } from "../../src/host/net.ts";

/** What a machine has before Docker comes. */
export interface MachineLinks {
  readonly links?: readonly Link[];
  readonly addresses?: readonly LinkAddress[];
  readonly routes?: readonly Route[];
}

/** Loopback, and one card with the default route. */
export const plainMachine: Required<MachineLinks> = {
  links: [
    { index: 1, name: "lo", up: true, mtu: 65536, mac: "", master: 0 },
    { index: 2, name: "eth0", up: true, mtu: 1500, mac: "02:00:00:00:00:02", master: 0 },
  ],
  addresses: [{ index: 2, address: "192.0.2.10", prefix: 24 }],
  routes: [
    { destination: "0.0.0.0/0", gateway: "192.0.2.1", index: 2 },
    { destination: "192.0.2.0/24", gateway: undefined, index: 2 },
  ],
};

/** Remembers what it is told; each conversation closes for itself. */
export class MemoryLinks implements Links {
  #links: Link[];
  #addresses: LinkAddress[];
  #routes: Route[];

  /** @param machine - default: {@link plainMachine} */
  constructor(machine: MachineLinks = plainMachine) {
    this.#links = [...(machine.links ?? [])];
    this.#addresses = [...(machine.addresses ?? [])];
    this.#routes = [...(machine.routes ?? [])];
  }

  list(): Link[] {
    return [...this.#links];
  }

  addresses(): LinkAddress[] {
    return [...this.#addresses];
  }

  routes(): Route[] {
    return [...this.#routes];
  }

  addBridge(name: string, mac = ""): void {
    this.#add({ name, mac, mtu: 1500 });
  }

  addVeth({ name, peerMac = "", mtu, alias }: Parameters<Links["addVeth"]>[0]): void {
    this.#add({ name, mac: peerMac, mtu: mtu || 1500, ...(alias === undefined ? {} : { alias }) });
  }

  #add(link: Pick<Link, "name" | "mac" | "mtu" | "alias">): void {
    if (this.#links.some(({ name }) => name === link.name)) {
      throw Object.assign(new Error(`EEXIST: ${link.name}`), { code: "EEXIST", errno: -17, syscall: "netlink" });
    }
    const index = Math.max(0, ...this.#links.map((one) => one.index)) + 1;
    this.#links.push({ index, up: false, master: 0, ...link });
  }

  setMaster(name: string, bridge: string): void {
    this.#change(name, { master: this.#find(bridge).index });
  }

  setUp(name: string): void {
    this.#change(name, { up: true });
  }

  addAddress(name: string, cidr: string): void {
    const [address = "", prefix] = cidr.split("/");
    const { index } = this.#find(name);
    this.#addresses.push({ index, address, prefix: Number(prefix) });
    const kept = address.split(".").map((part, i) => (Number(prefix) >= 8 * (i + 1) ? part : "0"));
    this.#routes.push({ destination: `${kept.join(".")}/${prefix}`, gateway: undefined, index });
  }

  addDefaultRoute(gateway: string): void {
    this.#routes.push({ destination: "0.0.0.0/0", gateway, index: 1 });
  }

  remove(...names: string[]): void {
    const gone = new Set(this.#links.filter(({ name }) => names.includes(name)).map(({ index }) => index));
    this.#links = this.#links.filter(({ index }) => !gone.has(index));
    this.#addresses = this.#addresses.filter(({ index }) => !gone.has(index));
    this.#routes = this.#routes.filter(({ index }) => !gone.has(index));
  }

  close(): void {}

  #find(name: string): Link {
    const found = this.#links.find((link) => link.name === name);
    if (found !== undefined) return found;
    throw Object.assign(new Error(`ENODEV: ${name}`), { code: "ENODEV", errno: -19, syscall: "netlink" });
  }

  #change(name: string, change: Partial<Link>): void {
    const { index } = this.#find(name);
    this.#links = this.#links.map((link) => (link.index === index ? { ...link, ...change } : link));
  }
}
