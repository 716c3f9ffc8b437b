import fc from "fast-check";
import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { readLines } from "../calls.ts";
import { demoHost } from "../demo.ts";
import { Session } from "../session.ts";

const { branchOf } = await subject<typeof import("./2-lookup.solution.ts")>(import.meta.url);

const path = fc.constantFrom("/bin", "/bin/ls", "/etc", "/etc/motd", "/srv", "/srv/index.html", "/tmp/cache", "/new");
const call = fc.oneof(
  path.map((one) => `write ${one} x`),
  path.map((one) => `rm ${one}`),
  path.map((one) => `mkdir ${one}`),
);

test("exercise 2: you see what the union shows, whatever was written, deleted and made anew", {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 8 }), async (lines) => {
      const session = await Session.open("/d", demoHost(), 2);
      const { layers, shown } = await session.run(readLines(["get", ...lines]));
      const branches = layers.map(({ diff }) => diff.map((entry) => entry.path));
      const files = new Set(branches.flat().filter((one) => !one.endsWith("/") && !one.includes(".wh.")));
      for (const file of files) {
        const real = shown.find((one) => one.path === file)?.layers[0];
        expect(`${file}: ${branchOf(file, branches)}`).toBe(
          `${file}: ${real && layers.findIndex(({ id }) => id === real)}`,
        );
      }
      await session.close();
    }),
    { numRuns: 40, seed: 9 },
  );
});
