import { expect, test } from "vitest";
import { Engine } from "../../../src/engine/engine.ts";
import { Events } from "../../../src/events/events.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { BufferWriter } from "../../../src/sync/io.ts";
import { subject } from "../../lib/exercise.ts";

const { Recent } = await subject<typeof import("./3-memory.solution.ts")>(import.meta.url);

/** What the engine's own jobs give for the same events. */
async function theirs(count: number, since: number, until: number): Promise<string[]> {
  const host = memoryHost({ now: 1_000_000 });
  const eng = new Engine(host);
  eng.logging = false;
  new Events(host).install(eng);
  for (let i = 1; i <= count; i++) {
    await eng.job("log", "start", `c${i}`, "x").run();
    if (i % 2 === 0) await host.clock.advance(1000);
  }
  const job = eng.job("events");
  const out = new BufferWriter();
  job.stdout.add(out);
  job.setenvInt("since", since);
  job.setenvInt("until", until);
  await job.run();
  return [...out.toString().matchAll(/"id":"(c\d+)"/g)].map(([, id]) => id ?? "");
}

function yours(count: number, since: number, until: number): string[] {
  const recent = new Recent(64);
  for (let i = 1; i <= count; i++) recent.log({ id: `c${i}`, time: 1000 + Math.floor((i - 1) / 2) });
  return recent.between(since, until).map(({ id }) => id);
}

test.each([
  [65, 1, 1032],
  [64, 1, 1031],
  [200, 1, 1099],
  [10, 1002, 1003],
  [10, 1004, 1004],
  [10, 1, 999],
  [0, 1, 999],
])("exercise 3: of %i events, those from %i to %i are the engine's", async (count, since, until) => {
  expect(yours(count, since, until)).toEqual(await theirs(count, since, until));
});

test("exercise 3: without an end, all that are kept", () => {
  expect(yours(65, 1, 0)).toHaveLength(64);
  expect(yours(65, 1, 0)[0]).toBe("c2");
});
