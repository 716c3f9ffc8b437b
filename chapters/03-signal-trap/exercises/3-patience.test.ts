import { expect, test } from "vitest";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { subject } from "../../lib/exercise.ts";
import type { Step } from "./3-patience.ts";

const { inOrder } = await subject<typeof import("./3-patience.solution.ts")>(import.meta.url);

/** Steps that take so long; what they did and when. */
function world(takes: Record<string, number>) {
  const { clock } = memoryHost();
  const log: string[] = [];
  const steps = Object.entries(takes).map(
    ([name, ms]): Step => ({
      name,
      limitMs: 3_000,
      async run() {
        log.push(`${clock.monotonicMs()} ${name}`);
        if (ms < 0) throw new Error("broken");
        await (Number.isFinite(ms) ? clock.sleep(ms) : new Promise(() => undefined));
      },
    }),
  );
  return { clock, log, steps };
}

test("exercise 3: steps run one after another", async () => {
  const { clock, log, steps } = world({ containers: 2_000, ports: 500, storage: 0 });
  const left = inOrder(steps, clock);
  await clock.advance(10_000);
  expect([log, await left]).toEqual([["0 containers", "2000 ports", "2500 storage"], []]);
  expect(clock.sleepers).toBe(0);
});

test("exercise 3: a step that does not end is left alone, and one that fails is done", async () => {
  const { clock, log, steps } = world({ containers: Number.POSITIVE_INFINITY, ports: -1, storage: 4_000, database: 0 });
  const left = inOrder(steps, clock);
  await clock.advance(10_000);
  expect(log).toEqual(["0 containers", "3000 ports", "3000 storage", "6000 database"]);
  expect(await left).toEqual(["containers", "storage"]);
});
