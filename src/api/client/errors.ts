/**
 * How a request can fail.
 *
 * @module
 */

import { isErrno, messageOf } from "../../errdefs/errdefs.ts";
import { errnoText } from "../../errdefs/errno-text.ts";
import { tlsText } from "../../errdefs/tls-text.ts";

/** Nobody listens where the daemon should be. @origin api/client/utils.go ErrConnectionRefused */
export class ConnectionRefusedError extends Error {
  /** Carries 1.2.0's advice. */
  constructor(options?: ErrorOptions) {
    super("Cannot connect to the Docker daemon. Is 'docker -d' running on this host?", options);
    this.name = "ConnectionRefusedError";
  }
}

/** The daemon answered with a failure. */
export class DaemonError extends Error {
  /** HTTP status of the answer. */
  readonly statusCode: number;

  /** @param message - with 1.2.0's prefix, as it is shown to the user */
  constructor(statusCode: number, message: string) {
    super(message);
    this.name = "DaemonError";
    this.statusCode = statusCode;
  }
}

/** The request found no daemon or no end, in the words of Go's HTTP client: `Get http://…: dial unix …: …`. */
export class RequestError extends Error {
  /** @param url - as Go 1.3 prints it */
  constructor(method: string, url: string, cause: unknown) {
    const verb = method.slice(0, 1) + method.slice(1).toLowerCase();
    super(`${verb} ${url}: ${tlsText(cause) ?? requestText(url, cause)}`, { cause });
    this.name = "RequestError";
  }
}

/** A connection could not be opened: `dial unix /var/run/docker.sock: no such file or directory`. */
export class DialError extends Error {
  /** @param addr - `""` when it does not matter; `cause` is what the host said */
  constructor(proto: string, addr: string, cause: unknown) {
    super(`dial ${proto}${addr === "" ? "" : ` ${addr}`}: ${dialText(addr, cause)}`, { cause });
    this.name = "DialError";
  }
}

/** A daemon that does not like our certificate may hang up without a word. */
function requestText(url: string, cause: unknown): string {
  const hint = url.startsWith("https:") && isErrno(cause, "EOF", "ECONNRESET");
  return hint ? `${errnoText(cause)} (the daemon may not accept this client's certificate)` : errnoText(cause);
}

/** The connection is open, and TLS on it failed: a certificate is refused, or the other side speaks no TLS. */
export class TlsError extends Error {
  /** @param cause - what Node says */
  constructor(cause: unknown) {
    super(tlsText(cause) ?? messageOf(cause), { cause });
    this.name = "TlsError";
  }
}

function dialText(addr: string, cause: unknown): string {
  if (isErrno(cause, "ENOTFOUND", "EAI_AGAIN", "EAI_NODATA"))
    return `lookup ${addr.replace(/:\d+$/, "")}: no such host`;
  return errnoText(cause);
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Request Entity Too Large",
  414: "Request URI Too Long",
  415: "Unsupported Media Type",
  416: "Requested Range Not Satisfiable",
  417: "Expectation Failed",
  418: "I'm a teapot",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

/** The name of an HTTP status, as Go's `http.StatusText`; empty when it has none. */
export function statusText(status: number): string {
  return STATUS_TEXTS[status] ?? "";
}
