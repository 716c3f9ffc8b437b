/** An answer to exercise 3. @module */

import type { Clock } from "../../../src/host/clock.ts";
import { TaskGroup } from "../../../src/sync/task-group.ts";
import type { Step } from "./3-patience.ts";

/** The engine waits for its jobs with a group of tasks and a limit; a step is a group of one. */
export async function inOrder(steps: readonly Step[], clock: Clock): Promise<string[]> {
  const left: string[] = [];
  for (const { name, limitMs, run } of steps) {
    const group = new TaskGroup(clock);
    group.run(run).catch(() => undefined);
    if ((await group.drain(limitMs)) === "timeout") left.push(name);
  }
  return left;
}
