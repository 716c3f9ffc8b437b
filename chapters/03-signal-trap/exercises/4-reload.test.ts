import { expect, test } from "vitest";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { subject } from "../../lib/exercise.ts";

const { reloadOnHup } = await subject<typeof import("./4-reload.solution.ts")>(import.meta.url);

/** A process whose reload takes a second; the first ones fail as told. */
function world(failures: number) {
  const host = memoryHost();
  const begun: number[] = [];
  let atOnce = 0;
  reloadOnHup(host, async () => {
    begun.push(host.clock.monotonicMs());
    if (++atOnce > 1) throw new Error("two at a time");
    await host.clock.sleep(1_000);
    atOnce--;
    if (begun.length <= failures) throw new Error("bad file");
  });
  return { host, begun };
}

test("exercise 4: SIGHUP reloads, and does not end the process", async () => {
  const { host, begun } = world(0);
  expect(host.signals.raise("SIGHUP")).toBe(true);
  await host.clock.advance(5_000);
  host.signals.raise("SIGHUP");
  await host.clock.advance(5_000);
  expect([begun, host.signals.exits, host.stderr.text]).toEqual([[0, 5_000], [], ""]);
});

test("exercise 4: what arrives during a reload leads to one more", async () => {
  const { host, begun } = world(0);
  host.signals.raise("SIGHUP");
  for (const _ of [1, 2, 3]) {
    await host.clock.advance(200);
    host.signals.raise("SIGHUP");
  }
  await host.clock.advance(5_000);
  expect(begun).toEqual([0, 1_000]);
});

test("exercise 4: a reload that fails is reported, and the next one works", async () => {
  const { host, begun } = world(1);
  host.signals.raise("SIGHUP");
  await host.clock.advance(2_000);
  host.signals.raise("SIGHUP");
  await host.clock.advance(2_000);
  expect([begun, host.stderr.text]).toEqual([[0, 2_000], "Cannot reload: bad file\n"]);
});
