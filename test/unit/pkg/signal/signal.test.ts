import { constants } from "node:os";
import { expect, test } from "vitest";
import { memoryHost } from "../../../../src/host/memory/memory.ts";
import { catchAll, signalMap, signalName } from "../../../../src/pkg/signal/signal.ts";

test("signalMap has the 35 names of 1.2.0 with Linux's numbers", () => {
  expect(signalMap.size).toBe(35);
  const system = constants.signals as Record<string, number>;
  for (const [name, number] of signalMap) {
    // Two old names that the runtime does not know on every processor.
    if (name === "CLD" || name === "UNUSED") continue;
    expect([name, system[`SIG${name}`]]).toEqual([name, number]);
  }
  expect([signalMap.get("CLD"), signalMap.get("UNUSED"), signalMap.get("__proto__")]).toEqual([17, 31, undefined]);
});

test("signalName() gives the first of two names", () => {
  expect([signalName(6), signalName(17), signalName(29), signalName(31), signalName(15), signalName(99)]).toEqual([
    "ABRT",
    "CHLD",
    "IO",
    "SYS",
    "TERM",
    undefined,
  ]);
});

test("catchAll() handles everything that may be handled, once each, until it is stopped", () => {
  const host = memoryHost();
  const seen: string[] = [];
  const stop = catchAll(host, (name) => seen.push(name));
  expect(host.signals.trapped).toHaveLength(24);
  for (const name of ["SIGTERM", "SIGWINCH", "SIGCHLD"]) expect(host.signals.raise(name)).toBe(true);
  for (const name of ["SIGKILL", "SIGSTOP", "SIGSEGV", "SIGCLD"]) expect(host.signals.raise(name)).toBe(false);
  stop();
  expect([host.signals.raise("SIGTERM"), seen]).toEqual([false, ["TERM", "WINCH", "CHLD"]]);
});
