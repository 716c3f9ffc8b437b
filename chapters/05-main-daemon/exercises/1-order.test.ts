import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { follow } from "../trace.ts";

const { possible } = await subject<typeof import("./1-order.solution.ts")>(import.meta.url);

/** The record of the original, without `-D`. */
const recorded = readFileSync(new URL("../../../test/golden/records/boot-log.txt", import.meta.url), "utf8")
  .split(/^# the same without -D.*\n/m)[1]!
  .split("\n")
  .slice(0, 11);

test("exercise 1: the original's own log and ours are possible", async () => {
  const { log } = await follow({ disk: 10, containers: 2, clients: [] });
  const ours = log.map(({ text }) => text.replace(/\[[0-9a-f]{8}/, "[<engine>"));
  expect([possible(recorded), possible(ours)]).toEqual([true, true]);
});

test("exercise 1: the halves may be shuffled, but neither in itself", () => {
  const isMain = (line: string) => /daemon:|serveapi|Listening/.test(line);
  const [main, loader] = [recorded.filter(isMain), recorded.filter((line) => !isMain(line))];
  expect(possible([...main, ...loader])).toBe(true);
  expect(possible([...loader, ...main])).toBe(true);
  expect(possible([...loader, ...main.toReversed()])).toBe(false);
  expect(possible([...main, ...loader.slice(1), ...loader.slice(0, 1)])).toBe(false);
  expect(possible(recorded.slice(0, -1))).toBe(false);
  expect(possible([...recorded, recorded[0] ?? ""])).toBe(false);
  expect(possible([...recorded.slice(0, -1), "[<engine>] -job acceptconnections() = ERR (1)"])).toBe(false);
});
