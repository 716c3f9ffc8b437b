/**
 * /etc/hosts of a container.
 *
 * @origin pkg/networkfs/etchosts/etchosts.go
 * @module
 */

import type { Host } from "../../../host/host.ts";

/** What every container knows. */
const DEFAULT_CONTENT: readonly (readonly [names: string, ip: string])[] = [
  ["localhost", "127.0.0.1"],
  ["localhost ip6-localhost ip6-loopback", "::1"],
  ["ip6-localnet", "fe00::0"],
  ["ip6-mcastprefix", "ff00::0"],
  ["ip6-allnodes", "ff02::1"],
  ["ip6-allrouters", "ff02::2"],
];

/**
 * Writes the file in place: it is bind-mounted, so it must stay the same file.
 *
 * @param ip - the container's address; "" leaves its own line out
 * @param extra - names → address, for links
 * @origin pkg/networkfs/etchosts/etchosts.go Build
 * @deviation The lines are always in the same order; in 1.2.0 the order is that of a Go map, different each time.
 */
export async function build(
  path: string,
  ip: string,
  hostname: string,
  domainname: string,
  extra: ReadonlyMap<string, string> | undefined,
  host: Pick<Host, "fs">,
): Promise<void> {
  const own = domainname === "" ? hostname : `${hostname}.${domainname} ${hostname}`;
  const entries = [...(ip === "" ? [] : [[own, ip] as const]), ...DEFAULT_CONTENT, ...(extra ?? [])];
  await host.fs.writeFile(path, entries.map(([names, address]) => `${address}\t${names}\n`).join(""), { mode: 0o644 });
}
