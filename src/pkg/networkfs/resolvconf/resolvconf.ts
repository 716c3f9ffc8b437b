/**
 * /etc/resolv.conf: read the host's, write a container's.
 *
 * @origin pkg/networkfs/resolvconf/resolvconf.go
 * @module
 */

import type { Host } from "../../../host/host.ts";

/** The host's own file, byte for byte. @origin pkg/networkfs/resolvconf/resolvconf.go Get */
export async function get(host: Pick<Host, "fs">): Promise<Buffer> {
  return await host.fs.readFile("/etc/resolv.conf");
}

/** Lines without what follows a `#`. @origin pkg/networkfs/resolvconf/resolvconf.go getLines */
function getLines(resolvConf: Uint8Array | string): string[] {
  const text = typeof resolvConf === "string" ? resolvConf : Buffer.from(resolvConf).toString("utf8");
  return text.split("\n").map((line) => line.split("#", 1)[0]!);
}

/** The IPv4 name servers, in order. @origin pkg/networkfs/resolvconf/resolvconf.go GetNameservers */
export function getNameservers(resolvConf: Uint8Array | string): string[] {
  return getLines(resolvConf).flatMap((line) => /^\s*nameserver\s*(([0-9]+\.){3}[0-9]+)\s*$/.exec(line)?.[1] ?? []);
}

/** The same as networks of one address, `1.2.3.4/32`. @origin pkg/networkfs/resolvconf/resolvconf.go GetNameserversAsCIDR */
export function getNameserversAsCIDR(resolvConf: Uint8Array | string): string[] {
  return getNameservers(resolvConf).map((server) => `${server}/32`);
}

/** The search domains of the last `search` line. @origin pkg/networkfs/resolvconf/resolvconf.go GetSearchDomains */
export function getSearchDomains(resolvConf: Uint8Array | string): string[] {
  let domains: string[] = [];
  for (const line of getLines(resolvConf)) {
    const match = /^\s*search\s*(.*)$/s.exec(line);
    if (match !== null) domains = match[1]!.split(/\s+/).filter((domain) => domain !== "");
  }
  return domains;
}

/**
 * Writes a container's file in place: it is bind-mounted, so it must stay the same file.
 *
 * @param search - a single `.` means: no search line
 * @origin pkg/networkfs/resolvconf/resolvconf.go Build
 */
export async function build(
  path: string,
  dns: readonly string[],
  search: readonly string[],
  host: Pick<Host, "fs">,
): Promise<void> {
  const lines = dns.map((server) => `nameserver ${server}\n`);
  const domains = search.join(" ");
  if (search.length > 0 && domains.trim() !== ".") lines.push(`search ${domains}\n`);
  await host.fs.writeFile(path, lines.join(""), { mode: 0o644 });
}
