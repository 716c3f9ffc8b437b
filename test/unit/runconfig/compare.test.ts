import { expect, test } from "vitest";
import { compare } from "../../../src/runconfig/compare.ts";
import type { Config } from "../../../src/runconfig/config.ts";
import { newConfig } from "../../../src/runconfig/from-json.ts";

const base = newConfig({
  PortSpecs: ["1111:1111", "2222:2222"],
  Env: ["VAR1=1", "VAR2=2"],
  Cmd: ["sh", "-c", "x"],
  Entrypoint: ["e"],
  ExposedPorts: { "1/tcp": {} },
  Volumes: { "/test1": {} },
});

test("compare() finds equal configurations equal", () => {
  expect(compare(base, structuredClone(base))).toBe(true);
});

test.each<Partial<Config>>([
  { AttachStdout: true },
  { AttachStderr: true },
  { User: "u" },
  { Memory: 1 },
  { MemorySwap: 1 },
  { CpuShares: 1 },
  { Tty: true },
  { Cmd: ["sh", "-c"] },
  { Cmd: ["sh", "x", "-c"] },
  { Env: ["VAR2=2", "VAR1=1"] },
  { Env: null },
  { PortSpecs: ["0000:0000", "2222:2222"] },
  { Entrypoint: null },
  { ExposedPorts: { "1/udp": {} } },
  { Volumes: { "/test2": {} } },
  { Volumes: { "/test1": {}, "/test2": {} } },
])("compare() sees %j", (change) => {
  expect(compare(base, { ...base, ...change })).toBe(false);
  expect(compare({ ...base, ...change }, base)).toBe(false);
});

test.each<Partial<Config>>([
  { WorkingDir: "/x" },
  { Hostname: "h" },
  { Domainname: "d" },
  { Image: "i" },
  { Cpuset: "0" },
  { OnBuild: ["x"] },
  { NetworkDisabled: true },
  { AttachStdin: true },
])("compare() does not see %j", (change) => {
  expect(compare(base, { ...base, ...change })).toBe(true);
});

test("compare() finds nothing equal to an open standard input or to nothing", () => {
  const open = { ...base, OpenStdin: true };
  expect([compare(open, open), compare(base, open), compare(undefined, base), compare(base, undefined)]).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test("compare() takes nil and empty for the same", () => {
  expect(compare(newConfig({ Cmd: [], Volumes: {} }), newConfig())).toBe(true);
});
