/**
 * Cuts a template into words, as Go's `text/template/parse` does.
 *
 * @module
 */

/** What a word is. */
export type ItemType =
  | "text"
  | "left"
  | "right"
  | "space"
  | "assign"
  | "declare"
  | "pipe"
  | "string"
  | "raw"
  | "char"
  | "variable"
  | "field"
  | "dot"
  | "number"
  | "identifier"
  | "bool"
  | "nil"
  | "keyword"
  | "leftParen"
  | "rightParen"
  | "comma"
  | "eof";

/** A word and where it begins. */
export interface Item {
  readonly type: ItemType;
  readonly value: string;
  readonly pos: number;
}

/** Says where a template is wrong: `template: <name>:<line>: <what>`. */
export class TemplateSyntaxError extends Error {
  /** @param at - position in `text`, in characters */
  constructor(text: string, at: number, what: string) {
    super(`template: :${text.slice(0, at).split("\n").length}: ${what}`);
    this.name = "TemplateSyntaxError";
  }
}

const KEYWORDS = new Set(["define", "else", "end", "if", "range", "template", "with"]);
const WORD = /[\p{L}\p{Nd}_]*/uy;

/** `U+002F '/'`: a character in an error message. */
function charName(char: string | undefined): string {
  const code = char?.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")} '${char ?? "\\x00"}'`;
}

/** Whether a word may end before this character. */
function isTerminator(char: string | undefined): boolean {
  return char === undefined || " \t\r\n.,|:)(}".includes(char);
}

/**
 * All words of a template, the last of them `eof`.
 *
 * @throws {TemplateSyntaxError} for text that is no word
 */
export function lex(text: string): Item[] {
  const items: Item[] = [];
  let pos = 0;
  /** Whether the action before ended with `-}}`. */
  let trimNext = false;

  const push = (type: ItemType, end: number) => {
    items.push({ type, value: text.slice(pos, end), pos });
    pos = end;
  };
  const fail = (what: string, at = pos): never => {
    throw new TemplateSyntaxError(text, at, what);
  };

  for (;;) {
    const left = text.indexOf("{{", pos);
    let chunk = text.slice(pos, left < 0 ? text.length : left);
    const trimBefore = left >= 0 && /^-\s/.test(text.slice(left + 2, left + 4));
    if (trimNext) chunk = chunk.replace(/^[ \t\r\n]+/, "");
    if (trimBefore) chunk = chunk.replace(/[ \t\r\n]+$/, "");
    if (chunk !== "") items.push({ type: "text", value: chunk, pos });
    if (left < 0) {
      items.push({ type: "eof", value: "", pos: text.length });
      return items;
    }
    pos = left;
    trimNext = false;
    const inside = left + (trimBefore ? 4 : 2);
    if (text.startsWith("/*", inside)) {
      const end = text.indexOf("*/", inside);
      if (end < 0) fail("unclosed comment");
      const close = /^(?:\s-)?\}\}/.exec(text.slice(end + 2));
      if (!close) fail("comment ends before closing delimiter");
      else {
        trimNext = close[0].length > 2;
        pos = end + 2 + close[0].length;
      }
      continue;
    }
    push("left", inside);
    trimNext = lexAction();
  }

  /** The words up to `}}`; whether that was `-}}`. */
  function lexAction(): boolean {
    let depth = 0;
    for (;;) {
      const trim = /^[ \t\r\n]-\}\}/.test(text.slice(pos, pos + 4));
      if (trim || text.startsWith("}}", pos)) {
        if (depth > 0) fail("unclosed left paren");
        if (trim) pos += 2;
        push("right", pos + 2);
        return trim;
      }
      const char = text[pos];
      if (char === undefined) fail("unclosed action");
      else if (/[ \t\r\n]/.test(char)) {
        let end = pos + 1;
        while (/[ \t\r\n]/.test(text[end] ?? "") && !/^[ \t\r\n]-\}\}/.test(text.slice(end, end + 4))) end++;
        push("space", end);
      } else if (text.startsWith(":=", pos)) push("declare", pos + 2);
      else if (char === ":") fail("expected :=");
      else if (char === "=") push("assign", pos + 1);
      else if (char === "|") push("pipe", pos + 1);
      else if (char === ",") push("comma", pos + 1);
      else if (char === '"') push("string", quotedEnd('"', "unterminated quoted string"));
      else if (char === "'") push("char", quotedEnd("'", "unterminated character constant"));
      else if (char === "`") {
        const end = text.indexOf("`", pos + 1);
        if (end < 0) fail("unterminated raw quoted string");
        push("raw", end + 1);
      } else if (char === "$") push("variable", wordEnd(pos + 1));
      else if (char === "." && !/\d/.test(text[pos + 1] ?? "")) {
        if (isTerminator(text[pos + 1])) push("dot", pos + 1);
        else push("field", wordEnd(pos + 1));
      } else if (/[.+\-0-9]/.test(char)) push("number", numberEnd());
      else if (char === "(") {
        depth++;
        push("leftParen", pos + 1);
      } else if (char === ")") {
        if (--depth < 0) fail(`unexpected right paren ${charName(char)}`);
        push("rightParen", pos + 1);
      } else if (/[\p{L}_]/u.test(String.fromCodePoint(text.codePointAt(pos) as number))) {
        const end = wordEnd(pos);
        const word = text.slice(pos, end);
        if (KEYWORDS.has(word)) push("keyword", end);
        else push(word === "true" || word === "false" ? "bool" : word === "nil" ? "nil" : "identifier", end);
      } else
        fail(`unrecognized character in action: ${charName(String.fromCodePoint(text.codePointAt(pos) as number))}`);
    }
  }

  function wordEnd(from: number): number {
    WORD.lastIndex = from;
    WORD.test(text);
    const end = Math.max(WORD.lastIndex, from);
    if (!isTerminator(text[end])) fail(`bad character ${charName(text[end])}`, end);
    return end;
  }

  function quotedEnd(quote: string, unterminated: string): number {
    for (let end = pos + 1; ; end++) {
      if (text[end] === "\\" && text[end + 1] !== "\n" && text[end + 1] !== undefined) end++;
      else if (text[end] === undefined || text[end] === "\n") fail(unterminated);
      else if (text[end] === quote) return end + 1;
    }
  }

  function numberEnd(): number {
    const number = /^[+-]?(?:0[xX][0-9a-fA-F]*|[0-9]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?)/.exec(text.slice(pos));
    const end = pos + (number?.[0].length ?? 0);
    if (end === pos || /[\p{L}\p{Nd}_]/u.test(text[end] ?? ""))
      fail(`bad number syntax: ${JSON.stringify(text.slice(pos, end + 1))}`);
    return end;
  }
}
