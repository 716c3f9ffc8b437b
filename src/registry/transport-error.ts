/**
 * What went wrong below HTTP, in words.
 *
 * @module
 */

import { EngineError } from "../errdefs/errdefs.ts";
import { tlsText } from "../errdefs/tls-text.ts";

/** The connection failed or broke. */
export class TransportError extends EngineError {
  readonly statusCode = 500;
  /** The other side was silent for too long. */
  readonly timeout: boolean;

  constructor(message: string, options: ErrorOptions & { timeout?: boolean } = {}) {
    super(message, options);
    this.timeout = options.timeout ?? false;
  }
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "i/o timeout",
  UND_ERR_CONNECT_TIMEOUT: "i/o timeout",
  UND_ERR_HEADERS_TIMEOUT: "i/o timeout",
  UND_ERR_BODY_TIMEOUT: "i/o timeout",
  UND_ERR_SOCKET: "unexpected EOF",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "unexpected EOF",
  EPIPE: "broken pipe",
  HPE_INVALID_CONSTANT: "malformed HTTP response",
};

/** A request in words: `Get http://…`. Where something is sent, the question is the registry's own business, and long. */
export function requestText(method: string, url: string): string {
  const shown = method === "GET" || method === "HEAD" ? url : url.replace(/\?.*$/s, "");
  return `${method.charAt(0)}${method.slice(1).toLowerCase()} ${shown}`;
}

/** The innermost failure: `fetch failed` says nothing, its cause does. */
function innermost(cause: unknown): unknown {
  let current = cause;
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    if (current instanceof AggregateError && current.errors.length > 0) current = current.errors[0];
    else if (current.cause instanceof Error) current = current.cause;
    else break;
  }
  return current;
}

/** The reason alone: `dial tcp 127.0.0.1:9: connection refused`. */
export function transportReason(cause: unknown): string {
  const inner = innermost(cause);
  if (!(inner instanceof Error)) return String(inner);
  const { code, address, port, hostname, syscall, proxy } = inner as Error & Record<string, unknown>;
  if (syscall === "getaddrinfo" || code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return `dial tcp: lookup ${String(hostname ?? "")}: no such host`;
  }
  // The answer ended before its end: Node calls it a reset.
  if (inner.message === "aborted") return "unexpected EOF";
  const reason = REASONS[String(code)] ?? tlsText(inner);
  if (reason === undefined) return inner.message === "terminated" ? "unexpected EOF" : inner.message;
  const text = syscall === "connect" ? `dial tcp ${String(address)}:${String(port)}: ${reason}` : reason;
  return proxy === true ? `proxyconnect tcp: ${text}` : text;
}

/** Wraps a failure of `fetch`: `Get http://…: <reason>`. */
export function transportError(method: string, url: string, cause: unknown): TransportError {
  if (cause instanceof TransportError) return cause;
  return new TransportError(`${requestText(method, url)}: ${transportReason(cause)}`, {
    cause,
    timeout: cause instanceof TransportError ? cause.timeout : false,
  });
}
