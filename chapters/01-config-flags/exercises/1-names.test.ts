import { expect, test } from "vitest";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import type { Flag } from "../../../src/pkg/mflag/mflag.ts";
import { subject } from "../../lib/exercise.ts";
import { declare } from "../main.ts";

const { typed, warning } = await subject<typeof import("./1-names.solution.ts")>(import.meta.url);

test("exercise 1: every flag of the program is typed and warns as you say", () => {
  const flags: Flag[] = [];
  declare(memoryHost({ env: { HOME: "/root" } })).set.visitAll((flag) => flags.push(flag));
  for (const { names, defValue } of flags.filter(({ defValue }) => /^(?:true|false|)$/.test(defValue))) {
    for (const name of typed(names)) {
      const host = memoryHost({ env: { HOME: "/root" } });
      declare(host).set.parse([`${name}=${defValue || "x"}`]);
      expect(host.stderr.text.trimEnd()).toBe(warning(names, name));
    }
  }
});

test("exercise 1: a name that is deprecated later than its replacement is only removed", () => {
  expect(typed(["new", "#old"])).toEqual(["-new", "-old"]);
  expect(warning(["new", "#old"], "-old")).toBe("Warning: '-old' is deprecated, it will be removed soon. See usage.");
});
