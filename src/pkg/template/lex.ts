/**
 * Cuts a template into words, as Go's `text/template/parse` does.
 *
 * @module
 */

import { quote } from "../strconv/strconv.ts";

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
  /** Another printable character, which has a place nowhere. */
  | "other"
  /** Text that is no word: its value says why. Nothing comes after it. */
  | "error"
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

const KEYWORDS = new Set(["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"]);
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;
const WORD = /[\p{L}\p{Nd}_]*/uy;

/** Ends the cutting: the last item says why. */
class NoWord extends Error {}

/** `U+002F '/'`: a character in an error message. */
function charName(char: string | undefined): string {
  const code = char?.codePointAt(0) ?? 0;
  const number = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return char === undefined || /[\p{C}\p{Z}]/u.test(char) ? number : `${number} '${char}'`;
}

/** Whether a word may end here. */
function isTerminator(text: string, at: number): boolean {
  const char = text[at];
  return char === undefined || " \t\r\n.,|:)(".includes(char) || text.startsWith("}}", at);
}

/**
 * All words of a template, the last of them `eof`, or `error` where there is text that is no word: what is wrong before
 * it counts more, and only the parser sees that.
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
  const fail = (what: string): never => {
    items.push({ type: "error", value: what, pos });
    throw new NoWord();
  };
  try {
    lexAll();
  } catch (cause) {
    if (!(cause instanceof NoWord)) throw cause;
  }
  return items;

  function lexAll(): void {
    for (;;) {
      const left = text.indexOf("{{", pos);
      let chunk = text.slice(pos, left < 0 ? text.length : left);
      const trimBefore = left >= 0 && /^-\s/.test(text.slice(left + 2, left + 4));
      if (trimNext) chunk = chunk.replace(/^[ \t\r\n]+/, "");
      if (trimBefore) chunk = chunk.replace(/[ \t\r\n]+$/, "");
      if (chunk !== "") items.push({ type: "text", value: chunk, pos });
      if (left < 0) {
        items.push({ type: "eof", value: "", pos: text.length });
        return;
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
      else if (char === ":") {
        pos++;
        fail("expected :=");
      } else if (char === "=") push("assign", pos + 1);
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
        if (isTerminator(text, pos + 1)) push("dot", pos + 1);
        else push("field", wordEnd(pos + 1));
      } else if (/[.+\-0-9]/.test(char)) push("number", numberEnd());
      else if (char === "(") {
        depth++;
        push("leftParen", pos + 1);
      } else if (char === ")") {
        push("rightParen", pos + 1);
        if (--depth < 0) fail(`unexpected right paren ${charName(char)}`);
      } else if (/[\p{L}\p{Nd}_]/u.test(String.fromCodePoint(text.codePointAt(pos) as number))) {
        const end = wordEnd(pos);
        const word = text.slice(pos, end);
        if (KEYWORDS.has(word)) push("keyword", end);
        else push(word === "true" || word === "false" ? "bool" : word === "nil" ? "nil" : "identifier", end);
      } else if (/[!-~]/.test(char)) push("other", pos + 1);
      else fail(`unrecognized character in action: ${charName(String.fromCodePoint(text.codePointAt(pos) as number))}`);
    }
  }

  function wordEnd(from: number): number {
    WORD.lastIndex = from;
    WORD.test(text);
    const end = Math.max(WORD.lastIndex, from);
    if (!isTerminator(text, end)) {
      const code = text.codePointAt(end) as number;
      fail(`bad character ${charName(String.fromCodePoint(code))}`);
    }
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
    NUMBER.lastIndex = pos;
    let end = pos + (NUMBER.exec(text)?.[0].length ?? 0);
    const next = String.fromCodePoint(text.codePointAt(end) ?? 0);
    const good = !/[\p{L}\p{Nd}_]/u.test(next);
    if (!good) end += next.length;
    if (!good || /[+-]/.test(next)) fail(`bad number syntax: ${quote(text.slice(pos, end))}`);
    return end;
  }
}
