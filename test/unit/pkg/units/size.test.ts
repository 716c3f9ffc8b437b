import { expect, test } from "vitest";
import { fromHumanSize, humanSize, ramInBytes } from "../../../../src/pkg/units/size.ts";

// origin: pkg/units/size_test.go TestHumanSize
test("humanSize() prints four significant digits and a decimal unit", () => {
  const sizes = [0, 512, 1000, 1024, 2048, 123456, 999999, 1000000, 1048576, 2433303, 3.42e9, 5.372e12, 2.22e15];
  expect(sizes.map(humanSize)).toEqual([
    "0 B",
    "512 B",
    "1 kB",
    "1.024 kB",
    "2.048 kB",
    "123.5 kB",
    "1000 kB",
    "1 MB",
    "1.049 MB",
    "2.433 MB",
    "3.42 GB",
    "5.372 TB",
    "2.22 PB",
  ]);
});

test("fromHumanSize() and ramInBytes() read units of 1000 and of 1024", () => {
  expect([fromHumanSize("32"), fromHumanSize("32kB"), fromHumanSize("32Mb"), fromHumanSize("1p")]).toEqual([
    32, 32_000, 32_000_000, 1e15,
  ]);
  expect([ramInBytes("32b"), ramInBytes("32K"), ramInBytes("512m"), ramInBytes("2g")]).toEqual([
    32, 32768, 536870912, 2147483648,
  ]);
});

test.each(["", "hello", "-32", "32.3", " 32 ", "32 mb", "32m b", "32bm"])("fromHumanSize() refuses %j", (text) => {
  expect(() => fromHumanSize(text)).toThrow(`Invalid size: '${text}'`);
});
