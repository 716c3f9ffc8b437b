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

/**
 * The client's own certificate and key are no pair, or cannot be read.
 *
 * @origin docker/docker.go main
 * @deviation Noticed when the first connection is opened; 1.2.0 looks at them before it looks at the command.
 */
export class KeyPairError extends Error {
  /** @param cause - what OpenSSL says */
  constructor(cause: unknown) {
    super(`Couldn't load X509 key pair: ${keyPairText(cause)}. Key encrypted?`, { cause });
    this.name = "KeyPairError";
  }
}

/** Whether a connection failed before it was opened, because of the files that were to be shown. */
export function isKeyPairFault(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && String(cause.code).startsWith("ERR_OSSL_");
}

function keyPairText(cause: unknown): string {
  const reason = messageOf(cause).split(":").at(-1) ?? "";
  return reason === "key values mismatch"
    ? "crypto/tls: private key does not match public key"
    : `crypto/tls: ${reason}`;
}

function dialText(addr: string, cause: unknown): string {
  if (isErrno(cause, "ENOTFOUND", "EAI_AGAIN", "EAI_NODATA"))
    return `lookup ${addr.replace(/:\d+$/, "")}: no such host`;
  return errnoText(cause);
}
