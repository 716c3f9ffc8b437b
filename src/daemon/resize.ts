/**
 * The size of a container's terminal.
 *
 * @origin daemon/resize.go
 * @module
 */

import type { Job } from "../engine/job.ts";
import { BadRequestError, ConflictError, messageOf, SystemError } from "../errdefs/errdefs.ts";
import { parseInteger } from "../pkg/strconv/strconv.ts";
import type { Daemon } from "./daemon.ts";

/**
 * Job `resize CONTAINER HEIGHT WIDTH`; without a terminal, or before there is one, it does nothing. `strict`: a container
 * that does not run is an error, and a new size is an event.
 *
 * @origin daemon/resize.go ContainerResize
 * @deviation 1.2.0 crashes, for this one request, on a container that has never run.
 */
export function containerResize(daemon: Daemon, job: Job): void {
  const [name, height, width] = job.args;
  if (job.args.length !== 3 || name === undefined) {
    throw new SystemError(`Not enough arguments. Usage: ${job.name} CONTAINER HEIGHT WIDTH\n`);
  }
  const strict = job.getenvBool("strict");
  const [h, w] = strict ? sizeOf(height, width) : [parseInteger(height ?? ""), parseInteger(width ?? "")];
  const container = daemon.mustGet(name);
  const { console, state, id } = container;
  if (strict && !state.running) throw new ConflictError(`Container ${id} is not running`);
  // The kernel keeps 16 bits of each.
  if (h >= 0 && w >= 0 && h <= 0xffff && w <= 0xffff) console?.resize(h, w);
  if (strict) daemon.logEvent(container, "resize", { height: String(h), width: String(w) });
}

/** @throws {BadRequestError} for what is no number */
function sizeOf(height: string | undefined, width: string | undefined): [height: number, width: number] {
  try {
    return [parseInteger(height ?? ""), parseInteger(width ?? "")];
  } catch (cause) {
    throw new BadRequestError(messageOf(cause), { cause });
  }
}
