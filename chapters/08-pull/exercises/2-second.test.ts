import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { ask, follow } from "../demo.ts";

const { predictions } = await subject<typeof import("./2-second.solution.ts")>(import.meta.url);

const lines = [
  "app:1.0 app:1.0",
  "--fail layer=404 app:1.0 app:1.0",
  "app:1.0 app:latest",
  "--fail layer=404:1 app:1.0 tools:1.0",
  "--leave 1=200 app:1.0 app:1.0",
  "--registry v2 app:1.0 tools:1.0",
];

test("exercise 2: the second client is told what you predict, after as many requests", async () => {
  const real: Record<string, readonly [string, number]> = {};
  for (const line of lines) {
    const { clients, sent } = await follow(ask(line.split(" ")));
    real[line] = [clients[1]?.error === undefined ? "well" : "error", sent.filter(({ client }) => client === 2).length];
  }
  expect(predictions()).toEqual(real);
});
