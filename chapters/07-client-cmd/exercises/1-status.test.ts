import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { follow } from "../trace.ts";

const { predictions } = await subject<typeof import("./1-status.solution.ts")>(import.meta.url);

const lines = [
  ..."images|IMAGES|nope|nope pull|help pull|pull|ps --nope".split("|"),
  ..."--nope ps|images nope|rmi nope|--tls ps|-H :1 -H :2|--tlsverify|-v --tlsverify".split("|"),
];

test("exercise 1: the program ends with the status you predict", async () => {
  const real: Record<string, number | undefined> = {};
  for (const line of lines) real[line] = (await follow(line.split(" "))).status;
  expect(predictions()).toEqual(real);
});
