import fc from "fast-check";
import { expect, test } from "vitest";
import { commandOf, dockerfileLines, jsonWords, parseInstruction } from "../../../../src/daemon/build/dockerfile.ts";

test.each([
  ["FROM busybox\nRUN true\n", ["FROM busybox", "RUN true"]],
  ["from a\r\nrun b\r\n", ["from a", "run b"]],
  ["\n  \n# only a comment\n", []],
  ["  # not in the first column\n", ["# not in the first column"]],
  ["RUN a \\\n  b \\\n# gone before lines are joined\n  c\n", ["RUN a   b   c"]],
  ["RUN a \\ \t\r\n\n b", ["RUN a  b"]],
  ["RUN a\\\n", ["RUN a\\"]],
  ["RUN a\\", ["RUN a\\"]],
  ["\tENV\tA\tb\t\n", ["ENV A b"]],
  ["RUN x # stays", ["RUN x # stays"]],
  ["", []],
])("dockerfileLines(%j)", (text, lines) => {
  expect(dockerfileLines(text)).toEqual(lines);
});

/** The same rules, one character after the other. */
function lineByLine(text: string): string[] {
  const kept = text.split("\n").filter((line) => line.length > 0 && line[0] !== "#");
  const steps: string[] = [];
  let open = "";
  let pending = false;
  for (const [i, line] of kept.entries()) {
    // Blank lines behind a continued one belong to it.
    if (pending && i < kept.length - 1 && [...line].every((c) => "\t\f\r ".includes(c))) continue;
    const whole = open + line;
    let end = whole.length;
    while (end > 0 && "\t\f\r ".includes(whole[end - 1] as string)) end--;
    const continues = (pending = i < kept.length - 1 && whole[end - 1] === "\\" && end > open.length);
    open = continues ? whole.slice(0, end - 1) : "";
    if (!continues) steps.push(whole);
  }
  const trimmed = steps.map((line) => {
    const words = [...line].map((c) => (c === "\t" ? " " : c));
    while (words[0] === " " || words[0] === "\r") words.shift();
    while (words.at(-1) === " " || words.at(-1) === "\r") words.pop();
    return words.join("");
  });
  return trimmed.filter((line) => line !== "");
}

test("dockerfileLines() agrees with reading character by character, whatever the text", () => {
  const piece = fc.constantFrom("\\", "\n", "#", " ", "\t", "\r", "RUN", "x", "\\\n", "\\ \n", "\n#", "é", "\f");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join("");
      expect(dockerfileLines(text)).toEqual(lineByLine(text));
    }),
    { numRuns: 3000 },
  );
});

test("dockerfileLines() takes a time that grows with the text only", () => {
  const text = `RUN ${"\\ ".repeat(200_000)}\\${" ".repeat(400_000)}x\n`;
  expect(dockerfileLines(text)).toHaveLength(1);
});

test("parseInstruction() cuts at the first blank, in any case, and wants two words", () => {
  expect(parseInstruction("RUN")).toBeUndefined();
  expect(parseInstruction("Run  echo  a ")).toEqual({ name: "run", args: "echo  a" });
  expect(parseInstruction("ENV ")).toEqual({ name: "env", args: "" });
  fc.assert(
    fc.property(fc.string(), fc.string(), (first, rest) => {
      const name = first.replaceAll(" ", "");
      const parsed = parseInstruction(`${name} ${rest}`);
      expect(parsed?.name).toBe(name.toLowerCase());
      expect(` ${rest} `).toContain(` ${parsed?.args ?? "?"} `);
    }),
  );
});

test.each<[string, string[] | null | undefined]>([
  ['["a","b c"]', ["a", "b c"]],
  [' [ "a" ] ', ["a"]],
  ["[]", []],
  ["[null]", [""]],
  ["null", null],
  ["['a']", undefined],
  ["[1]", undefined],
  ['["a"] x', undefined],
  ['{"a":1}', undefined],
  ['"a"', undefined],
  ["", undefined],
])("jsonWords(%j)", (args, words) => {
  expect(jsonWords(args)).toEqual(words);
  expect(commandOf(args)).toEqual(words === undefined ? ["/bin/sh", "-c", args] : words);
});

test("jsonWords() gives back every list of texts", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => void expect(jsonWords(JSON.stringify(words))).toEqual(words)),
  );
});
