import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { follow } from "../trace.ts";

const { requests } = await subject<typeof import("./3-requests.solution.ts")>(import.meta.url);

/** How often the client asks for a command. */
async function counted(command: string, prepared: boolean): Promise<number> {
  const { steps } = await follow(command.split(" "), prepared);
  return steps.filter(({ path }) => path[0] === "client").length;
}

test("exercise 3: the client asks as often as you say", async () => {
  expect(requests()).toEqual({
    pull: await counted("pull busybox", false),
    run: await counted("run busybox true", true),
    runAndPull: await counted("run busybox true", false),
    detached: await counted("run -d busybox true", true),
    andRemove: await counted("run --rm busybox true", true),
    removeTwo: await counted("rm one two", true),
  });
});
