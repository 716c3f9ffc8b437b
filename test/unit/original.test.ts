import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { askOurs, essence, type Recorded } from "../oracle/original.ts";
import { subjects } from "../oracle/subjects.ts";

/** What the original answered once: see test/oracle/README.md. */
function records(name: string): Recorded[] {
  const lines = readFileSync(new URL(`../oracle/records/${name}.jsonl`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n");
  return lines.map((line) => JSON.parse(line) as Recorded);
}

describe.each(subjects)("the original's $name", (subject) => {
  test("is ours", async () => {
    const recorded = records(subject.name);
    expect(recorded.length).toBeGreaterThan(2);
    for (const [input, original] of recorded) {
      const answer = await askOurs(subject, input);
      const text = essence({ ...subject, differs: () => undefined }, input, answer, answer) ?? "{}";
      expect({ input, answer: JSON.parse(text) as unknown }).toEqual({ input, answer: original });
    }
  });
});
