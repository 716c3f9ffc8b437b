import { expect, test } from "vitest";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { subject } from "../../lib/exercise.ts";

const { persist } = await subject<typeof import("./4-persist.solution.ts")>(import.meta.url);

/** Sends with so many failures before the answer; notes when. */
async function tried(failures: number) {
  const { clock } = memoryHost();
  const times: number[] = [];
  let outcome = "";
  const send = async () => {
    times.push(clock.monotonicMs());
    if (times.length <= failures) throw new Error(`failure ${times.length}`);
    return "an answer";
  };
  const done = persist(send, clock).then(
    (answer) => {
      outcome = answer;
    },
    (cause: Error) => {
      outcome = cause.message;
    },
  );
  await clock.advance(100_000);
  await done;
  return { times, outcome };
}

test("exercise 4: an answer is an answer, at the first try or at the fifth", async () => {
  expect(await tried(0)).toEqual({ times: [0], outcome: "an answer" });
  expect(await tried(4)).toEqual({ times: [0, 5000, 15000, 30000, 50000], outcome: "an answer" });
});

test("exercise 4: the fifth failure is the last", async () => {
  expect(await tried(9)).toEqual({ times: [0, 5000, 15000, 30000, 50000], outcome: "failure 5" });
});

test("exercise 4: a client that goes away is not waited for", async () => {
  const stop = new AbortController();
  const { clock } = memoryHost();
  let sent = 0;
  const send = async () => {
    sent++;
    throw new Error("refused");
  };
  const done = persist(send, clock, stop.signal).catch((cause: Error) => cause.message);
  await clock.advance(1000);
  stop.abort(new Error("gone"));
  await clock.advance(100_000);
  expect([await done, sent]).toEqual(["gone", 1]);
});
