import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { follow } from "../trace.ts";
import { readWishes } from "../wishes.ts";

const { predictions } = await subject<typeof import("./1-predict.solution.ts")>(import.meta.url);

const trace = (...args: string[]) => follow(readWishes(args));

test("exercise 1: the table grows as you predict", async () => {
  expect(predictions().sizes).toEqual((await trace()).steps.map(({ original }) => original));
  expect(predictions().withoutNetwork).toBe((await trace("--bridge=none")).steps.at(-1)?.original);
  expect(predictions().again).toBe((await trace("twice")).end);
});

test("exercise 1: the jobs answer as you predict", async () => {
  const { answers } = await trace("version", "log=65", "events=1");
  expect(predictions().versionKeys).toEqual(Object.keys(JSON.parse(answers[0]?.text ?? "")));
  expect(predictions().remembered).toBe(answers[2]?.text.match(/\}/g)?.length);
});
