/** An answer to exercise 4. @module */

import type { Host } from "../../../src/host/host.ts";

/** One loop at a time; a signal that arrives while it runs makes it go round once more. */
export function reloadOnHup(host: Pick<Host, "signals" | "stderr">, reload: () => Promise<void>): void {
  let wanted = false;
  let running = false;

  async function loop(): Promise<void> {
    running = true;
    while (wanted) {
      wanted = false;
      try {
        await reload();
      } catch (cause) {
        await host.stderr.write(`Cannot reload: ${cause instanceof Error ? cause.message : cause}\n`);
      }
    }
    running = false;
  }

  host.signals.on("SIGHUP", () => {
    wanted = true;
    if (!running) void loop();
  });
}
