/**
 * Sockets that systemd opened before it started us.
 *
 * @origin pkg/systemd/listendfd.go
 * @module
 */

import { SystemError } from "../../errdefs/errdefs.ts";

/** The first descriptor systemd passes on. */
const FIRST_FD = 3;

/**
 * The descriptors to listen on.
 *
 * @param address - empty or `*`: all; otherwise the number of one descriptor
 * @throws {SystemError} `No sockets found`, `Too few socket activated files passed in`
 * @origin pkg/systemd/listendfd.go ListenFD
 */
export function listenFds(
  address: string,
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly number[] {
  const count = env["LISTEN_PID"] === String(pid) ? Number.parseInt(env["LISTEN_FDS"] ?? "", 10) || 0 : 0;
  if (count <= 0) throw new SystemError("No sockets found");
  const all = Array.from({ length: count }, (_, i) => FIRST_FD + i);
  if (address === "" || address === "*") return all;
  const wanted = Number(address);
  if (!/^\d+$/.test(address))
    throw new SystemError(`strconv.ParseInt: parsing ${JSON.stringify(address)}: invalid syntax`);
  if (!all.includes(wanted)) throw new SystemError("Too few socket activated files passed in");
  return [wanted];
}
