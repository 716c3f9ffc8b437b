/**
 * Chooses the execution driver by name.
 *
 * @origin daemon/execdriver/execdrivers/execdrivers.go
 * @module
 */

import { join } from "node:path/posix";
import { SystemError } from "../../../errdefs/errdefs.ts";
import type { Host } from "../../../host/host.ts";
import type { Logger } from "../../../pkg/log/log.ts";
import type { ExecDriver } from "../driver.ts";
import { DryDriver } from "../dry/driver.ts";
import { NativeDriver } from "../native/driver.ts";

/**
 * @param name - `native`, or `dry` for hosts that cannot run containers
 * @param root - the docker root
 * @throws {SystemError} `unknown exec driver <name>`
 * @origin daemon/execdriver/execdrivers/execdrivers.go NewDriver
 * @deviation `lxc` is not offered: it went away in Docker 1.10. `dry` is ours.
 */
export async function newDriver(name: string, root: string, host: Host, log: Logger): Promise<ExecDriver> {
  if (name === "native") return NativeDriver.init(join(root, "execdriver", "native"), host, log);
  if (name === "dry") return new DryDriver(join(root, "execdriver", "dry"), host);
  throw new SystemError(`unknown exec driver ${name}`);
}
