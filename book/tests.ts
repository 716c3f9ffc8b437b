/**
 * Reads the tests of a chapter's suite without running them.
 *
 * @module
 */

import ts from "typescript";
import { parse } from "./symbols.ts";

/** One test. */
export interface ChapterTest {
  readonly name: string;
  /** Whether its body calls `expect`, or a function of the same file that does. */
  readonly asserts: boolean;
}

const calls = (node: ts.Node): Set<string> => {
  const names = new Set<string>();
  const walk = (inner: ts.Node): void => {
    if (ts.isCallExpression(inner) && ts.isIdentifier(inner.expression)) names.add(inner.expression.text);
    inner.forEachChild(walk);
  };
  walk(node);
  return names;
};

/** The tests that `claim(id, fact, body)` declares in a suite's source. */
export function testsOf(source: string): ChapterTest[] {
  const file = parse("chapter.test.ts", source);
  const asserting = new Set(["expect"]);
  for (const statement of file.statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name && calls(statement).has("expect")) {
      asserting.add(statement.name.text);
    }
  }
  const tests: ChapterTest[] = [];
  const walk = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === "claim") {
      const [id, fact, body] = node.arguments;
      if (id && fact && body && ts.isStringLiteralLike(id) && ts.isStringLiteralLike(fact)) {
        const asserts = [...calls(body)].some((name) => asserting.has(name));
        tests.push({ name: `${id.text} ${fact.text}`, asserts });
      }
    }
    node.forEachChild(walk);
  };
  walk(file);
  return tests;
}
