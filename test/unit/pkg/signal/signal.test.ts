import { constants } from "node:os";
import { expect, test } from "vitest";
import { memoryHost } from "../../../../src/host/memory/memory.ts";
import {
  catchAll,
  parseSignal,
  signalMap,
  signalName,
  validSignalForPlatform,
} from "../../../../src/pkg/signal/signal.ts";

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

test.each([
  ["KILL", 9],
  ["SIGKILL", 9],
  ["sigterm", 15],
  ["usr1", 10],
  ["15", 15],
  ["99", 99],
  ["RTMIN", 34],
  ["SIGRTMIN+3", 37],
  ["rtmin+15", 49],
  ["RTMAX-14", 50],
  ["SIGRTMAX", 64],
  ["0", undefined],
  ["", undefined],
  ["RTMIN-1", undefined],
  ["RTMIN+16", undefined],
  ["RTMAX+1", undefined],
  ["RTMAX-15", undefined],
  ["FOO", undefined],
  ["__proto__", undefined],
])("parseSignal(%j) is %s", (text, number) => {
  expect(parseSignal(text)).toBe(number);
});

test("validSignalForPlatform() knows 1 to 31 and the real-time ones", () => {
  expect([-1, 0, 1, 31, 32, 33, 34, 64, 65].filter(validSignalForPlatform)).toEqual([1, 31, 34, 64]);
});
