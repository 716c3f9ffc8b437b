/**
 * What client and server of the remote API share.
 *
 * @origin api/common.go
 * @module
 */

import type { Logger } from "../pkg/log/log.ts";
import { parseHost } from "../pkg/parsers/parsers.ts";
import type { Version } from "../pkg/version/version.ts";
import { parseMediaType } from "./media-type.ts";

/** The version of the remote API that 1.2.0 speaks. */
export const APIVERSION: Version = "1.14";

/** Where a TCP socket listens when no address is given. */
export const DEFAULTHTTPHOST = "127.0.0.1";

/** Where the daemon listens when nothing is said. */
export const DEFAULTUNIXSOCKET = "/var/run/docker.sock";

/** Completes and checks a `-H` argument. @throws what `parseHost` throws @origin api/common.go ValidateHost */
export function validateHost(text: string): string {
  return parseHost(DEFAULTHTTPHOST, DEFAULTUNIXSOCKET, text);
}

/** One row of a container's port table. */
export interface PortRow {
  get(key: string): string;
  getInt(key: string): number;
}

/**
 * The ports as one text, which API versions below 1.5 send: `0.0.0.0:49153->80/tcp, 53/udp`.
 *
 * @origin api/common.go DisplayablePorts
 */
export function displayablePorts(ports: readonly PortRow[]): string {
  return [...ports].sort(byPublicPort).map(displayablePort).join(", ");
}

function byPublicPort(a: PortRow, b: PortRow): number {
  const [left, right] = [a.get("PublicPort"), b.get("PublicPort")];
  if (/^-?\d+$/.test(left) && /^-?\d+$/.test(right)) return Number(left) - Number(right);
  return left < right ? -1 : left > right ? 1 : 0;
}

function displayablePort(row: PortRow): string {
  const inside = `${row.getInt("PrivatePort")}/${row.get("Type")}`;
  return row.get("IP") === "" ? inside : `${row.get("IP")}:${row.getInt("PublicPort")}->${inside}`;
}

/**
 * Whether a Content-Type header names this type, whatever its parameters.
 *
 * @param log - hears of a header that cannot be read
 * @origin api/common.go MatchesContentType
 */
export function matchesContentType(header: string, expected: string, log: Pick<Logger, "error">): boolean {
  try {
    return parseMediaType(header).type === expected;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    log.error("common.go:46", `Error parsing media type: ${header} error: ${text}`);
    return false;
  }
}
