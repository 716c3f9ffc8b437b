/**
 * Sockets, HTTP and the kernel's network configuration.
 *
 * @module
 */

import type { Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";
import type { Reader } from "../sync/io.ts";

/** Certificates of one end of a TLS connection; PEM text. */
export interface TlsIdentity {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Where a server listens. */
export type ListenAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "fd"; readonly fd: number };

/** A request: the part of the standard `RequestInit` that the engine needs, and certificates. */
export interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream goes in chunks, or as many bytes as `Content-Length` says. An answer that comes early ends it. */
  readonly body?: string | Uint8Array | Reader;
  /** A stream is sent when the other side asks for it, or says nothing for a second: an answer may come in its place. */
  readonly expectContinue?: boolean;
  readonly redirect?: "manual";
  readonly signal?: AbortSignal;
  /** Address of a proxy, `http://user:password@proxy:3128`: https goes through a tunnel that it opens. */
  readonly proxy?: string;
  readonly tls?: TlsIdentity & { readonly insecure?: boolean };
}

/** Headers of an answer. */
export type FetchHeaders = Pick<Headers, "get" | "getSetCookie">;

/**
 * An answer: the part of the standard `Response` that the engine reads. A real one will do, in tests and in a page; this
 * machine's own is lighter.
 */
export interface FetchResponse {
  readonly status: number;
  readonly headers: FetchHeaders;
  readonly body: {
    getReader(): {
      read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
      cancel(): Promise<void>;
    };
    cancel(): Promise<void>;
  } | null;
}

/** A link (network interface) as the kernel knows it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly mtu: number;
  readonly mac: string;
  /** Index of the bridge it belongs to, 0 for none. */
  readonly master: number;
  /** Free text kept with the link (`ip link set … alias`). */
  readonly alias?: string;
  /** What it is to its driver: `bridge`, `veth`; "" for a device, absent when nobody knows. */
  readonly kind?: string;
}

/** An IPv4 address on a link. */
export interface LinkAddress {
  readonly index: number;
  readonly address: string;
  readonly prefix: number;
}

/** An IPv4 route. `destination` is `0.0.0.0/0` for the default route. */
export interface Route {
  readonly destination: string;
  readonly gateway: string | undefined;
  readonly index: number;
}

/** A conversation with the kernel about the links of one network namespace (rtnetlink). All calls are synchronous. */
export interface Links {
  list(): Link[];
  addresses(): LinkAddress[];
  routes(): Route[];
  addBridge(name: string, mac?: string): void;
  /** Makes a pair; `peer` is put into the namespace at `peerNetns` (path) under its own name. `mtu` 0: the kernel's. */
  addVeth(pair: { name: string; peer: string; peerNetns: string; mtu: number; alias?: string; peerMac?: string }): void;
  setMaster(name: string, bridge: string): void;
  setUp(name: string): void;
  /** @param cidr - `172.17.42.1/16` */
  addAddress(name: string, cidr: string): void;
  addDefaultRoute(gateway: string): void;
  /** Removes links, all at once where the kernel can. What is not there is no error. */
  remove(...names: string[]): void;
  close(): void;
}

/** One end of a forwarded port. */
export interface PortAddress {
  /** IPv4 address. */
  readonly host: string;
  readonly port: number;
}

/** A port that is held and forwarded. */
export interface PortForward {
  /** The port that is held: the one asked for, or the one found when that was 0. */
  readonly port: number;
  /** Gives the port back and ends the connections through it. */
  close(): Promise<void>;
}

/** The network side of the host. */
export interface Net {
  /** Makes an HTTP server that does not listen yet; with `tls`, over TLS (`verify`: clients must show a certificate of `ca`). */
  createHttpServer(tls?: TlsIdentity & { verify: boolean }): HttpServer;
  /** Makes the server listen; resolves when it does. A unix socket is bound with no permissions for anybody. */
  listen(server: HttpServer, address: ListenAddress): Promise<void>;
  /** Opens a connection to a daemon. `addr` is a socket path or `host:port`. */
  dial(proto: "unix" | "tcp", addr: string, tls?: TlsIdentity & { verify: boolean }): Promise<Duplex>;
  /** Sends one request, with certificates. Redirects are the caller's affair: they are answers like any other. */
  fetch(url: string, options?: FetchOptions): Promise<FetchResponse>;
  /** Creates a network namespace that lives at `path` (a mounted file) until {@link removeNetns}. */
  createNetns(path: string): Promise<void>;
  /** Unmounts and deletes it; what is not there is no error. */
  removeNetns(path: string): Promise<void>;
  /** @param netns - path of a namespace; default: our own */
  links(netns?: string): Links;
  /**
   * Takes a port of this machine and passes what arrives there on to another address.
   *
   * @throws `EADDRINUSE` when another program has the port, `EADDRNOTAVAIL`, `EACCES`
   */
  forwardPort(proto: "tcp" | "udp", from: PortAddress, to: PortAddress): Promise<PortForward>;
}
