import { expect, test } from "vitest";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { subject } from "../../lib/exercise.ts";
import { configure } from "../main.ts";

const { contradictions } = await subject<typeof import("./3-early-check.solution.ts")>(import.meta.url);

const bridge = "You specified -b & --bip, mutually exclusive options. Please specify only one.";
const icc =
  "You specified --iptables=false with --icc=false. ICC uses iptables to function. Please set --icc or --iptables to true.";

test.each([
  ["-d", []],
  ["-d -b br0", []],
  ["-d --icc=false", []],
  ["-d -b br0 --bip 10.0.0.1/24", [bridge]],
  ["-d --icc=false --iptables=false", [icc]],
  ["-d -b br0 --bip 10.0.0.1/24 --icc=false --iptables=false", [bridge, icc]],
])("exercise 3: docker %s", (line, expected) => {
  const { flags } = configure(line.split(" "), memoryHost({ env: { HOME: "/root" } }));
  expect(contradictions(flags.config)).toEqual(expected);
});
