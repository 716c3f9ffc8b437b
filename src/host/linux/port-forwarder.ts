/**
 * Published ports by way of user space: what `docker-proxy` was, inside the daemon.
 *
 * iptables sends everything that comes from outside straight to the container. What it does not see comes here:
 * connections to 127.0.0.1, connections of a container to a published port of its own host, and everything when the
 * daemon runs without iptables. The listening socket is also what proves that the port is free, and keeps it ours.
 *
 * @origin pkg/proxy/tcp_proxy.go, pkg/proxy/udp_proxy.go
 * @deviation No process per port: 1.2.0 starts one `docker-proxy` for each.
 * @module
 */

import type { Socket as UdpSocket } from "node:dgram";
import type { Socket } from "node:net";
import type { PortAddress, PortForward } from "../net.ts";
import { builtin } from "./lazy.ts";

/** A client of a UDP port is forgotten when nothing was said for so long. */
const UDP_IDLE_MS = 90_000;

/** Clients of one UDP port that are remembered; beyond it the oldest is forgotten, so that descriptors do not run out. */
const UDP_CLIENTS = 1024;

/** See `Net.forwardPort`. */
export function forwardPort(proto: "tcp" | "udp", from: PortAddress, to: PortAddress): Promise<PortForward> {
  return proto === "tcp" ? forwardTcp(from, to) : forwardUdp(from, to);
}

/** Two copies per connection; each side's end is passed on alone. */
function forwardTcp(from: PortAddress, to: PortAddress): Promise<PortForward> {
  const { createConnection, createServer } = builtin("net");
  const open = new Set<Socket>();
  const track = (socket: Socket, other: Socket) => {
    open.add(socket);
    // An error of one side ends both at once; a regular end has already been passed on by pipe().
    socket.once("error", () => other.destroy());
    socket.once("close", (failed) => {
      open.delete(socket);
      if (failed) other.destroy();
    });
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const backend = createConnection({ host: to.host, port: to.port, allowHalfOpen: true, noDelay: true });
    track(client, backend);
    track(backend, client);
    client.pipe(backend);
    backend.pipe(client);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: from.host, port: from.port, exclusive: true }, () => {
      server.off("error", reject);
      server.on("error", () => {}); // a failed accept (no descriptors left) is that client's alone
      const address = server.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : from.port,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            for (const socket of open) socket.destroy();
          }),
      });
    });
  });
}

/** One socket towards the container per client, so that answers find their way back. */
function forwardUdp(from: PortAddress, to: PortAddress): Promise<PortForward> {
  const { createSocket } = builtin("dgram");
  const server = createSocket("udp4");
  const clients = new Map<string, { socket: UdpSocket; timer: NodeJS.Timeout }>();

  function forget(key: string): void {
    const client = clients.get(key);
    if (client === undefined) return;
    clients.delete(key);
    clearTimeout(client.timer);
    client.socket.close();
  }

  function clientOf(key: string, port: number, host: string): { socket: UdpSocket; timer: NodeJS.Timeout } {
    const known = clients.get(key);
    if (known !== undefined) {
      known.timer.refresh();
      return known;
    }
    if (clients.size >= UDP_CLIENTS) forget(clients.keys().next().value!);
    const socket = createSocket("udp4");
    const client = { socket, timer: setTimeout(forget, UDP_IDLE_MS, key).unref() };
    clients.set(key, client);
    socket.on("error", () => forget(key)); // nobody listens there: datagrams get lost, as on a wire
    socket.on("message", (data) => {
      client.timer.refresh();
      server.send(data, port, host);
    });
    return client;
  }

  server.on("message", (data, { address, port }) => {
    clientOf(`${address}:${port}`, port, address).socket.send(data, to.port, to.host, () => {});
  });

  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.bind({ address: from.host, port: from.port, exclusive: true }, () => {
      server.off("error", reject);
      server.on("error", () => {});
      resolve({
        port: server.address().port,
        close: () =>
          new Promise((done) => {
            for (const key of [...clients.keys()]) forget(key);
            server.close(() => done());
          }),
      });
    });
  });
}
