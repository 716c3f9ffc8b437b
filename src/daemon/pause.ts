/**
 * Freezes containers and thaws them.
 *
 * @origin daemon/pause.go, daemon/container.go Pause, Unpause
 * @module
 */

import type { Job } from "../engine/job.ts";
import { ConflictError, SystemError } from "../errdefs/errdefs.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";
import { rephrase } from "./errors.ts";

/** Job `pause CONTAINER`. @origin daemon/pause.go ContainerPause */
export async function containerPause(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length > 1) throw new SystemError(`Usage: ${job.name} CONTAINER`);
  const container = daemon.mustGet(name);
  try {
    await daemon.locks.run(container.id, async () => {
      const { state, id } = container;
      if (state.paused) throw new ConflictError(`Container ${id} is already paused`);
      if (!state.running || state.restarting) throw new ConflictError(`Container ${id} is not running`);
      await daemon.execDriver.pause(id);
      // It may have ended while it was being frozen.
      if (state.running) state.paused = true;
    });
  } catch (cause) {
    throw rephrase(cause, (text) => `Cannot pause container ${name}: ${text}`);
  }
  daemon.save(container);
  daemon.logEvent(container, "pause");
}

/** Job `unpause CONTAINER`. @origin daemon/pause.go ContainerUnpause */
export async function containerUnpause(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length > 2) throw new SystemError(`Usage: ${job.name} CONTAINER`);
  const container = daemon.mustGet(name);
  try {
    await daemon.locks.run(container.id, async () => {
      const { state, id } = container;
      if (!state.paused) throw new ConflictError(`Container ${id} is not paused`);
      if (!state.running) throw new ConflictError(`Container ${id} is not running`);
      await daemon.execDriver.unpause(id);
      state.paused = false;
    });
  } catch (cause) {
    throw rephrase(cause, (text) => `Cannot unpause container ${name}: ${text}`);
  }
  daemon.save(container);
  daemon.logEvent(container, "unpause");
}

/**
 * Thaws a container that is about to be killed: a frozen one would not notice.
 *
 * @deviation 1.2.0 refuses to remove a paused container by force.
 */
export async function unpauseIfNeeded(daemon: Daemon, container: Container): Promise<void> {
  await daemon.locks.run(container.id, async () => {
    if (!container.state.paused || !container.state.running) return;
    container.monitor?.exitOnNext();
    await daemon.execDriver.unpause(container.id);
    container.state.paused = false;
  });
}
