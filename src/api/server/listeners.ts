/**
 * Sockets the API is served on.
 *
 * @origin api/server/server.go ListenAndServe
 * @module
 */

import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Job } from "../../engine/job.ts";
import { isErrno, messageOf, SystemError } from "../../errdefs/errdefs.ts";
import { errnoText, pathErrorText } from "../../errdefs/errno-text.ts";
import type { Host } from "../../host/host.ts";
import type { ListenAddress } from "../../host/net.ts";
import { type Activation, holdConnections } from "../../pkg/listenbuffer/buffer.ts";
import type { Logger } from "../../pkg/log/log.ts";
import { listenFd } from "../../pkg/systemd/listendfd.ts";
import type { RequestHandler } from "./middleware.ts";

/** A client has this long for the head of its request, in milliseconds. */
const HEADERS_TIMEOUT_MS = 60_000;
/** A connection may idle this long between requests; clients keep theirs and a short time would race with them. */
const IDLE_TIMEOUT_MS = 300_000;

type ListenHost = Pick<Host, "fs" | "net" | "env" | "machine">;

/** The parts of `PROTO://ADDR`. */
export interface ProtoAddress {
  readonly proto: string;
  readonly addr: string;
}

/** What `net.Listen` makes of a TCP address: everything before the last colon is the host, without brackets. */
function tcpAddress(addr: string): ListenAddress {
  const at = addr.lastIndexOf(":");
  const port = Number(addr.slice(at + 1));
  if (at < 0 || !Number.isInteger(port)) throw new SystemError(`listen tcp: missing port in address ${addr}`);
  return { kind: "tcp", host: addr.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port };
}

/** @throws {SystemError} `open ca.pem: no such file or directory` */
function readPem(host: ListenHost, path: string): Promise<string> {
  return host.fs.readFile(path, "utf8").catch((cause: unknown) => {
    throw new SystemError(pathErrorText("open", path, cause), { cause });
  });
}

/** Reads the certificates that the job names. */
async function tlsOf(host: ListenHost, job: Job): Promise<Parameters<Host["net"]["createHttpServer"]>[0]> {
  const verify = job.getenvBool("TlsVerify");
  if (!verify && !job.getenvBool("Tls")) return undefined;
  const [certPath, keyPath] = [job.getenv("TlsCert"), job.getenv("TlsKey")];
  const complaint = (cause: unknown) =>
    new SystemError(`Couldn't load X509 key pair (${certPath}, ${keyPath}): ${messageOf(cause)}. Key encrypted?`, {
      cause,
    });
  let pair: { cert: string; key: string };
  try {
    pair = { cert: await readPem(host, certPath), key: await readPem(host, keyPath) };
  } catch (cause) {
    throw complaint(cause);
  }
  let ca: string | undefined;
  if (verify) {
    try {
      ca = await readPem(host, job.getenv("TlsCa"));
    } catch (cause) {
      throw new SystemError(`Couldn't read CA certificate: ${messageOf(cause)}`, { cause });
    }
  }
  try {
    // Made once to have a wrong key noticed here, with the text people search for.
    host.net.createHttpServer({ ...pair, ca, verify }).close();
  } catch (cause) {
    throw complaint(cause);
  }
  return { ...pair, ca, verify };
}

/** The number of a group given by name or number. @origin api/server/server.go lookupGidByName */
export async function lookupGid(host: Pick<Host, "fs">, nameOrGid: string): Promise<number> {
  for (const line of (await host.fs.readFile("/etc/group", "utf8")).split("\n")) {
    const [name, , gid] = line.split(":");
    if (gid !== undefined && (name === nameOrGid || gid === nameOrGid)) return Number(gid);
  }
  throw new SystemError(`Group ${nameOrGid} not found`);
}

/** Gives the socket to a group and lets it and root in. */
async function openSocket(host: ListenHost, log: Logger, path: string, group: string): Promise<void> {
  if (group !== "") {
    try {
      const gid = await lookupGid(host, group);
      log.debug("server.go:1241", `${group} group found. gid: ${gid}`);
      await host.fs.chown(path, 0, gid);
    } catch (cause) {
      // `docker` is the default: nobody asked for it.
      if (group !== "docker") throw cause;
      log.debug("server.go:1299", `Warning: could not chgrp ${path} to docker: ${messageOf(cause)}`);
    }
  }
  await host.fs.chmod(path, 0o660);
}

/**
 * Makes way for a new socket.
 *
 * @deviation 1.2.0 removes whatever has the name; here only a socket that nobody listens on. A second daemon that then
 *   finds its data directory in use would leave the first without a way to it.
 */
async function removeOldSocket(host: ListenHost, path: string): Promise<void> {
  try {
    const stat = await host.fs.lstat(path);
    if (!stat.isSocket()) throw new SystemError(`listen unix ${path}: Cannot replace ${path}: it is no socket`);
  } catch (cause) {
    if (!isErrno(cause, "ENOENT")) throw cause;
    return;
  }
  const served = await host.net.dial("unix", path).then(
    (connection) => connection.destroy(),
    () => undefined,
  );
  if (served) throw new SystemError(`listen unix ${path}: address already in use: another daemon serves it`);
  await host.fs.unlink(path);
}

/**
 * Takes the socket away when the daemon ends, unless another daemon has put its own there meanwhile.
 *
 * @deviation 1.2.0 leaves it; a client then waits for a connection that is refused instead of seeing that there is none.
 */
async function removeAtShutdown(host: ListenHost, job: Job, path: string): Promise<void> {
  const { ino } = await host.fs.lstat(path);
  job.eng.onShutdown(async () => {
    const now = await host.fs.lstat(path).catch(() => undefined);
    if (now?.ino === ino) await host.fs.unlink(path);
  });
}

/** Connects a server with its handler, and lets it wait for the daemon. */
function prepare(server: Server, handler: RequestHandler, activation: Activation | undefined): void {
  if (activation !== undefined) holdConnections(server, activation);
  server.requestTimeout = 0; // an image may take its time to arrive
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.keepAliveTimeout = IDLE_TIMEOUT_MS;
  server.on("request", (req, res) => handler.onRequest(req, res));
  server.on("upgrade", (req, socket, head) => handler.onUpgrade(req, socket as Socket, head));
  server.on("clientError", (cause, socket) => handler.onClientError(cause, socket as Socket));
}

/**
 * Listens on one address; for `fd`, on each descriptor.
 *
 * @param activation - connections are held back until it opens
 * @returns the servers, which listen
 * @throws {SystemError} with 1.2.0's texts
 * @origin api/server/server.go ListenAndServe
 */
export async function listen(
  host: ListenHost,
  log: Logger,
  { proto, addr }: ProtoAddress,
  job: Job,
  handler: RequestHandler,
  activation?: Activation,
): Promise<Server[]> {
  if (proto === "fd") {
    return Promise.all(
      listenFd(host, addr).map(async (fd) => {
        const server = host.net.createHttpServer();
        prepare(server, handler, activation);
        await host.net.listen(server, { kind: "fd", fd });
        return server;
      }),
    );
  }
  if (proto !== "unix" && proto !== "tcp") throw new SystemError("Invalid protocol format.");
  if (proto === "unix") await removeOldSocket(host, addr);
  const server = host.net.createHttpServer(proto === "tcp" ? await tlsOf(host, job) : undefined);
  prepare(server, handler, activation);
  const address: ListenAddress = proto === "unix" ? { kind: "unix", path: addr } : tcpAddress(addr);
  await host.net.listen(server, address).catch((cause: unknown) => {
    throw new SystemError(`listen ${proto} ${addr}: ${errnoText(cause)}`, { cause });
  });
  try {
    if (proto === "unix") {
      await openSocket(host, log, addr, job.getenv("SocketGroup"));
      await removeAtShutdown(host, job, addr);
    }
  } catch (cause) {
    server.close();
    throw cause;
  }
  if (proto === "tcp" && !addr.startsWith("127.0.0.1") && !job.getenvBool("TlsVerify")) {
    log.info("/!\\ DON'T BIND ON ANOTHER IP ADDRESS THAN 127.0.0.1 IF YOU DON'T KNOW WHAT YOU'RE DOING /!\\");
  }
  return [server];
}
