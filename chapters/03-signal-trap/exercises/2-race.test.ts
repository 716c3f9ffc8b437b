import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";

const { outcomes } = await subject<typeof import("./2-race.solution.ts")>(import.meta.url);

const sorted = (signals: number) =>
  outcomes(signals)
    .map(({ cleanups, forced }) => `${cleanups} ${forced}`)
    .sort();

test("exercise 2: one signal always cleans up", () => {
  expect(sorted(1)).toEqual(["1 false"]);
});

test("exercise 2: two signals may leave nobody to clean up", () => {
  expect(sorted(2)).toEqual(["0 false", "1 false"]);
});

test("exercise 2: of four, the last may force the end or be waited for like the others", () => {
  expect(sorted(4)).toEqual(["0 false", "0 true", "1 false", "1 true"]);
});

test("exercise 2: however many come, nobody cleans up twice", () => {
  for (const signals of [3, 5, 6]) expect(Math.max(...outcomes(signals).map(({ cleanups }) => cleanups))).toBe(1);
});
