import { expect, test } from "vitest";
import { ROUTES } from "../../../src/api/server/routes.ts";
import { register } from "../../../src/builtins/builtins.ts";
import { Engine } from "../../../src/engine/engine.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { Logger } from "../../../src/pkg/log/log.ts";
import { subject } from "../../lib/exercise.ts";

const { unreachable } = await subject<typeof import("./2-routes.solution.ts")>(import.meta.url);

test("exercise 2: six of the ten names that there are after the builtins have no route", () => {
  const host = memoryHost();
  const eng = new Engine(host);
  register(eng, host, new Logger(host));
  expect(unreachable(eng, ROUTES)).toEqual([
    "acceptconnections",
    "commands",
    "init_networkdriver",
    "log",
    "serveapi",
    "subscribers_count",
  ]);
});

test("exercise 2: a route that runs two jobs leads to both", () => {
  const eng = new Engine(memoryHost());
  for (const name of ["a", "b", "c"]) eng.register(name, () => undefined);
  const route = { method: "GET", path: "/x", jobs: ["a", "c"], handle: async () => {}, hijacks: false };
  expect(unreachable(eng, [route])).toEqual(["b", "commands"]);
});
