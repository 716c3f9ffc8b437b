import { expect, test } from "vitest";
import { runDocker } from "../../../book/transcripts.ts";
import { BufferWriter } from "../../../src/sync/io.ts";
import { subject } from "../../lib/exercise.ts";

const { predictions } = await subject<typeof import("./2-exit-status.solution.ts")>(import.meta.url);

const lines = ["-v", "-d extra", "--nope", "-h", "-d -H bogus", "-v -d extra", "-H :1 -H :2 ps"];

test("exercise 2: the program ends with the status you predict", async () => {
  const real: Record<string, number> = {};
  for (const line of lines) real[line] = await runDocker(line.split(" "), new BufferWriter());
  expect(predictions()).toEqual(real);
});
