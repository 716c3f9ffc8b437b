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
import { NativeDriver, requireRunc } from "../native/driver.ts";

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
  throw unknown(name);
}

/** @throws {SystemError} what {@link newDriver} would throw of the name or of a program that is missing */
export async function checkDriver(name: string, host: Pick<Host, "exec">): Promise<void> {
  if (name === "native") await requireRunc(host);
  else if (name !== "dry") throw unknown(name);
}

function unknown(name: string): SystemError {
  return new SystemError(`unknown exec driver ${name}`);
}
