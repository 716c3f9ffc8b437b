/**
 * The daemon's end: containers first, then what they stood on.
 *
 * @origin daemon/daemon.go shutdown
 * @module
 */

import posix from "node:path/posix";
import { isErrno, messageOf } from "../errdefs/errdefs.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";
import { unpauseIfNeeded } from "./pause.ts";
import { killSig, within } from "./stop.ts";

/** How long containers may take to end by themselves; the engine gives everything ten seconds. */
const patienceMs = 7_500;
/** And after they have been killed. */
const killedMs = 1_500;

/**
 * Stops all containers and gives back mounts, ports and files.
 *
 * @deviation What does not end in time is killed; 1.2.0 leaves it to the next boot. How each container ended is on disk
 *   before this is over; 1.2.0 may be gone before, and its next boot takes the container for lost (−127).
 */
export async function shutdown(daemon: Daemon): Promise<void> {
  daemon.stopping = true;
  const steps: [string, () => Promise<void>][] = [
    ["daemon.shutdown()", () => stopAll(daemon)],
    ["daemon.driver.Cleanup()", () => daemon.driver.cleanup()],
    ["daemon.containerGraph.Close()", async () => daemon.containerGraph.close()],
    ["daemon.netns", () => removeRunDirectory(daemon)],
  ];
  for (const [name, step] of steps) {
    await step().catch((cause: unknown) => daemon.log.error("daemon.go:870", `${name}: ${messageOf(cause)}`));
  }
}

async function stopAll(daemon: Daemon): Promise<void> {
  const { log } = daemon;
  log.debug("daemon.go:885", "starting clean shutdown of all containers...");
  await Promise.all(daemon.list().map((container) => stopOne(daemon, container)));
  await within(daemon, killedMs, Promise.all(daemon.list().map((container) => container.teardown)));
  await daemon.tasks.drain(500);
}

async function stopOne(daemon: Daemon, container: Container): Promise<void> {
  if (!container.state.running) return;
  const { log } = daemon;
  log.debug("daemon.go:889", `stopping ${container.id}`);
  const ended = container.state.waitNotRunning();
  try {
    await unpauseIfNeeded(daemon, container);
    await killSig(daemon, container, 15);
  } catch (cause) {
    log.debug("daemon.go:895", `kill 15 error for ${container.id} - ${messageOf(cause)}`);
  }
  if (!(await within(daemon, patienceMs, ended))) {
    await killSig(daemon, container, 9).catch(() => undefined);
    await within(daemon, killedMs, ended);
  }
  log.debug("daemon.go:898", `container stopped ${container.id}`);
}

/** Removes the directory of the namespaces; one that is not empty, was never made, or is not ours stays as it is. */
async function removeRunDirectory({ host, netnsRoot }: Daemon): Promise<void> {
  for (const path of [netnsRoot, posix.dirname(netnsRoot)]) {
    await host.fs.rmdir(path).catch((cause: unknown) => {
      if (!isErrno(cause, "ENOENT", "ENOTEMPTY", "EBUSY", "EACCES")) throw cause;
    });
  }
}
