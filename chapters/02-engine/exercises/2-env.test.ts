import { expect, test } from "vitest";
import { Env } from "../../../src/engine/env.ts";
import { subject } from "../../lib/exercise.ts";

const { ListEnv } = await subject<typeof import("./2-env.solution.ts")>(import.meta.url);

const values = ["", "0", "No", " FALSE\t", "none", "null", "off", "1", "1.5", " 42 ", "-7", "+3", "1e3", "0123", "a=b"];

test.each(values)("exercise 2: %j is read as the engine reads it", (value) => {
  const [mine, theirs] = [new ListEnv(), new Env()];
  for (const env of [mine, theirs]) env.set("A", value);
  expect([mine.get("A"), mine.getBool("A"), mine.getInt("A"), mine.len()]).toEqual([
    theirs.get("A"),
    theirs.getBool("A"),
    theirs.getInt("A"),
    theirs.len(),
  ]);
});

test("exercise 2: the last value wins, and the first is still in the list", () => {
  const env = new ListEnv();
  for (const [name, value] of Object.entries({ A: "1", B: "x", "A=C": "2" })) env.set(name, value);
  env.set("B", "y");
  expect([env.get("A"), env.get("B"), env.get("A=C"), env.get("Z"), env.len()]).toEqual(["C=2", "y", "", "", 2]);
  expect(env.list).toEqual(["A=1", "B=x", "A=C=2", "B=y"]);
});
