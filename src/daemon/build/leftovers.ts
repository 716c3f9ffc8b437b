/**
 * Containers of builds that a crash cut off.
 *
 * ```text
 * containers/<id>/building   a build needs this container, and nobody else ever will
 * ```
 *
 * @module
 */

import posix from "node:path/posix";
import { messageOf } from "../../errdefs/errdefs.ts";
import type { Container } from "../container.ts";
import type { Daemon } from "../daemon.ts";
import { destroy } from "../delete.ts";

/** The file in a container's directory. */
export const BUILDING = "building";

const markOf = ({ root }: Pick<Container, "root">) => posix.join(root, BUILDING);

/** Says that a container goes when its build does not come to its end. */
export async function markBuilding({ host }: Pick<Daemon, "host">, container: Container): Promise<void> {
  await host.fs.writeFile(markOf(container), "", { mode: 0o600 });
}

/** Says that a container stays, for somebody to look at. */
export async function keep({ host }: Pick<Daemon, "host">, container: Container): Promise<void> {
  await host.fs.rm(markOf(container), { force: true });
}

/**
 * Removes, at boot, what builds have left; failures are logged.
 *
 * @param containers - those with {@link BUILDING}
 * @deviation 1.2.0 shows these containers for ever.
 */
export async function removeLeftByBuilds(daemon: Daemon, containers: readonly Container[]): Promise<void> {
  for (const container of containers) {
    await destroy(daemon, container, true, true, true).catch((cause: unknown) => {
      const text = `Cannot remove the container ${container.id}, which a build has left: ${messageOf(cause)}`;
      daemon.log.error("daemon.go:310", text);
    });
  }
}
