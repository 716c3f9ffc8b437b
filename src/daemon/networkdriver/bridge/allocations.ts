/**
 * The books of the bridge: which container has which address and which ports.
 *
 * @origin daemon/networkdriver/bridge/driver.go Allocate, Release, AllocatePort
 * @module
 */

import { Env } from "../../../engine/env.ts";
import { type Handler, type Job, Status } from "../../../engine/job.ts";
import { messageOf, SystemError } from "../../../errdefs/errdefs.ts";
import type { Logger } from "../../../pkg/log/log.ts";
import { parseIP } from "../../../pkg/net/ip.ts";
import type { IPAllocator } from "../ipallocator/allocator.ts";
import { PortAlreadyAllocatedError } from "../portallocator/portallocator.ts";
import { type Endpoint, endpointText, type PortMapper } from "../portmapper/mapper.ts";
import { type IPNet, maskText } from "../utils.ts";

/** @origin daemon/networkdriver/bridge/driver.go MaxAllocatedPortAttempts */
const MAX_ALLOCATED_PORT_ATTEMPTS = 10;

/** @origin daemon/networkdriver/bridge/driver.go networkInterface */
interface NetworkInterface {
  readonly ip: string;
  readonly ports: Endpoint[];
}

/** What the books are about. */
export interface AllocationOptions {
  readonly bridge: string;
  readonly network: IPNet;
  /** Where ports are published when nobody says where. */
  readonly defaultBindingIP: string;
  readonly ips: IPAllocator;
  readonly mapper: PortMapper;
  readonly log: Logger;
}

/** Handlers of the jobs per container. The first argument of each is the container's id. */
export class Allocations {
  readonly #options: AllocationOptions;
  readonly #interfaces = new Map<string, NetworkInterface>();

  /** Nobody has an address yet. */
  constructor(options: AllocationOptions) {
    this.#options = options;
  }

  /**
   * Job `allocate_interface`: takes an address. `RequestedIP` asks for a certain one.
   *
   * @origin daemon/networkdriver/bridge/driver.go Allocate
   */
  readonly allocate: Handler = async (job) => {
    const { ips, network, bridge } = this.#options;
    const requested = job.getenv("RequestedIP");
    const ip = ips.requestIP(network, isIPv4(requested) ? requested : undefined);
    this.#interfaces.set(idOf(job), { ip, ports: [] });
    const out = new Env();
    out.set("IP", ip);
    out.set("Mask", maskText(network.prefix));
    out.set("Gateway", network.ip);
    out.set("Bridge", bridge);
    out.setInt("IPPrefixLen", network.prefix);
    await out.writeTo(job.stdout);
  };

  /**
   * Job `release_interface`: gives the address and all ports back.
   *
   * @origin daemon/networkdriver/bridge/driver.go Release
   * @deviation The entry is forgotten: releasing twice is an error. In 1.2.0 the second time gives back an address that
   *   may be another container's by then.
   */
  readonly release: Handler = async (job) => {
    const { ips, network, mapper, log } = this.#options;
    const id = idOf(job);
    const found = this.#interfaces.get(id);
    if (found === undefined) return job.errorf(`No network information to release for ${id}`);
    this.#interfaces.delete(id);
    await Promise.all(
      found.ports.map((port) =>
        mapper.unmap(port).catch((cause: unknown) => {
          log.info(`Unable to unmap port ${endpointText(port)}: ${messageOf(cause)}`);
        }),
      ),
    );
    // Last: whoever has the address next must not receive what was published for this one.
    ips.releaseIP(network, found.ip);
    return Status.OK;
  };

  /** Gives all ports back: the daemon ends, and the engine runs no more jobs. @origin daemon/daemon.go shutdown (portallocator.ReleaseAll) */
  async releaseAll(): Promise<void> {
    const { mapper, log } = this.#options;
    const ports = [...this.#interfaces.values()].flatMap((found) => found.ports.splice(0));
    await Promise.all(
      ports.map((port) =>
        mapper.unmap(port).catch((cause: unknown) => {
          log.info(`Unable to unmap port ${endpointText(port)}: ${messageOf(cause)}`);
        }),
      ),
    );
  }

  /**
   * Job `allocate_port`: publishes `ContainerPort`/`Proto` at `HostIP`:`HostPort`; 0 is the next free port.
   *
   * @origin daemon/networkdriver/bridge/driver.go AllocatePort
   * @deviation What is no address or no port is named; 1.2.0 hands it to iptables and answers ` (exit status 2)`.
   */
  readonly allocatePort: Handler = async (job) => {
    const id = idOf(job);
    const found = this.#interfaces.get(id);
    const proto = job.getenv("Proto");
    if (proto !== "tcp" && proto !== "udp") return job.errorf(`unsupported address type ${proto}`);
    if (found === undefined) return job.errorf(`No network information for ${id}`);
    const container: Endpoint = { proto, ip: found.ip, port: portOf(job, "ContainerPort") };
    const host = await this.#map(job, container, this.#hostIP(job), portOf(job, "HostPort"));
    found.ports.push(host);
    const out = new Env();
    out.set("HostIP", host.ip);
    out.setInt("HostPort", host.port);
    await out.writeTo(job.stdout);
    return Status.OK;
  };

  /** Where the port is to be published. Never a host's name: nobody may make us ask a name server here. */
  #hostIP(job: Job): string {
    const text = job.getenv("HostIP");
    if (text === "") return this.#options.defaultBindingIP;
    const ip = parseIP(text);
    if (ip === undefined) throw new SystemError(`Invalid HostIP: ${text}`);
    return ip;
  }

  /** Tries until there is a port. One that was asked for is tried once. */
  async #map(job: Job, container: Endpoint, hostIP: string, hostPort: number): Promise<Endpoint> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#options.mapper.map(container, hostIP, hostPort);
      } catch (cause) {
        const to = endpointText(container);
        if (!(cause instanceof PortAlreadyAllocatedError)) {
          job.logf(`Received an unexpected error during port allocation: ${messageOf(cause)}`);
          throw cause;
        }
        if (hostPort !== 0) {
          job.logf(`Failed to bind ${cause.ipPort} for container address ${to}: ${cause.message}`);
          throw cause;
        }
        job.logf(`Failed to bind ${cause.ipPort} for container address ${to}. Trying another port.`);
        if (attempt === MAX_ALLOCATED_PORT_ATTEMPTS) throw cause;
      }
    }
  }
}

/** The container a job is about. */
function idOf(job: Job): string {
  const [id] = job.args;
  if (id === undefined) throw new SystemError(`usage: ${job.name} <container>`);
  return id;
}

/** A port from the job's environment; 0 when it is not a number, as in 1.2.0. @throws {SystemError} when there is no such port */
function portOf(job: Job, name: "HostPort" | "ContainerPort"): number {
  const port = job.getenvInt(name);
  if (port < 0 || port > 65535) throw new SystemError(`Invalid ${name}: ${port}`);
  return port;
}

/** Whether a text is an IPv4 address. */
const isIPv4 = (text: string): boolean => /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(text);
