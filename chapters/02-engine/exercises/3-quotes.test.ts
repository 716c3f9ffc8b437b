import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { stage } from "../demo.ts";

const { parseJob } = await subject<typeof import("./3-quotes.solution.ts")>(import.meta.url);

const { eng } = stage();
const read = (line: string) => {
  const job = parseJob(eng, line);
  return [job.name, job.args, Object.fromEntries(job.environ())];
};

test("exercise 3: what ParseJob understands is understood as before", () => {
  expect(read(" VERBOSE=1 echo hello\tTEST=true world X==y ")).toEqual([
    "echo",
    ["hello", "world"],
    { VERBOSE: "1", TEST: "true", X: "=y" },
  ]);
});

test("exercise 3: quotes keep a text together", () => {
  expect(read(`GREETING="good day" echo 'a  b' it"'"s "" x'y'z`)).toEqual([
    "echo",
    ["a  b", "it's", "", "xyz"],
    { GREETING: "good day" },
  ]);
});

test("exercise 3: a quoted setting is an argument", () => {
  expect(read(`echo "A=1" 'B'=2 C='='`)).toEqual(["echo", ["A=1", "B=2"], { C: "=" }]);
});

test.each([`echo "a`, `echo it's`])("exercise 3: %s is refused", (line) => {
  expect(() => parseJob(eng, line)).toThrow(`unbalanced quotes: '${line}'`);
});

test("exercise 3: a line without a name is refused in the engine's words", () => {
  expect(() => parseJob(eng, "A=1")).toThrow("empty command: 'A=1'");
});
