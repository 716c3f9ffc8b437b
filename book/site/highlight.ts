/**
 * Colours of code: every token gets a class, and the style sheet says how it looks in light and in dark.
 *
 * ```text
 * k keyword   s text   c comment   n number, constant   f function   t type   p punctuation   (none) everything else
 * ```
 *
 * @module
 */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createHighlighter, type Highlighter, type ThemeRegistration } from "shiki";

/** One coloured piece of a line. */
export type Token = readonly [text: string, kind: string];

const SCOPES: Record<string, string[]> = {
  c: ["comment", "punctuation.definition.comment", "string.comment"],
  s: [
    "string",
    "punctuation.definition.string",
    "string.regexp",
    "constant.character.escape",
    "keyword.control.anchor.regexp",
  ],
  n: ["constant.numeric", "constant.language", "variable.language", "support.constant", "constant.other.color"],
  k: ["keyword", "storage", "storage.type", "storage.modifier", "entity.name.tag", "support.type.property-name.css"],
  f: [
    "entity.name.function",
    "support.function",
    "meta.function-call entity.name.function",
    "entity.other.attribute-name",
  ],
  t: ["entity.name.type", "entity.other.inherited-class", "support.type", "support.class", "entity.name.namespace"],
  p: ["punctuation", "keyword.operator", "meta.brace", "storage.type.function.arrow"],
  v: [
    "variable",
    "meta.object-literal.key",
    "support.type.property-name.json",
    "support.variable",
    "keyword.operator.expression",
    "source",
  ],
};

const KINDS = Object.keys(SCOPES);
const colourOf = (kind: string) => `#0000${(KINDS.indexOf(kind) + 16).toString(16)}`;
const kindOf = new Map(KINDS.map((kind) => [colourOf(kind), kind === "v" ? "" : kind]));
kindOf.set(colourOf("kx"), "");

const theme: ThemeRegistration = {
  name: "kinds",
  type: "light",
  colors: { "editor.foreground": colourOf("v"), "editor.background": "#ffffff" },
  settings: [
    ...KINDS.map((kind) => ({ scope: SCOPES[kind] ?? [], settings: { foreground: colourOf(kind) } })),
    { scope: ["keyword.operator.expression", "keyword.operator.new"], settings: { foreground: colourOf("k") } },
  ],
};

const LANGUAGES = [
  "typescript",
  "javascript",
  "json",
  "shellscript",
  "css",
  "diff",
  "go",
  "markdown",
  "yaml",
  "docker",
];
const ALIASES: Record<string, string> = {
  ts: "typescript",
  mts: "typescript",
  js: "javascript",
  mjs: "javascript",
  sh: "shellscript",
  bash: "shellscript",
  md: "markdown",
  dockerfile: "docker",
  yml: "yaml",
};

/** Makes text harmless in HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Colours code; what it has coloured before it takes from a file. */
export class Colours {
  readonly #path: string;
  readonly #known: Map<string, Token[][]>;
  readonly #used = new Map<string, Token[][]>();
  #highlighter: Highlighter | undefined;

  /** @param path - where results are kept from one run to the next */
  constructor(path: string) {
    this.#path = path;
    const stored = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as [string, Token[][]][]) : [];
    this.#known = new Map(stored);
  }

  /** Loads the grammars. */
  async open(): Promise<this> {
    this.#highlighter ??= await createHighlighter({ langs: LANGUAGES, themes: [theme] });
    return this;
  }

  /** The tokens of each line. */
  lines(code: string, language: string): Token[][] {
    const lang = ALIASES[language] ?? language;
    if (!LANGUAGES.includes(lang)) return code.split("\n").map((line): Token[] => [[line, ""]]);
    const key = createHash("sha1")
      .update(`${lang}\0${JSON.stringify(SCOPES)}\0${code}`)
      .digest("base64");
    const known = this.#used.get(key) ?? this.#known.get(key);
    const lines = known ?? this.#tokens(code, lang);
    this.#used.set(key, lines);
    return lines;
  }

  #tokens(code: string, lang: string): Token[][] {
    if (this.#highlighter === undefined) throw new Error("Cannot colour code before open()");
    const { tokens } = this.#highlighter.codeToTokens(code, { lang: lang as "typescript", theme: "kinds" });
    return tokens.map((line) => {
      const merged: [string, string][] = [];
      for (const { content, color } of line) {
        const kind = kindOf.get((color ?? "").toLowerCase()) ?? "";
        const last = merged.at(-1);
        // White space has no colour: it joins whatever stands before it.
        if (last !== undefined && (last[1] === kind || content.trim() === "")) last[0] += content;
        else merged.push([content, kind]);
      }
      return merged;
    });
  }

  /** HTML of the code, without a frame. */
  html(code: string, language: string): string {
    return this.lines(code, language)
      .map((line) => line.map(tokenHtml).join(""))
      .join("\n");
  }

  /** Keeps what this run has coloured. */
  save(): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, JSON.stringify([...this.#used]));
  }
}

/** HTML of one token. */
export function tokenHtml([text, kind]: Token): string {
  return kind === "" ? escapeHtml(text) : `<i class="${kind}">${escapeHtml(text)}</i>`;
}

/** HTML of a console: what is typed stands out from what is answered. */
export function consoleHtml(text: string): string {
  return text
    .split("\n")
    .map((line) => {
      if (line.startsWith("$ ")) return `<i class="p">$</i> <b>${escapeHtml(line.slice(2))}</b>`;
      return line === "…" ? `<i class="c">…</i>` : escapeHtml(line);
    })
    .join("\n");
}
