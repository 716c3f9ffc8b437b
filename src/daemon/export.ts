/**
 * A container's file system as an archive.
 *
 * @origin daemon/export.go
 * @module
 */

import { tar } from "../archive/archive.ts";
import type { Job } from "../engine/job.ts";
import { SystemError } from "../errdefs/errdefs.ts";
import { withRootfs } from "./cleanup.ts";
import type { Daemon } from "./daemon.ts";
import { rephrase } from "./errors.ts";

/**
 * Job `export CONTAINER`: a tar of everything the container sees, apart from its volumes.
 *
 * @origin daemon/export.go ContainerExport
 */
export async function containerExport(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length > 1) throw new SystemError(`Usage: ${job.name} container_id`);
  const container = daemon.mustGet(name);
  try {
    await withRootfs(daemon, container, async (root) => {
      for await (const chunk of tar(daemon.host, root)) {
        job.signal.throwIfAborted();
        await job.stdout.write(chunk);
      }
    });
  } catch (cause) {
    throw rephrase(cause, (text) => `${name}: ${text}`);
  }
  daemon.logEvent(container, "export");
}
