/**
 * Sockets that the init process opened for us.
 *
 * @origin pkg/systemd/listendfd.go
 * @module
 */

import type { Host } from "../../host/host.ts";

/** The first descriptor after the standard streams. */
const FIRST_FD = 3;
/** More is not a number of sockets but a mistake. */
const MAX_FDS = 1024;

/** The descriptors that `LISTEN_PID` and `LISTEN_FDS` promise to this very process; none when they speak to another. */
export function listenFds(host: Pick<Host, "env" | "machine">): number[] {
  const { LISTEN_PID: pid = "", LISTEN_FDS: count = "" } = host.env;
  if (pid !== String(host.machine.pid) || !/^\d{1,4}$/.test(count) || Number(count) > MAX_FDS) return [];
  return Array.from({ length: Number(count) }, (_, i) => FIRST_FD + i);
}

/**
 * The descriptors an `fd://` address means.
 *
 * @param addr - what follows `fd://`: a descriptor's number, or `*` or nothing for all
 * @throws `No sockets found`, `Too few socket activated files passed in`
 * @origin pkg/systemd/listendfd.go ListenFD
 * @deviation A number below 3, or none at all, is answered with the second error; 1.2.0 crashes.
 */
export function listenFd(host: Pick<Host, "env" | "machine">, addr: string): number[] {
  const fds = listenFds(host);
  if (fds.length === 0) throw new Error("No sockets found");
  if (addr === "" || addr === "*") return fds;
  const fd = fds.find((candidate) => String(candidate) === addr);
  if (fd === undefined) throw new Error("Too few socket activated files passed in");
  return [fd];
}
