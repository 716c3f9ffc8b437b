import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { visits } from "../demo.ts";
import { follow } from "../trace.ts";

const { reached } = await subject<typeof import("./2-modules.solution.ts")>(import.meta.url);

const commands = {
  version: ["version"],
  images: ["images"],
  ps: ["ps", "-a"],
  pull: ["pull", "busybox"],
  run: ["run", "busybox", "true"],
  nope: ["nope"],
};

test.each(Object.entries(commands))("exercise 2: docker %s reaches what you say", async (name, command) => {
  const { steps } = await follow(command, true);
  expect([...reached()[name as keyof typeof commands]].sort()).toEqual([...visits(steps).keys()].sort());
});
