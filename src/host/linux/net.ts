/**
 * Sockets and HTTP of this machine.
 *
 * @module
 */

import { chmodSync, closeSync, fchmodSync } from "node:fs";
import type { Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import type { ListenAddress, Net, TlsIdentity } from "../net.ts";
import { httpFetch, present } from "./fetch.ts";
import { unixAddress } from "./kernel.ts";
import { builtin } from "./lazy.ts";
import { call } from "./libc.ts";
import { createNetns, openLinks, removeNetns } from "./netns.ts";
import { forwardPort } from "./port-forwarder.ts";

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC_NONBLOCK = 1 | 0o2000000 | 0o4000;
const BACKLOG = 511;

/** How long a client may take to send the head of a request (slowloris). */
const HEADERS_TIMEOUT_MS = 60_000;

/** Makes an HTTP server whose requests may last for ever (attach, build, events), but whose heads may not. */
function createHttpServer(tls?: TlsIdentity & { verify: boolean }): HttpServer {
  const options = { requestTimeout: 0, headersTimeout: HEADERS_TIMEOUT_MS, requireHostHeader: false };
  if (tls === undefined) return builtin("http").createServer(options);
  const secure = {
    ...options,
    // As plain HTTP servers have it by themselves: a client that ends its input still waits for the output.
    allowHalfOpen: true,
    ...present(tls),
    requestCert: tls.verify,
    rejectUnauthorized: tls.verify,
    minVersion: "TLSv1.2" as const,
  };
  return builtin("https").createServer(secure);
}

/** Opens a listening unix socket that nobody may connect to, not even for a moment. */
function listenUnix(path: string): number {
  const address = unixAddress(path);
  const fd = call("socket", path, AF_UNIX, SOCK_STREAM_CLOEXEC_NONBLOCK, 0);
  try {
    // Linux gives the file the mode of the unbound socket. Safer than umask(2), which every thread shares.
    fchmodSync(fd, 0);
    call("bind", path, fd, address, address.length);
    call("listen", path, fd, BACKLOG);
    if (!path.startsWith("@")) chmodSync(path, 0);
    return fd;
  } catch (cause) {
    closeSync(fd);
    throw cause;
  }
}

/** See {@link Net.listen}. */
async function listen(server: HttpServer, address: ListenAddress): Promise<void> {
  const where =
    address.kind === "tcp"
      ? { host: address.host, port: address.port }
      : { fd: address.kind === "unix" ? listenUnix(address.path) : address.fd };
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Splits `host:port`; an IPv6 address is in brackets. */
function splitHostPort(address: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(address);
  if (match === null) throw new RangeError(`Cannot dial ${JSON.stringify(address)}: not host:port`);
  return { host: match[1] || match[2] || "127.0.0.1", port: Number(match[3]) };
}

/** See {@link Net.dial}. */
function dial(proto: "unix" | "tcp", addr: string, tls?: TlsIdentity & { verify: boolean }): Promise<Duplex> {
  const where = proto === "unix" ? { path: addr } : { ...splitHostPort(addr), noDelay: true };
  // Half-open: `docker attach` ends its input long before the container ends its output.
  const common = { ...where, allowHalfOpen: true };
  return new Promise((resolve, reject) => {
    if (tls === undefined) {
      const socket = builtin("net").connect(common);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(socket);
      });
      return;
    }
    const named =
      proto === "tcp" && "host" in where && builtin("net").isIP(where.host) === 0 ? { servername: where.host } : {};
    const options: ConnectionOptions & { allowHalfOpen: boolean } = {
      ...common,
      ...named,
      ...present(tls),
      rejectUnauthorized: tls.verify,
    };
    const socket = builtin("tls").connect(options);
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** The network of this machine. */
export const linuxNet: Net = {
  createHttpServer,
  listen,
  dial,
  fetch: httpFetch,
  async createNetns(path) {
    createNetns(path);
  },
  async removeNetns(path) {
    removeNetns(path);
  },
  links: openLinks,
  forwardPort,
};
