import { expect, test } from "vitest";
import { TabWriter, type TabWriterOptions } from "../../../../src/pkg/tabwriter/tabwriter.ts";

function align(text: string, options: TabWriterOptions): string {
  const writer = new TabWriter((out) => out, options);
  writer.write(text);
  return writer.flush();
}

const docker: TabWriterOptions = { minWidth: 20, tabWidth: 1, padding: 3 };

test("TabWriter pads short cells to the least width", () => {
  expect(align("ID\tNAME\n1\tx\n", docker)).toBe("ID                  NAME\n1                   x\n");
});

test("TabWriter widens a column to its longest cell and the padding", () => {
  const long = "a".repeat(25);
  expect(align(`${long}\tx\nb\ty\n`, docker)).toBe(`${long}   x\nb${" ".repeat(27)}y\n`);
});

test("TabWriter never widens for the text after the last tab", () => {
  expect(align("a\tlonglonglong\nb\tc\td\n", { minWidth: 2, padding: 1 })).toBe("a longlonglong\nb c d\n");
});

test("TabWriter ends a block at a line without the column", () => {
  const text = "aaaa\tb\nplain\nc\td\n";
  expect(align(text, { padding: 1 })).toBe("aaaa b\nplain\nc d\n");
});

test("TabWriter settles inner columns block by block", () => {
  const text = "a\tb\tc\na\tbbbb\tc\na\n\na\tb\tc\n";
  expect(align(text, { padding: 1 })).toBe("a b    c\na bbbb c\na\n\na b c\n");
});

test("TabWriter ends all columns at a form feed", () => {
  expect(align("aaaa\tb\fc\td\n", { padding: 1 })).toBe("aaaa b\nc d\n");
});

test("TabWriter leaves an unfinished line unfinished", () => {
  expect(align("aa\tb\nc\td", { padding: 1 })).toBe("aa b\nc  d");
});

test("TabWriter pads with tabs to multiples of the tab width", () => {
  expect(align("a\tb\naaaaaaaaa\tb\n", { tabWidth: 8, padding: 1, padChar: "\t" })).toBe("a\t\tb\naaaaaaaaa\tb\n");
});

test("TabWriter pads with any character, empty cells too", () => {
  expect(align("a\t\tc\n", { minWidth: 4, padding: 1, padChar: "." })).toBe("a.......c\n");
});

test("TabWriter counts characters, not UTF-16 units", () => {
  expect(align("𝒳\tb\nab\tc\n", { padding: 1 })).toBe("𝒳  b\nab c\n");
});

test("flush() returns what the sink returns and forgets the text", async () => {
  const seen: string[] = [];
  const writer = new TabWriter(async (text) => void seen.push(text), { padding: 1 });
  writer.write("a\tb\n");
  await writer.flush();
  await writer.flush();
  expect(seen).toEqual(["a b\n", ""]);
});

test("TabWriter survives a line of very many cells", () => {
  expect(align("a\t".repeat(2000), { padding: 1 })).toBe("a ".repeat(2000));
});
