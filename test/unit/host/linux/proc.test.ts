import { expect, test } from "vitest";
import { hasCapability, parseMountInfo, processStartTime, startTimeOf } from "../../../../src/host/linux/proc.ts";

test("parseMountInfo() reads every field around the optional ones", () => {
  const text = [
    "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue",
    "37 36 0:5 / /a\\040b\\134c rw - overlay over\\011lay rw,lowerdir=/l",
    "",
  ].join("\n");
  expect(parseMountInfo(text)).toEqual([
    {
      id: 36,
      parent: 35,
      root: "/mnt1",
      mountpoint: "/mnt2",
      fstype: "ext3",
      source: "/dev/root",
      options: "rw,noatime",
      superOptions: "rw,errors=continue",
    },
    {
      id: 37,
      parent: 36,
      root: "/",
      mountpoint: "/a b\\c",
      fstype: "overlay",
      source: "over\tlay",
      options: "rw",
      superOptions: "rw,lowerdir=/l",
    },
  ]);
});

test("parseMountInfo() leaves out what is not a mount", () => {
  expect(parseMountInfo("garbage\n1 2 - \n\n")).toEqual([]);
});

test("startTimeOf() is not led astray by the process's name", () => {
  const rest = Array.from({ length: 30 }, (_, index) => index + 3).join(" ");
  expect(startTimeOf(`42 (a) R ) b) ${rest}`)).toBe("22");
});

test("processStartTime() tells a living process from none", () => {
  expect(processStartTime(process.pid)).toMatch(/^\d+$/);
  expect(processStartTime(0)).toBeUndefined();
  expect(processStartTime(0x3fff_ffff)).toBeUndefined();
});

test("hasCapability() reads the bounding set", () => {
  const status = "CapEff:\tffffffffffffffff\nCapBnd:\t0000000001000001\n";
  expect(hasCapability(status, "CAP_CHOWN")).toBe(true);
  expect(hasCapability(status, "SYS_RESOURCE")).toBe(true);
  expect(hasCapability(status, "CAP_SYS_ADMIN")).toBe(false);
  expect(hasCapability(status, "CAP_NONSENSE")).toBe(false);
});
