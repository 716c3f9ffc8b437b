/**
 * What a container changed in its image.
 *
 * @origin daemon/changes.go
 * @module
 */

import { toText } from "../archive/byte-string.ts";
import { Env } from "../engine/env.ts";
import type { Job } from "../engine/job.ts";
import { Table } from "../engine/table.ts";
import { SystemError } from "../errdefs/errdefs.ts";
import type { Daemon } from "./daemon.ts";

/** Job `container_changes CONTAINER`: rows of `Kind` and `Path`. @origin daemon/changes.go ContainerChanges */
export async function containerChanges(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length > 1) throw new SystemError(`Usage: ${job.name} CONTAINER`);
  const { id } = daemon.mustGet(name);
  const table = new Table("");
  for (const change of await daemon.driver.changes(id, `${id}-init`)) {
    const row = new Env();
    row.set("Path", toText(change.path));
    row.setInt("Kind", change.kind);
    table.add(row);
  }
  await table.writeListTo(job.stdout);
}
