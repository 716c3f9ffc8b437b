/**
 * The operating system, as `docker info` names it.
 *
 * @origin pkg/parsers/operatingsystem/operatingsystem.go
 * @module
 */

import type { Host } from "../../../host/host.ts";

/**
 * The `PRETTY_NAME` of /etc/os-release.
 *
 * @throws Error when the file has none; the file system's error when there is no file
 * @origin pkg/parsers/operatingsystem/operatingsystem.go GetOperatingSystem
 * @deviation A name in single quotes or none is read too; 1.2.0 takes the text up to the next double quote, or panics.
 */
export async function getOperatingSystem({ fs }: Pick<Host, "fs">): Promise<string> {
  const text = String(await fs.readFile("/etc/os-release"));
  const match = /^PRETTY_NAME=(?:"([^"\n]*)"|'([^'\n]*)'|([^\n]*))/m.exec(text);
  if (match === null) throw new Error("PRETTY_NAME not found");
  return match[1] ?? match[2] ?? match[3] ?? "";
}

/**
 * Whether the daemon itself runs in a container: its first process is then not in the root of every cgroup.
 *
 * @origin pkg/parsers/operatingsystem/operatingsystem.go IsContainerized
 * @deviation On cgroup v2 the scope that systemd makes for the host's first process does not count as a container.
 */
export async function isContainerized({ fs }: Pick<Host, "fs">): Promise<boolean> {
  const text = String(await fs.readFile("/proc/1/cgroup"));
  return text.split("\n").some((line) => line !== "" && !line.endsWith("/") && !isInitScope(line));
}

function isInitScope(line: string): boolean {
  return line.endsWith(":/init.scope");
}
