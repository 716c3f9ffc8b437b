/**
 * Finds out whether a registry is there, and how it is spoken to.
 *
 * @origin registry/registry.go pingRegistryEndpoint, ExpandAndVerifyRegistryUrl
 * @module
 */

import { EngineError, messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { Logger } from "../pkg/log/log.ts";
import type { HttpClient } from "./client.ts";
import { readDocument } from "./json.ts";
import { indexServerAddress } from "./names.ts";

const MAX_PING_BYTES = 1 << 20;

/** @origin registry/types.go RegistryInfo */
export interface RegistryInfo {
  readonly version: string;
  /** It keeps users itself, instead of leaving them to an index. */
  readonly standalone: boolean;
}

/**
 * Asks a registry of version 1 about itself. Any HTTP status is an answer.
 *
 * @throws {TransportError} when there is none
 * @origin registry/registry.go pingRegistryEndpoint
 */
export async function pingRegistryEndpoint(client: HttpClient, log: Logger, endpoint: string): Promise<RegistryInfo> {
  // It is known to be right, and http must never be tried in its place.
  if (endpoint === indexServerAddress()) return { version: "", standalone: false };
  const response = await client.send({ url: `${endpoint}_ping`, limit: "ping" });
  let body: Buffer;
  try {
    body = await readDocument(response.body, MAX_PING_BYTES, "the answer to _ping");
  } catch (cause) {
    throw new SystemError(`Error while reading the http response: ${messageOf(cause)}`, { cause });
  }
  let version = "";
  let standalone = true;
  try {
    const info = JSON.parse(body.toString("utf8")) as { version?: unknown; standalone?: unknown } | null;
    if (typeof info?.version === "string") version = info.version;
    if (typeof info?.standalone === "boolean") standalone = info.standalone;
  } catch (cause) {
    log.debug("registry.go:188", `Error unmarshalling the _ping RegistryInfo: ${messageOf(cause)}`);
  }
  version = response.headers.get("x-docker-registry-version") || version;
  log.debug("registry.go:195", `RegistryInfo.Version: "${version}"`);
  const header = response.headers.get("x-docker-registry-standalone") ?? "";
  if (header !== "") standalone = header.toLowerCase() === "true" || header === "1";
  return { version, standalone };
}

/** Whether the registry is there and TLS with it fails. */
function tlsFailed(cause: unknown): boolean {
  return /x509: |tls: |HTTPS client$/.test(messageOf(cause));
}

/** What to do about a registry without a certificate that this machine knows. @since Docker 1.3.1 */
function advice(hostname: string): string {
  return (
    `If this private registry supports only HTTP or HTTPS with an unknown CA certificate, please add ` +
    `\`--insecure-registry ${hostname}\` to the daemon's arguments. In the case of HTTPS, if you have access to the ` +
    `registry's CA certificate, no need for the flag; simply place the CA certificate at ` +
    `/etc/docker/certs.d/${hostname}/ca.crt`
  );
}

/** Whether the registry wants a certificate, or another one. */
function certificateWanted(cause: unknown): boolean {
  return /remote error: (?:.*certificate|handshake failure)/.test(messageOf(cause));
}

function shown(hostname: string): string {
  const place = `/etc/docker/certs.d/${hostname}`;
  return `The registry asks who is there: place a certificate that it knows at ${place}/client.cert and its key at ${place}/client.key`;
}

/**
 * Makes the address of a registry of version 1 out of a host name and makes sure that it answers.
 *
 * @param hostname - `host[:port]`, or an address
 * @throws {SystemError} `Invalid Registry endpoint: …`
 * @origin registry/registry.go ExpandAndVerifyRegistryUrl
 * @deviation Plain http is tried only for this machine and for what `--insecure-registry` names; 1.2.0 tries it for
 *   every registry (CVE-2014-5277).
 */
export async function expandAndVerifyRegistryUrl(client: HttpClient, log: Logger, hostname: string): Promise<string> {
  const verify = async (endpoint: string) => {
    try {
      await pingRegistryEndpoint(client, log, endpoint);
    } catch (cause) {
      if (!(cause instanceof EngineError)) throw cause;
      throw new SystemError(`Invalid Registry endpoint: ${cause.message}`, { cause });
    }
    return endpoint;
  };
  if (hostname.startsWith("http:") || hostname.startsWith("https:")) {
    return verify(hostname.lastIndexOf("/") < 9 ? `${hostname}/v1/` : hostname);
  }
  const endpoint = `https://${hostname}/v1/`;
  if (!client.insecure(hostname)) {
    return verify(endpoint).catch((cause: unknown) => {
      const cure = tlsFailed(cause) ? advice(hostname) : certificateWanted(cause) ? shown(hostname) : undefined;
      throw cure === undefined ? cause : new SystemError(`${messageOf(cause)}. ${cure}`, { cause });
    });
  }
  try {
    return await verify(endpoint);
  } catch (cause) {
    log.debug("registry.go:277", `Registry ${endpoint} does not work (${messageOf(cause)}), falling back to http`);
    return verify(`http://${hostname}/v1/`);
  }
}
