import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";

const { Gate } = await subject<typeof import("./2-gate.solution.ts")>(import.meta.url);

test("exercise 2: clients wait until the gate opens, and keep their order", () => {
  const served: string[] = [];
  const gate = new Gate<string>((client) => void served.push(client));
  for (const client of ["a", "b", "c"]) gate.arrive(client);
  expect(served).toEqual([]);
  gate.open();
  expect(served).toEqual(["a", "b", "c"]);
  gate.arrive("d");
  gate.open();
  expect(served).toEqual(["a", "b", "c", "d"]);
});

test("exercise 2: whoever has gone is not served", () => {
  const served: string[] = [];
  const gate = new Gate<string>((client) => void served.push(client));
  for (const client of ["a", "b"]) gate.arrive(client);
  gate.leave("a");
  gate.leave("nobody");
  gate.open();
  expect(served).toEqual(["b"]);
});

test("exercise 2: who comes while the gate opens stands behind those who waited", () => {
  const served: string[] = [];
  const gate: { arrive(client: string): void; open(): void } = new Gate<string>((client) => {
    served.push(client);
    if (client === "a") gate.arrive("late");
  });
  for (const client of ["a", "b"]) gate.arrive(client);
  gate.open();
  expect(served).toEqual(["a", "b", "late"]);
});
