/**
 * Which requests go through a proxy, by the variables that every program of the machine heeds.
 *
 * ```text
 * HTTP_PROXY, http_proxy     for everything that has no other one
 * HTTPS_PROXY, https_proxy   for https
 * NO_PROXY, no_proxy         hosts without: a.example, .a.example, 10.0.0.0/8, *
 * ```
 *
 * The original is Go's own `net/http`, transport.go ProxyFromEnvironment, which every request of 1.2.0 heeds.
 *
 * @module
 */

import { SystemError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import { hostOf, isLoopback, network } from "./insecure.ts";

/**
 * The proxy for a request; this machine itself is always spoken to directly.
 *
 * @throws {SystemError} when the variable holds no address, or one of another scheme than http and https
 */
export function proxyFor(url: URL, env: Host["env"]): string | undefined {
  const variable = (name: string) => env[name] || env[name.toLowerCase()] || "";
  const proxy = (url.protocol === "https:" ? variable("HTTPS_PROXY") : "") || variable("HTTP_PROXY");
  if (proxy === "" || !usesProxy(url.host, variable("NO_PROXY"))) return undefined;
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  if (!URL.canParse(text)) throw new SystemError("Cannot use the proxy of the environment: it is no address");
  const { protocol, hostname } = new URL(text);
  if ((protocol !== "http:" && protocol !== "https:") || hostname === "") {
    throw new SystemError(
      `Cannot use the proxy of the environment: ${protocol}// is not supported, only http and https`,
    );
  }
  return text;
}

function usesProxy(authority: string, exceptions: string): boolean {
  const host = hostOf(authority.toLowerCase());
  if (isLoopback(host)) return false;
  return !exceptions
    .toLowerCase()
    .split(",")
    .map((entry) => entry.trim())
    .some((entry) => isExcepted(authority.toLowerCase(), host, entry));
}

function isExcepted(authority: string, host: string, entry: string): boolean {
  if (entry === "") return false;
  if (entry === "*" || entry === authority) return true;
  if (entry.includes("/")) return inNetwork(entry, host);
  // Go 1.3 ignores the port of an entry.
  const name = hostOf(entry);
  if (name.startsWith(".")) return host.endsWith(name) || host === name.slice(1);
  return host === name || host.endsWith(`.${name}`);
}

/** What is no network is no exception. */
function inNetwork(text: string, host: string): boolean {
  try {
    return network(text)?.(host) ?? false;
  } catch {
    return false;
  }
}
