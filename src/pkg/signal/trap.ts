/**
 * What the daemon does when it is told to stop.
 *
 * | signal | what happens |
 * |---|---|
 * | first SIGINT or SIGTERM | clean up, then exit 0 |
 * | second and third | nothing: the clean-up goes on |
 * | fourth and later | exit 130 or 143 at once |
 * | SIGQUIT | exit 131 at once, without cleaning up; with `DEBUG` set, the runtime's way: exit 2 |
 * | SIGUSR1, SIGUSR2 | nothing, as in every Go program; Node would open a debugger's port, or end |
 *
 * @origin pkg/signal/trap.go
 * @article 001/5.3
 * @module
 */

import type { Host } from "../../host/host.ts";
import { signalMap } from "./signal.ts";

/** The signals, and how Go prints their names. */
const NAMES = { INT: "interrupt", TERM: "terminated", QUIT: "quit" } as const;
type Trapped = keyof typeof NAMES;

/** So many are taken before the next one ends the process by force. */
const PATIENCE = 3;

/**
 * Handles SIGINT, SIGTERM and SIGQUIT, and takes no notice of SIGUSR1 and SIGUSR2, for the rest of the process.
 *
 * @param cleanup - run once, for the first SIGINT or SIGTERM; it bounds its own time
 * @param print - writes a line of Go's log package
 * @origin pkg/signal/trap.go Trap
 * @article 001/5.3
 * @deviation With `DEBUG` set, SIGQUIT prints its name and exits 2 as the Go runtime does, but there are no goroutines
 *   whose stacks could follow. A clean-up that fails is reported and counts as done.
 */
export function trap(
  host: Pick<Host, "signals" | "env" | "stderr">,
  cleanup: () => Promise<void> | void,
  print: (line: string) => void,
): void {
  let interrupts = 0;

  async function handle(name: Trapped): Promise<void> {
    print(`Received signal '${NAMES[name]}', starting shutdown of docker...`);
    if (name !== "QUIT") {
      if (interrupts < PATIENCE) {
        interrupts++;
        if (interrupts > 1) return;
        try {
          await cleanup();
        } catch (cause) {
          print(`Error cleaning up: ${cause instanceof Error ? cause.message : cause}`);
        }
        host.signals.exit(0);
      }
      print("Force shutdown of docker, interrupting cleanup");
    }
    host.signals.exit(128 + (signalMap.get(name) ?? 0));
  }

  // Only a host whose exit() comes back by throwing gets to the catch: a test.
  const on = (name: Trapped) => host.signals.on(`SIG${name}`, () => void handle(name).catch(() => undefined));
  on("INT");
  on("TERM");
  for (const ignored of ["SIGUSR1", "SIGUSR2"]) host.signals.on(ignored, () => undefined);
  if (!host.env["DEBUG"]) {
    on("QUIT");
    return;
  }
  host.signals.on("SIGQUIT", () => {
    void host.stderr.write("SIGQUIT: quit\n");
    host.signals.exit(2);
  });
}
