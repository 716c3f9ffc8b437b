import { expect, test } from "vitest";
import { FlagError, FlagSet } from "../../../src/pkg/mflag/mflag.ts";
import { BufferWriter } from "../../../src/sync/io.ts";
import { subject } from "../../lib/exercise.ts";

const { Labels } = await subject<typeof import("./4-labels.solution.ts")>(import.meta.url);

function labels(...args: string[]) {
  const stderr = new BufferWriter();
  const set = new FlagSet("t", "continue", { stderr, exit: () => expect.unreachable() });
  const { value } = set.var(new Labels(), ["-label"], "Set a label");
  set.parse(args);
  return { value, set, stderr };
}

test("exercise 4: labels are collected, and the last value of a key wins", () => {
  const { value } = labels("--label", "b=2", "--label=a=0", "--label", "a=1=1");
  expect([value.get("a"), value.get("b"), value.get("c")]).toEqual(["1=1", "2", undefined]);
  expect(String(value)).toBe("map[a:1=1 b:2]");
});

test("exercise 4: the usage screen shows an empty map", () => {
  const { set, stderr } = labels();
  set.usage();
  expect(stderr.toString()).toContain("--label=map[]");
});

test.each(["", "a", "=1"])("exercise 4: %j is refused", (text) => {
  expect(() => labels("--label", text)).toThrow(
    new FlagError(`invalid value "${text}" for flag --label: bad label: ${text}`),
  );
});
