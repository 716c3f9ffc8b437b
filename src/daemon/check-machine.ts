/**
 * Whether a daemon can run on this machine.
 *
 * @origin daemon/daemon.go checkKernelAndArch
 * @module
 */

import { messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { Logger } from "../pkg/log/log.ts";
import { compareKernelVersion, getKernelVersion, kernelVersionText } from "../pkg/parsers/kernel/kernel.ts";

/**
 * Refuses other systems than Linux, and warns about an old kernel.
 *
 * @throws {SystemError} `The Docker daemon is only supported on linux`
 * @deviation 1.2.0 also refuses other processors than amd64.
 */
export function checkKernelAndArch(host: Pick<Host, "machine" | "env">, log: Logger): void {
  if (host.machine.os !== "linux") throw new SystemError("The Docker daemon is only supported on linux");
  try {
    const version = getKernelVersion(host);
    const old = compareKernelVersion(version, { kernel: 3, major: 8, minor: 0 }) < 0;
    if (!old || host.env["DOCKER_NOWARN_KERNEL_VERSION"]) return;
    log.info(
      `WARNING: You are running linux kernel version ${kernelVersionText(version)}, which might be unstable running docker. ` +
        "Please upgrade your kernel to 3.8.0.",
    );
  } catch (cause) {
    log.info(`WARNING: ${messageOf(cause)}`);
  }
}
