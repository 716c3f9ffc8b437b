/**
 * What every request to a registry says about us.
 *
 * @origin registry/httpfactory.go HTTPRequestFactory
 * @module
 */

import { GITCOMMIT, VERSION } from "../dockerversion/dockerversion.ts";
import type { Host } from "../host/host.ts";

/** Blanks and slashes would end the entry. */
function isUsable(text: string): boolean {
  return text !== "" && !/[ \t\r\n/]/.test(text);
}

/**
 * `docker/1.2.0 go/… git-commit/… kernel/… os/linux arch/amd64`
 *
 * @origin utils/http.go HTTPUserAgentDecorator
 */
export function userAgent(machine: Pick<Host["machine"], "runtime" | "kernelRelease" | "os" | "arch">): string {
  const entries: [string, string][] = [
    ["docker", VERSION],
    ["go", machine.runtime],
    ["git-commit", GITCOMMIT],
    ["kernel", machine.kernelRelease],
    ["os", machine.os],
    ["arch", machine.arch],
  ];
  return entries
    .filter(([, version]) => isUsable(version))
    .map((entry) => entry.join("/"))
    .join(" ");
}

/**
 * The client's `X-Meta-*` headers, one value each, as they go to the registry.
 *
 * @origin utils/http.go HTTPMetaHeadersDecorator
 */
export function metaHeaders(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(value)) {
    const text: unknown = Array.isArray(values) ? values.at(-1) : values;
    if (/^x-meta-[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name) && typeof text === "string" && /^[\x20-\x7e\t]*$/.test(text)) {
      headers[name] = text;
    }
  }
  return headers;
}
