import fc from "fast-check";
import { expect, test } from "vitest";
import { argsIn, hashOf, joinLine, splitLine } from "../../../book/theme/words.ts";
import { indexTerms, terms } from "../../../book/theme/words-of-search.ts";

test("splitLine() splits as a shell does", () => {
  expect(splitLine(`  -d  --label 'a b' "c \\"d\\"" e'f'"g" x\\ y ''`)).toEqual([
    "-d",
    "--label",
    "a b",
    'c "d"',
    "efg",
    "x y",
    "",
  ]);
  expect(splitLine("")).toEqual([]);
  expect(() => splitLine("'open")).toThrow("' is not closed");
  expect(() => splitLine('a "b\\"')).toThrow('" is not closed');
});

test("joinLine() is undone by splitLine(), and hashOf() by argsIn(), whatever the arguments", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 20 }), { maxLength: 5 }), (args) => {
      expect(splitLine(joinLine(args))).toEqual(args);
      expect(argsIn(hashOf(args))).toEqual(args);
    }),
  );
});

test("argsIn() takes nothing but a list of texts", () => {
  expect(["", "#a", "#run=", "#run=%5B1%5D", "#run=%7B%7D", "#run=%"].map(argsIn)).toEqual(Array(6).fill(undefined));
});

test("terms() keeps Latin words and pairs Chinese characters", () => {
  expect(terms("TagStore 的镜像配置, v1.2")).toEqual(["tagstore", "的镜", "镜像", "像配", "配置", "v1", "2"]);
  expect(terms("锁")).toEqual(["锁"]);
});

test("indexTerms() also finds the parts of a name", () => {
  expect(indexTerms("parseDuration")).toEqual(expect.arrayContaining(["parseduration", "duration"]));
});
