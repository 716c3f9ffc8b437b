/**
 * Reads a container's files while nothing in it moves.
 *
 * @module
 */

import { ConflictError } from "../errdefs/errdefs.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";

/**
 * Freezes a running container while `work` runs, and thaws it whatever comes of that. One that is frozen already, or does
 * not run, stays as it is.
 */
export async function whileHalted<T>(daemon: Daemon, container: Container, work: () => Promise<T>): Promise<T> {
  const { id, state } = container;
  const froze = await daemon.locks.run(id, async () => {
    if (state.paused || !state.running || state.restarting) return false;
    await daemon.execDriver.pause(id);
    if (!state.running) throw new ConflictError(`Container ${id} is not running`);
    state.paused = true;
    return true;
  });
  try {
    return await work();
  } finally {
    if (froze) {
      await daemon.locks.run(id, async () => {
        // Somebody may have thawed, or killed, it meanwhile.
        if (!state.paused || !state.running) return;
        await daemon.execDriver.unpause(id);
        state.paused = false;
      });
    }
  }
}
