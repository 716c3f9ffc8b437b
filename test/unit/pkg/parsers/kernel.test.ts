import { expect, test } from "vitest";
import {
  compareKernelVersion,
  getKernelVersion,
  kernelVersionText,
  parseRelease,
} from "../../../../src/pkg/parsers/kernel/kernel.ts";

test.each([
  ["3.8.0", [3, 8, 0, ""]],
  ["3.4.54.longterm-1", [3, 4, 54, ".longterm-1"]],
  ["3.8.0-19-generic", [3, 8, 0, "-19-generic"]],
  ["3.12.8tag", [3, 12, 8, "tag"]],
  ["3.12-1-amd64", [3, 12, 0, "-1-amd64"]],
  ["6.1.0-13-amd64", [6, 1, 0, "-13-amd64"]],
  ["5.15", [5, 15, 0, ""]],
  ["4.19.+", [4, 19, 0, ".+"]],
])("parseRelease(%s)", (text, [kernel, major, minor, flavor]) => {
  expect(parseRelease(text)).toEqual({ kernel, major, minor, flavor });
});

test.each(["", "3", "x.y", "3.x"])("parseRelease() refuses %j", (text) => {
  expect(() => parseRelease(text)).toThrow(`Can't parse kernel version ${text}`);
});

test("compareKernelVersion() ignores the flavor", () => {
  const at = (kernel: number, major: number, minor: number) => ({
    kernel,
    major,
    minor,
    flavor: String(Math.random()),
  });
  expect(compareKernelVersion(at(3, 8, 0), at(3, 8, 0))).toBe(0);
  expect(compareKernelVersion(at(2, 6, 0), at(3, 8, 0))).toBe(-1);
  expect(compareKernelVersion(at(3, 8, 0), at(2, 6, 0))).toBe(1);
  expect(compareKernelVersion(at(3, 8, 5), at(3, 8, 0))).toBe(1);
  expect(compareKernelVersion(at(3, 0, 20), at(3, 8, 0))).toBe(-1);
});

test("getKernelVersion() asks the machine, and its text reads the same", () => {
  const machine = { kernelRelease: "3.12.8-gentoo" } as Parameters<typeof getKernelVersion>[0]["machine"];
  expect(kernelVersionText(getKernelVersion({ machine }))).toBe("3.12.8-gentoo");
});
