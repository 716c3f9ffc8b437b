/**
 * Finds a registry that speaks version 2.
 *
 * @since Docker 1.6
 * @module
 */

import type { FetchHeaders } from "../../host/net.ts";
import type { Logger } from "../../pkg/log/log.ts";
import type { HttpClient } from "../client.ts";
import { indexServerAddress } from "../names.ts";
import { TransportError } from "../transport-error.ts";
import { parseChallenges } from "./challenge.ts";

/** The official registry, whose index only knows version 1. */
const OFFICIAL = "https://registry-1.docker.io";

/** A registry that answered as one of version 2. */
export interface V2Endpoint {
  /** `https://registry-1.docker.io/v2/` */
  readonly base: string;
  /** A copy of the official registry: what it does not have, the original may have. */
  readonly mirror: boolean;
  /** Of the first answer: the challenge, if there was one. */
  readonly headers: FetchHeaders;
}

/** Where a registry could be, best first. */
function candidates(
  client: HttpClient,
  hostname: string,
  mirrors: readonly string[],
): { base: string; mirror: boolean }[] {
  if (hostname === indexServerAddress()) {
    // The flag gives them in the form of their time, `http://mirror:5000/v1/`.
    const copies = mirrors.map((mirror) => ({ base: `${mirror.replace(/(?:\/v1)?\/*$/, "")}/v2/`, mirror: true }));
    return [...copies, { base: `${OFFICIAL}/v2/`, mirror: false }];
  }
  const schemes = client.insecure(hostname) ? ["https", "http"] : ["https"];
  return schemes.map((scheme) => ({ base: `${scheme}://${hostname}/v2/`, mirror: false }));
}

/**
 * Asks the places where the registry could be, best first: each one when it is its turn, so that nobody is asked behind a
 * mirror that has what is wanted.
 *
 * @param hostname - `host[:port]`, or the official index
 * @returns those that speak version 2; none: it may speak version 1
 */
export async function* v2Endpoints(
  client: HttpClient,
  log: Logger,
  hostname: string,
  mirrors: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<V2Endpoint> {
  for (const { base, mirror } of candidates(client, hostname, mirrors)) {
    let headers: FetchHeaders;
    try {
      const response = await client.send({ url: base, limit: "ping", signal });
      await response.discard();
      if (!speaksV2(response.status, response.headers)) continue;
      headers = response.headers;
    } catch (cause) {
      if (!(cause instanceof TransportError)) throw cause;
      log.debug("registry.go:180", `Registry ${base} does not work (${cause.message})`);
      continue;
    }
    yield { base, mirror, headers };
    if (!mirror) return;
  }
}

/** The registry itself, if it speaks version 2. */
export async function findV2Endpoint(
  client: HttpClient,
  log: Logger,
  hostname: string,
  signal?: AbortSignal,
): Promise<V2Endpoint | undefined> {
  for await (const endpoint of v2Endpoints(client, log, hostname, [], signal)) return endpoint;
  return undefined;
}

function speaksV2(status: number, headers: FetchHeaders): boolean {
  const version = headers.get("docker-distribution-api-version") ?? "";
  if (version.split(/\s+/).includes("registry/2.0")) return status === 200 || status === 401;
  // A proxy in front may drop the header, but not the challenge of a token service.
  const challenges = parseChallenges(headers.get("www-authenticate") ?? "");
  return status === 401 && challenges.some(({ scheme }) => scheme === "bearer");
}
