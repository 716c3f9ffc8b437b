import { expect, test } from "vitest";
import { humanDuration } from "../../../../src/pkg/units/duration.ts";
import { formatG, fromHumanSize, humanSize, ramInBytes } from "../../../../src/pkg/units/size.ts";

const s = 1000;
const m = 60 * s;
const h = 60 * m;
const day = 24 * h;
const week = 7 * day;
const month = 30 * day;
const year = 365 * day;

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1 kB"],
  [1024, "1.024 kB"],
  [1e6, "1 MB"],
  [1048576, "1.049 MB"],
  [2e6, "2 MB"],
  [3.42e9, "3.42 GB"],
  [5.372e12, "5.372 TB"],
  [2.22e15, "2.22 PB"],
  [999_999, "1000 kB"],
  [-5, "-5 B"],
  [1e30, "1e+06 YB"],
])("humanSize(%d) is %s", (bytes, text) => {
  expect(humanSize(bytes)).toBe(text);
});

test.each([
  [0.00001234, "1.234e-05"],
  [0.0001, "0.0001"],
  [9999.6, "1e+04"],
  [12.5, "12.5"],
])("formatG(%d) is %s", (value, text) => {
  expect(formatG(value, 4)).toBe(text);
});

test.each([
  ["32", 32],
  ["32b", 32],
  ["32B", 32],
  ["32k", 32e3],
  ["32K", 32e3],
  ["32kb", 32e3],
  ["32Kb", 32e3],
  ["32Mb", 32e6],
  ["32Gb", 32e9],
  ["32Tb", 32e12],
  ["32Pb", 32e15],
])("fromHumanSize(%s) is %d", (text, bytes) => {
  expect(fromHumanSize(text)).toBe(bytes);
});

test.each([
  ["0", 0],
  ["32", 32],
  ["32B", 32],
  ["32K", 32 * 2 ** 10],
  ["32mb", 32 * 2 ** 20],
  ["32G", 32 * 2 ** 30],
  ["32Tb", 32 * 2 ** 40],
  ["32P", 32 * 2 ** 50],
])("ramInBytes(%s) is %d", (text, bytes) => {
  expect(ramInBytes(text)).toBe(bytes);
});

test.each(["", "b", "hello", "-32", "+1", "32.3", " 32 ", "32.3Kb", "32 mb", "32m b", "32bm", "32\n", "9999999P"])(
  "fromHumanSize() and ramInBytes() refuse %j",
  (text) => {
    for (const parse of [fromHumanSize, ramInBytes]) expect(() => parse(text)).toThrow(`Invalid size: '${text}'`);
  },
);

test("ramInBytes() passes on what strconv says of a number too long", () => {
  const digits = "9".repeat(25);
  expect(() => ramInBytes(digits)).toThrow(`strconv.ParseInt: parsing "${digits}": value out of range`);
});

test.each([
  [450, "Less than a second"],
  [47 * s, "47 seconds"],
  [m, "About a minute"],
  [3 * m, "3 minutes"],
  [35 * m + 40 * s, "35 minutes"],
  [h, "About an hour"],
  [h + 45 * m, "About an hour"],
  [3 * h + 59 * m, "3 hours"],
  [24 * h, "24 hours"],
  [day + 12 * h, "36 hours"],
  [2 * day, "2 days"],
  [13 * day + 5 * h, "13 days"],
  [2 * week, "2 weeks"],
  [4 * week + 3 * day, "4 weeks"],
  [month, "4 weeks"],
  [2 * month, "8 weeks"],
  [3 * month + week, "3 months"],
  [24 * month, "24 months"],
  [24 * month + 2 * week, "2.010959 years"],
  [3 * year + 2 * month, "3.164384 years"],
])("humanDuration(%d) is %s", (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});
