import { expect, test } from "vitest";
import { BufferWriter } from "../../../src/sync/io.ts";
import { subject } from "../../lib/exercise.ts";
import { stage } from "../demo.ts";

const { number } = await subject<typeof import("./4-number.solution.ts")>(import.meta.url);

/** Runs `number` with these arguments. */
async function run(line: string) {
  const { eng, host } = stage();
  eng.register("number", number);
  const job = eng.parseJob(line);
  const [stdout, stderr] = [new BufferWriter(), new BufferWriter()];
  job.stdout.add(stdout);
  job.stderr.add(stderr);
  const error = job.run().then(
    () => "",
    (cause: Error) => cause.message,
  );
  await host.clock.advance(0);
  return { stdout: stdout.toString(), stderr: stderr.toString(), error: await error, status: job.statusCode() };
}

test("exercise 4: the lines are numbered, and the last one counts them", async () => {
  const { stdout, error, status } = await run("number commands");
  expect(stdout).toBe("1 commands\n2 echo\n3 number\n4 shout\n5 upper\nlines: 5\n");
  expect([error, status]).toEqual(["", 0]);
});

test("exercise 4: the environment goes along", async () => {
  const { eng, host } = stage();
  eng.register("number", number);
  const running = eng.parseJob("SECONDS=3 number echo hello").run();
  await host.clock.advance(2_999);
  expect(host.stderr.text).not.toContain("-job");
  await host.clock.advance(1);
  await running;
});

test.each([
  ["number nope", 127, "nope: command not found"],
  ["number echo", 1, "Usage: echo WORD..."],
])("exercise 4: %s ends with %i", async (line, status, message) => {
  expect(await run(line)).toEqual({ stdout: "lines: 0\n", stderr: `${message}\n`, error: message, status });
});
