/**
 * A network in memory: unix sockets that are files of the volume, and TCP ports of a machine with one user.
 *
 * @module
 */

import type { Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";
import type { Volume } from "memfs";
import type { Clock } from "../clock.ts";
import type { Machine } from "../host.ts";
import type { ListenAddress, Net, TlsIdentity } from "../net.ts";
import { MemoryHttpServer } from "./http.ts";
import { type Endpoint, MemorySocket, systemError } from "./socket.ts";

const S_IFSOCK = 0o140000;
/** The first port for those who do not choose one. */
const FIRST_FREE_PORT = 32768;

/** Something that listens: connections wait in it until a server takes them. */
interface Listener {
  readonly address: Exclude<ListenAddress, { kind: "fd" }>;
  readonly queue: MemorySocket[];
  server: MemoryHttpServer | undefined;
}

/** What the network needs of its host. */
export interface NetWorld {
  readonly volume: Volume;
  readonly clock: Clock;
  readonly machine: Pick<Machine, "uid" | "gid">;
}

const isAnyHost = (host: string) => host === "" || host === "0.0.0.0" || host === "::";

/** An address as it is compared: names of this machine are its loopback address. */
function numeric(host: string, syscall: string): string {
  if (host === "localhost") return "127.0.0.1";
  if (isAnyHost(host)) return "0.0.0.0";
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host) || host.includes(":")) return host;
  throw systemError("ENOTFOUND", 3008, syscall === "listen" ? "getaddrinfo" : syscall, host, { hostname: host });
}

/** Splits `host:port`; an IPv6 address is in brackets. */
function splitHostPort(address: string): Endpoint {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(address);
  if (match === null) throw new RangeError(`Cannot dial ${JSON.stringify(address)}: not host:port`);
  return { host: match[1] || match[2] || "127.0.0.1", port: Number(match[3]) };
}

function refuseTls(call: string): never {
  throw new Error(`Cannot call ${call}() with certificates: the memory host has no TLS`);
}

/** Listens and connects; everything a daemon and its clients need to talk without a machine. */
export class MemoryNet implements Pick<Net, "createHttpServer" | "listen" | "dial"> {
  readonly #world: NetWorld;
  /** By the inode of the socket file, or by an abstract name. */
  readonly #unix = new Map<number | string, Listener>();
  readonly #tcp = new Set<Listener>();
  readonly #descriptors = new Map<number, Listener>();
  #nextPort = FIRST_FREE_PORT;

  constructor(world: NetWorld) {
    this.#world = world;
  }

  readonly createHttpServer: Net["createHttpServer"] = (tls) => {
    if (tls !== undefined) refuseTls("createHttpServer");
    return new MemoryHttpServer(this.#world.clock) as unknown as HttpServer;
  };

  readonly listen: Net["listen"] = async (server, address) => {
    const listener = address.kind === "fd" ? this.#descriptor(address.fd) : this.#bind(address);
    const ours = server as unknown as MemoryHttpServer;
    listener.server = ours;
    ours.listening = true;
    ours.where = whereOf(listener);
    ours.stopListening = () => this.#close(listener);
    for (const socket of listener.queue.splice(0)) queueMicrotask(() => ours.accept(socket));
  };

  readonly dial: Net["dial"] = async (proto, addr, tls?: TlsIdentity & { verify: boolean }): Promise<Duplex> => {
    if (tls !== undefined) refuseTls("dial");
    const [ours, theirs] = proto === "unix" ? this.#dialUnix(addr) : this.#dialTcp(addr);
    const listener = theirs.listener;
    if (listener.server === undefined) listener.queue.push(theirs.socket);
    else queueMicrotask(() => listener.server?.accept(theirs.socket));
    return ours;
  };

  /**
   * Opens a listening socket under a descriptor's number, as an init process does before it starts the daemon.
   * Connections wait in it until somebody serves them.
   */
  inherit(fd: number, address: Exclude<ListenAddress, { kind: "fd" }>): void {
    this.#descriptors.set(fd, this.#bind(address));
  }

  #descriptor(fd: number): Listener {
    const listener = this.#descriptors.get(fd);
    if (listener === undefined) throw systemError("EINVAL", 22, "listen");
    return listener;
  }

  #bind(address: Exclude<ListenAddress, { kind: "fd" }>): Listener {
    if (address.kind === "unix") return this.#bindUnix(address.path);
    const host = numeric(address.host, "listen");
    const port = address.port === 0 ? this.#freePort() : address.port;
    const clash = [...this.#tcp].some(
      ({ address: other }) =>
        other.kind === "tcp" && other.port === port && (other.host === host || [host, other.host].some(isAnyHost)),
    );
    if (clash) throw inUse(`${host}:${port}`, { address: host, port });
    const listener: Listener = { address: { kind: "tcp", host, port }, queue: [], server: undefined };
    this.#tcp.add(listener);
    return listener;
  }

  #bindUnix(path: string): Listener {
    const listener: Listener = { address: { kind: "unix", path }, queue: [], server: undefined };
    if (path.startsWith("@")) {
      if (this.#unix.has(path)) throw inUse(path, { address: path, port: -1 });
      this.#unix.set(path, listener);
      return listener;
    }
    const { volume } = this.#world;
    try {
      volume.writeFileSync(path, "", { flag: "wx", mode: 0 });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw inUse(path, { address: path, port: -1 });
      throw cause;
    }
    // The volume has no call that makes a socket: an empty file becomes one.
    const node = volume._core.getLinkOrThrow(path).getNode();
    node.setModeProperty(S_IFSOCK);
    this.#unix.set(node.ino, listener);
    return listener;
  }

  #dialUnix(path: string): [MemorySocket, { socket: MemorySocket; listener: Listener }] {
    const at = { address: path };
    let key: number | string = path;
    if (!path.startsWith("@")) {
      const stat = this.#world.volume.statSync(path, { throwIfNoEntry: false });
      if (stat === undefined) throw systemError("ENOENT", 2, "connect", path, at);
      if (!this.#mayWrite(stat)) throw systemError("EACCES", 13, "connect", path, at);
      key = Number(stat.ino);
      // The number of a file that is gone is used again.
      if (!stat.isSocket()) throw systemError("ECONNREFUSED", 111, "connect", path, at);
    }
    const listener = this.#unix.get(key);
    if (listener === undefined) throw systemError("ECONNREFUSED", 111, "connect", path, at);
    const [ours, socket] = MemorySocket.pair(this.#world.clock);
    return [ours, { socket, listener }];
  }

  #dialTcp(addr: string): [MemorySocket, { socket: MemorySocket; listener: Listener }] {
    const { host: name, port } = splitHostPort(addr);
    const host = numeric(name, "getaddrinfo");
    const listeners = [...this.#tcp].filter(({ address }) => address.kind === "tcp" && address.port === port);
    const listener = listeners.find(
      ({ address }) => address.kind === "tcp" && [host, "0.0.0.0"].includes(address.host),
    );
    if (listener === undefined) {
      throw systemError("ECONNREFUSED", 111, "connect", `${host}:${port}`, { address: host, port });
    }
    const from = { host: host === "0.0.0.0" ? "127.0.0.1" : host, port: this.#freePort() };
    const [ours, socket] = MemorySocket.pair(this.#world.clock, from, { host: from.host, port });
    return [ours, { socket, listener }];
  }

  /** Connecting needs permission to write. */
  #mayWrite(stat: { uid: number | bigint; gid: number | bigint; mode: number | bigint }): boolean {
    const { uid, gid } = this.#world.machine;
    if (uid === 0) return true;
    const mode = Number(stat.mode);
    if (Number(stat.uid) === uid) return (mode & 0o200) !== 0;
    return (mode & (Number(stat.gid) === gid ? 0o020 : 0o002)) !== 0;
  }

  #freePort(): number {
    return this.#nextPort++;
  }

  #close(listener: Listener): void {
    this.#tcp.delete(listener);
    // The file stays, as on a machine: whoever dials it is refused.
    for (const [key, other] of this.#unix) if (other === listener) this.#unix.delete(key);
    for (const socket of listener.queue.splice(0)) socket.destroy();
  }
}

function inUse(subject: string, extra: object): Error {
  const cause = systemError("EADDRINUSE", 98, "listen", undefined, extra);
  cause.message = `listen EADDRINUSE: address already in use ${subject}`;
  return cause;
}

function whereOf({ address }: Listener): ReturnType<HttpServer["address"]> {
  if (address.kind === "unix") return address.path;
  return { address: address.host, port: address.port, family: address.host.includes(":") ? "IPv6" : "IPv4" };
}
