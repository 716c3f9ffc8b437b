import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { follow } from "../demo.ts";

const { predictions } = await subject<typeof import("./1-predict.solution.ts")>(import.meta.url);

test("exercise 1: the engine writes and throws what you predict", async () => {
  const real: Record<string, unknown> = {};
  for (const line of ["nope x", "echo", "VERBOSE=1 echo", "shout"]) {
    const { log, calls } = await follow({ twice: false, show: 0, words: line.split(" ") });
    real[line] = { log: log.map((text) => text.replace(/^\[[0-9a-f]{8}\] /, "")), error: calls[0]?.error ?? "" };
  }
  expect(predictions()).toEqual(real);
});
