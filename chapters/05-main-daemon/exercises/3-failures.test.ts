import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { faults } from "../machine.ts";
import { follow } from "../trace.ts";
import type { Trouble } from "./3-failures.ts";

const { outcomes } = await subject<typeof import("./3-failures.solution.ts")>(import.meta.url);

test.each(["nothing", ...faults, "TERM"] as Trouble[])("exercise 3: %s ends as you say", async (trouble) => {
  const { ended, clients, left } = await follow({
    disk: 10,
    containers: 2,
    clients: [30],
    fault: faults.find((fault) => fault === trouble),
    signal: trouble === "TERM" ? { name: "TERM", at: 200 } : undefined,
  });
  expect(outcomes()[trouble]).toEqual({
    status: ended?.status,
    client: clients[0]?.end,
    left: left.map((path) => path.replace("/var/run/", "")),
  });
});
