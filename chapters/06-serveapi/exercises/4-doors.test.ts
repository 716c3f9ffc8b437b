import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { follow } from "../trace.ts";
import { lines } from "./4-doors.ts";

const { predictions } = await subject<typeof import("./4-doors.solution.ts")>(import.meta.url);

test.each(Object.entries(lines))("exercise 4: docker -d, line %s: %j", async (letter, flags) => {
  const ping = { method: "GET", target: "/_ping", early: false };
  const { ended, visits } = await follow({ flags, boot: 0, asks: [ping] });
  const outcome = ended?.text ?? (visits[0]?.answer?.body === "OK" ? "serves" : "does not answer");
  expect(predictions()[letter as keyof typeof lines]).toBe(outcome);
});
