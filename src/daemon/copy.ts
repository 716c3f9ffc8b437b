/**
 * Files out of a container.
 *
 * @origin daemon/copy.go, daemon/container.go Copy
 * @module
 */

import posix from "node:path/posix";
import { tarAs } from "../archive/archive.ts";
import type { Job } from "../engine/job.ts";
import { SystemError } from "../errdefs/errdefs.ts";
import { followSymlinkInScope } from "../pkg/symlink/fs.ts";
import { containerArchive } from "./archive.ts";
import { withRootfs } from "./cleanup.ts";
import type { Daemon } from "./daemon.ts";
import { whileHalted } from "./halted.ts";

/**
 * Job `container_copy CONTAINER RESOURCE`: a tar of one file, or of a directory with everything in it, under its last
 * name. Links are followed as the container sees them; volumes are not seen. With a `direction` in its environment the job
 * is the one of {@link containerArchive}.
 *
 * @origin daemon/copy.go ContainerCopy
 * @deviation A running container is frozen meanwhile: it could put a link to the machine's own files in place of a
 *   directory that has been looked at (CVE-2018-15664).
 */
export async function containerCopy(daemon: Daemon, job: Job): Promise<void> {
  const [name, resource] = job.args;
  if (name === undefined || resource === undefined || job.args.length > 2) {
    throw new SystemError(`Usage: ${job.name} CONTAINER RESOURCE\n`);
  }
  const container = daemon.mustGet(name);
  if (job.envExists("direction")) return containerArchive(daemon, job, container, resource);
  await whileHalted(daemon, container, () =>
    withRootfs(daemon, container, async (root) => {
      const wanted = posix.join(root, posix.join("/", resource));
      const path = await followSymlinkInScope(daemon.host.fs, wanted, root);
      // The whole file system has the name of its directory, which in 1.2.0 is the container's id.
      const last = path === root ? container.id : posix.basename(path);
      for await (const chunk of tarAs(daemon.host, path, last)) {
        job.signal.throwIfAborted();
        await job.stdout.write(chunk);
      }
    }),
  );
}
