import { expect, test } from "vitest";
import { Engine } from "../../../src/engine/engine.ts";
import type { Handler } from "../../../src/engine/job.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { subject } from "../../lib/exercise.ts";

const { installAll } = await subject<typeof import("./4-all-or-none.solution.ts")>(import.meta.url);

const nothing: Handler = () => undefined;

test("exercise 4: nothing is registered when a name is taken, wherever it stands", () => {
  for (const taken of ["events", "log", "subscribers_count"]) {
    const eng = new Engine(memoryHost());
    eng.register(taken, nothing);
    const before = eng.commands();
    const all = { events: nothing, log: nothing, subscribers_count: nothing };
    expect(() => installAll(eng, all)).toThrow(`Can't overwrite handler for command ${taken}`);
    expect(eng.commands()).toEqual(before);
  }
});

test("exercise 4: everything is registered when all names are free, and runs", async () => {
  const eng = new Engine(memoryHost());
  const seen: string[] = [];
  const handlers = { a: () => void seen.push("a"), b: () => void seen.push("b") };
  expect(installAll(eng, handlers)).toEqual(["a", "b"]);
  expect(eng.commands()).toEqual(["a", "b", "commands"]);
  await eng.job("b").run();
  expect(seen).toEqual(["b"]);
});
