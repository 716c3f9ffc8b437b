/**
 * The size of a container's terminal.
 *
 * @origin daemon/resize.go
 * @module
 */

import type { Job } from "../engine/job.ts";
import { SystemError } from "../errdefs/errdefs.ts";
import { parseInteger } from "../pkg/strconv/strconv.ts";
import type { Daemon } from "./daemon.ts";

/**
 * Job `resize CONTAINER HEIGHT WIDTH`; without a terminal, or before there is one, it does nothing.
 *
 * @origin daemon/resize.go ContainerResize
 */
export function containerResize(daemon: Daemon, job: Job): void {
  const [name, height, width] = job.args;
  if (job.args.length !== 3 || name === undefined) {
    throw new SystemError(`Not enough arguments. Usage: ${job.name} CONTAINER HEIGHT WIDTH\n`);
  }
  const [h, w] = [parseInteger(height ?? ""), parseInteger(width ?? "")];
  const { console } = daemon.mustGet(name);
  // The kernel keeps 16 bits of each.
  if (h >= 0 && w >= 0 && h <= 0xffff && w <= 0xffff) console?.resize(h, w);
}
