/**
 * The beginning of a WebSocket connection.
 *
 * 1.2.0 uses `go.net/websocket/hybi.go` here.
 *
 * @module
 */

import type { Host } from "../../../host/host.ts";
import type { ApiRequest } from "../request.ts";

/** What RFC 6455 has both sides add to the key. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** Sixteen bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** Why there is no WebSocket. */
export interface Refusal {
  readonly status: 400 | 403;
  readonly text: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** An answer: the head of the new protocol, or why not. */
export type Handshake = Refusal | { readonly status: 101; readonly head: string };

function refusal(text: string, headers: Refusal["headers"] = []): Refusal {
  return { status: 400, text, headers };
}

/**
 * Reads a client's wish for a WebSocket, and answers it.
 *
 * @deviation Only version 13, that of the standard; 1.2.0 speaks its drafts as well. A client that names no origin is
 *   served: it is no browser; 1.2.0 refuses it.
 */
export function readHandshake(request: ApiRequest, host: Pick<Host, "hash">): Handshake {
  const upgrade = request.header("Upgrade").toLowerCase() === "websocket";
  if (!upgrade || !request.header("Connection").toLowerCase().includes("upgrade")) {
    return refusal("not websocket protocol");
  }
  const key = request.header("Sec-WebSocket-Key").trim();
  if (!KEY.test(key)) return refusal("mismatch challenge/response");
  if (request.header("Sec-WebSocket-Version") !== "13") {
    return refusal("missing or bad WebSocket Version", [["Sec-WebSocket-Version", "13"]]);
  }
  const origin = request.header("Origin");
  if (origin !== "" && !/^[a-z][a-z0-9+.-]*:\/\//i.test(origin)) return { ...refusal(""), status: 403 };
  const protocol = request.header("Sec-WebSocket-Protocol").trim();
  if (protocol.includes(",")) return refusal("missing or bad WebSocket-Protocol");
  return { status: 101, head: acceptance(key, protocol, host) };
}

/** The head of the new protocol. */
function acceptance(key: string, protocol: string, host: Pick<Host, "hash">): string {
  const digest = host
    .hash("sha1")
    .update(key + GUID)
    .hex();
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${Buffer.from(digest, "hex").toString("base64")}`,
    ...(protocol === "" ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}
