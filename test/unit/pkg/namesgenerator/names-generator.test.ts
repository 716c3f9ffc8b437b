import { expect, test } from "vitest";
import { getRandomName, left, right } from "../../../../src/pkg/namesgenerator/names-generator.ts";

/** Gives these bytes, one by one. */
function bytes(...list: number[]) {
  return { random: { bytes: () => Buffer.from([list.shift() ?? 0]) } };
}

test("the word lists are those of 1.2.0", () => {
  expect([left.length, left[0], left.at(-1)]).toEqual([49, "happy", "evil"]);
  expect([right.length, right[0], right.at(-1)]).toEqual([69, "albattani", "yonath"]);
});

test("getRandomName() joins a word of each list", () => {
  expect(getRandomName(0, bytes(2, 1))).toBe(`${left[2]}_${right[1]}`);
});

test("getRandomName() adds a digit after the first try", () => {
  expect(getRandomName(1, bytes(0, 0, 7))).toBe("happy_albattani7");
});

test("getRandomName() never says boring_wozniak", () => {
  const name = getRandomName(0, bytes(left.indexOf("boring"), right.indexOf("wozniak"), 0, 0));
  expect(name).toBe("happy_albattani");
});

test("getRandomName() draws again instead of favouring the first words", () => {
  expect(getRandomName(0, bytes(255, 1, 255, 2))).toBe(`${left[1]}_${right[2]}`);
});
