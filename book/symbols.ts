/**
 * Finds a declaration in the source by its name: `src/pkg/mflag/flag-set.ts#FlagSet.parse`.
 *
 * @module
 */

import ts from "typescript";
import type { Tree } from "./tree.ts";

/** Where a symbol is, and its text. */
export interface Declaration {
  readonly path: string;
  readonly symbol: string;
  /** First and last line, from 1, without the docstring. */
  readonly start: number;
  readonly end: number;
  /** The declaration without its docstring, moved to the left margin. */
  readonly text: string;
  /** Whether the symbol, or the class it belongs to, is exported. */
  readonly exported: boolean;
}

const parsed = new Map<string, { text: string; file: ts.SourceFile }>();

/** A parsed file; kept while its text is the same. */
export function parse(path: string, text: string): ts.SourceFile {
  const known = parsed.get(path);
  if (known?.text === text) return known.file;
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  parsed.set(path, { text, file });
  return file;
}

const nameOf = (node: ts.Node): string | undefined =>
  (node as { name?: ts.Node }).name?.getText() ?? (ts.isConstructorDeclaration(node) ? "constructor" : undefined);

/** The statement that declares `name` at top level. */
function topLevel(file: ts.SourceFile, name: string): ts.Statement | undefined {
  return file.statements.find((statement) =>
    ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.some((declaration) => nameOf(declaration) === name)
      : nameOf(statement) === name,
  );
}

function memberOf(node: ts.Node, name: string): ts.Node | undefined {
  if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) {
    return [...node.members].find((member) => nameOf(member) === name);
  }
  return undefined;
}

function dedent(text: string, column: number): string {
  const margin = " ".repeat(column);
  return text
    .split("\n")
    .map((line) => (line.startsWith(margin) ? line.slice(column) : line))
    .join("\n");
}

/**
 * The declaration a place names.
 *
 * @param place - a file and a name in it, `path#Name` or `path#Class.member`
 * @returns `undefined` when file or name is not there
 */
export function declarationOf(tree: Tree, place: string): Declaration | undefined {
  const [path = "", symbol = ""] = place.split("#", 2);
  // `FlagSet.#fail`: a private member has a hash of its own.
  const wanted = place.slice(path.length + 1).split(".");
  const source = tree.read(path);
  if (source === undefined || symbol === "") return undefined;
  const file = parse(path, source);
  const top = topLevel(file, wanted[0] ?? "");
  const node = top === undefined || wanted.length === 1 ? top : memberOf(top, wanted.slice(1).join("."));
  if (top === undefined || node === undefined) return undefined;
  const from = node.getStart(file, false);
  const start = file.getLineAndCharacterOfPosition(from);
  const end = file.getLineAndCharacterOfPosition(node.getEnd());
  const modifiers = ts.canHaveModifiers(top) ? (ts.getModifiers(top) ?? []) : [];
  return {
    path,
    symbol: wanted.join("."),
    start: start.line + 1,
    end: end.line + 1,
    text: dedent(source.slice(from, node.getEnd()), start.character),
    exported: modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword),
  };
}
