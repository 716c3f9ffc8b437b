/**
 * Waits for the end of a container.
 *
 * @origin daemon/wait.go
 * @module
 */

import type { Job } from "../engine/job.ts";
import { NotFoundError, SystemError } from "../errdefs/errdefs.ts";
import { abortable } from "./abortable.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";

/**
 * Job `wait CONTAINER`: prints the exit code.
 *
 * `condition`: absent for 1.2.0's way (the next change of a container that runs), `not-running`, `next-exit`, `removed`.
 * `exitFormat=shell`: 128 and the signal's number instead of −1.
 *
 * @origin daemon/wait.go ContainerWait
 */
export async function containerWait(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length > 1) throw new SystemError(`Usage: ${job.name}`);
  const container = daemon.get(name);
  if (container === undefined) throw new NotFoundError(`${job.name}: no such container: ${name}`);
  await abortable(waitFor(container, job.getenv("condition")), job.signal);
  const { exitCode, shellExitCode } = container.state;
  await job.printf(`${job.getenv("exitFormat") === "shell" ? shellExitCode : exitCode}\n`);
}

async function waitFor(container: Container, condition: string): Promise<void> {
  switch (condition) {
    case "":
      await container.state.waitStop();
      return;
    case "not-running":
      await container.state.waitNotRunning();
      return;
    case "next-exit":
      // A container that is removed has no next end.
      await Promise.race([container.state.waitNextExit(), container.removed.promise]);
      return;
    case "removed":
      await container.removed.promise;
      return;
    default:
      throw new SystemError(`Invalid condition: ${condition}`);
  }
}
