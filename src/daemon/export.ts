/**
 * A container's file system as an archive.
 *
 * @origin daemon/export.go
 * @module
 */

import type { Job } from "../engine/job.ts";
import { SystemError } from "../errdefs/errdefs.ts";
import { withRootfs } from "./cleanup.ts";
import type { Daemon } from "./daemon.ts";
import { rephrase } from "./errors.ts";

/**
 * Job `export CONTAINER`: a tar of everything the container sees, apart from its volumes.
 *
 * @origin daemon/export.go ContainerExport
 * @deviation A thread locked into the container's root reads the files: what a running container does to them meanwhile
 *   cannot lead the archive out of it (CVE-2018-15664), nor to a device of the machine.
 */
export async function containerExport(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length > 1) throw new SystemError(`Usage: ${job.name} container_id`);
  const container = daemon.mustGet(name);
  try {
    await withRootfs(daemon, container, (root) => {
      const view = { root, mounts: [], confine: daemon.host.machine.uid === 0 };
      return daemon.host.pool.tree(view, (chunk) => job.stdout.write(chunk), job.signal);
    });
  } catch (cause) {
    throw rephrase(cause, (text) => `${name}: ${text}`);
  }
  daemon.logEvent(container, "export");
}
