/**
 * What a declaration promises, without how it keeps it: the text up to a function's body, a class without what is
 * private.
 *
 * @module
 */

import ts from "typescript";

/** One line of a signature; `member` is the name of the member it declares. */
export interface SignatureLine {
  readonly text: string;
  readonly member?: string;
}

const LONG = 400;

function docOf(node: ts.Node, source: ts.SourceFile): string {
  const docs = (node as { jsDoc?: ts.JSDoc[] }).jsDoc ?? [];
  const last = docs.at(-1);
  if (last === undefined) return "";
  const text = source.text
    .slice(last.pos, last.end)
    .replace(/\{@link(?:code|plain)? ([^}|]+)(?:\|[^}]*)?\}/g, "$1")
    .replace(/\s*@(?:origin|article|deviation|since)\b[\s\S]*?(?=\n\s*\*\s*@|\*\/)/g, " ");
  if (/^\/\*\*[\s*]*\*\/$/.test(text)) return "";
  const lines = text.split("\n").map((line) => line.trim().replace(/^\*/, " *"));
  return `${lines
    .join("\n")
    .replace(/(?:\n \*)+\s*\*\/$/, "\n */")
    .trimEnd()}\n`;
}

const dedent = (text: string, column: number) =>
  text
    .split("\n")
    .map((line, i) => (i > 0 && line.slice(0, column).trim() === "" ? line.slice(column) : line))
    .join("\n");

function columnOf(node: ts.Node, source: ts.SourceFile): number {
  return source.getLineAndCharacterOfPosition(node.getStart(source)).character;
}

/** The text of a declaration up to its body or a long initial value. */
function head(node: ts.Node, source: ts.SourceFile): string {
  const start = node.getStart(source);
  const body = (node as { body?: ts.Node }).body;
  const initial = (node as { initializer?: ts.Expression }).initializer;
  let end = node.getEnd();
  if (body !== undefined) end = body.getStart(source);
  else if (initial !== undefined && initial.getEnd() - initial.getStart(source) > 80) end = initial.getStart(source);
  const text = source.text.slice(start, end).trimEnd().replace(/=$/, "").trimEnd();
  return dedent(text.replace(/[;,]$/, ""), columnOf(node, source));
}

const isPrivate = (node: ts.ClassElement | ts.TypeElement) =>
  (node.name !== undefined && ts.isPrivateIdentifier(node.name)) ||
  (ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword));

function members(node: ts.ClassDeclaration | ts.InterfaceDeclaration, source: ts.SourceFile): SignatureLine[] {
  const lines: SignatureLine[] = [];
  for (const member of node.members) {
    if (isPrivate(member) || ts.isClassStaticBlockDeclaration(member) || ts.isSemicolonClassElement(member)) continue;
    const name = ts.isConstructorDeclaration(member) ? "constructor" : member.name?.getText(source);
    const doc = docOf(member, source);
    if (lines.length > 0 && doc !== "") lines.push({ text: "" });
    for (const text of doc.split("\n").slice(0, -1)) lines.push({ text: `  ${text}` });
    for (const [i, text] of `${head(member, source)};`.split("\n").entries()) {
      lines.push({ text: `  ${text}`, ...(i === 0 && name !== undefined ? { member: name } : {}) });
    }
  }
  return lines;
}

/** The signature of a declaration at the top of a file. */
export function signatureOf(node: ts.Node, source: ts.SourceFile): SignatureLine[] {
  const plain = (text: string) => text.split("\n").map((line): SignatureLine => ({ text: line }));
  if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) {
    const brace = node.getChildren(source).find(({ kind }) => kind === ts.SyntaxKind.OpenBraceToken);
    const open = source.text.slice(node.getStart(source), brace?.getEnd() ?? node.getEnd());
    const inside = members(node, source);
    return inside.length === 0 ? plain(`${open.trimEnd()}}`) : [...plain(open), ...inside, { text: "}" }];
  }
  if (ts.isVariableStatement(node)) {
    const text = node.getText(source);
    const [first] = node.declarationList.declarations;
    const short = text.length <= LONG || first?.initializer === undefined;
    return plain(short ? text : `${source.text.slice(node.getStart(source), first.initializer.getStart(source))}…`);
  }
  return plain(head(node, source));
}
