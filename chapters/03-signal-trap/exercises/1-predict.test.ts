import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { ask } from "../arguments.ts";
import { statusOf } from "../demo.ts";
import { follow } from "../run.ts";

const { predictions } = await subject<typeof import("./1-predict.solution.ts")>(import.meta.url);

const lines = [
  "TERM@0 --handler 3s",
  "INT@0 INT@1s INT@2s INT@3s --job never",
  "QUIT@1s --job 3s",
  "QUIT@1s --job 3s --debug",
  "TERM@0 --job never --handler 12s",
  "TERM@0 INT@1s TERM@2s --job 4s --handler 4s",
  "TERM@0 QUIT@6s --job 2s --handler 3s",
  "HUP@1s --job 3s",
];

test("exercise 1: the process ends as you predict", async () => {
  const real: Record<string, unknown> = {};
  for (const line of lines) {
    const trace = await follow(ask(line.split(" ")));
    real[line] = [statusOf(trace), trace.end.at / 1000];
  }
  expect(predictions()).toEqual(real);
});
