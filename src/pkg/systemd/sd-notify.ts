/**
 * Tells the init system how the daemon is.
 *
 * @origin pkg/systemd/sd_notify.go
 * @module
 */

import { SystemError } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";

/**
 * Sends a state such as `READY=1`.
 *
 * @throws {SystemError} `No socket`: nobody wants to know
 * @origin pkg/systemd/sd_notify.go SdNotify
 */
export function sdNotify(host: Pick<Host, "env" | "kernel">, state: string): void {
  const path = host.env["NOTIFY_SOCKET"];
  if (!path) throw new SystemError("No socket");
  host.kernel.sendDatagram(path, state);
}
