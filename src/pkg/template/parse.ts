/**
 * Builds the tree of a template, as Go's `text/template/parse` does.
 *
 * @module
 */

import { type Item, lex, TemplateSyntaxError } from "./lex.ts";
import type { Command, Node, Operand, Pipe } from "./nodes.ts";
import { unquote } from "./unquote.ts";

/** A parsed template and the templates defined in it. */
export interface Tree {
  readonly root: readonly Node[];
  readonly defined: ReadonlyMap<string, readonly Node[]>;
  readonly text: string;
}

/**
 * Parses a template.
 *
 * @param functions - names that may be called
 * @throws {TemplateSyntaxError} `template: :<line>: <what>`
 */
export function parse(text: string, functions: ReadonlySet<string>): Tree {
  return new Parser(text, functions).tree();
}

class Parser {
  readonly #text: string;
  readonly #functions: ReadonlySet<string>;
  readonly #items: Item[];
  readonly #defined = new Map<string, readonly Node[]>();
  #at = 0;
  /** Variables in scope, innermost last. */
  #variables: string[] = ["$"];

  constructor(text: string, functions: ReadonlySet<string>) {
    this.#text = text;
    this.#functions = functions;
    this.#items = lex(text);
  }

  tree(): Tree {
    const root: Node[] = [];
    while (this.#peek().type !== "eof") {
      if (this.#peek().type === "left" && this.#peekWord(1) === "define") this.#definition();
      else {
        const end = this.#node(root);
        if (end) this.#fail(`unexpected {{${end}}}`);
      }
    }
    return { root, defined: this.#defined, text: this.#text };
  }

  #definition(): void {
    this.#next();
    this.#skipSpace();
    this.#next();
    const name = this.#name("define clause");
    this.#endAction("define clause");
    const before = this.#variables;
    this.#variables = ["$"];
    const [body, end] = this.#list("define clause");
    if (end !== "end") this.#fail(`unexpected {{${end}}} in define clause`);
    this.#variables = before;
    this.#defined.set(name, body);
  }

  /** Parses one piece into `into`, or returns the keyword of `{{else}}` and `{{end}}`, whose action it has then read. */
  #node(into: Node[]): "end" | "else" | undefined {
    const item = this.#next();
    if (item.type === "text") {
      into.push({ kind: "text", text: item.value });
      return undefined;
    }
    this.#skipSpace();
    const word = this.#peek().type === "keyword" ? this.#next().value : "";
    switch (word) {
      case "end":
        this.#endAction("end");
        return "end";
      case "else":
        return "else";
      case "if":
      case "range":
      case "with":
        into.push(this.#control(word));
        return undefined;
      case "template": {
        this.#skipSpace();
        const pos = this.#peek().pos;
        const name = this.#name("template clause");
        this.#skipSpace();
        const pipe = this.#peek().type === "right" ? undefined : this.#pipeline("template");
        if (pipe === undefined) this.#next();
        into.push({ kind: "template", name, pipe, pos });
        return undefined;
      }
      case "define":
        return this.#fail("unexpected {{define}}");
      default:
        into.push({ kind: "action", pipe: this.#pipeline("command") });
        return undefined;
    }
  }

  /** Pieces up to `{{end}}` or `{{else}}`. */
  #list(context: string): [Node[], "end" | "else"] {
    const nodes: Node[] = [];
    while (this.#peek().type !== "eof") {
      const end = this.#node(nodes);
      if (end) return [nodes, end];
    }
    return this.#fail(context === "define clause" ? "unexpected EOF in define clause" : "unexpected EOF");
  }

  #control(kind: "if" | "range" | "with"): Node {
    const depth = this.#variables.length;
    const pipe = this.#pipeline(kind);
    const [body, end] = this.#list(kind);
    let otherwise: Node[] = [];
    if (end === "else") {
      this.#skipSpace();
      const chained = this.#peek();
      if (kind === "if" && chained.type === "keyword" && chained.value === "if") {
        // {{else if}} is {{else}}{{if}} with one {{end}} for both.
        this.#next();
        otherwise = [this.#control("if")];
      } else {
        this.#endAction("else");
        const [list, last] = this.#list(kind);
        if (last === "else") this.#fail("expected end; found {{else}}");
        otherwise = list;
      }
    }
    this.#variables.length = depth;
    return { kind, pipe, body, otherwise };
  }

  /** A pipeline up to the end of its action or parenthesis, which it reads too. */
  #pipeline(context: string): Pipe {
    this.#skipSpace();
    const pos = this.#peek().pos;
    const [declares, assigns] = this.#declarations(context);
    const commands: Command[] = [];
    for (;;) {
      this.#skipSpace();
      const item = this.#peek();
      if (item.type === "right" || item.type === "rightParen") {
        this.#next();
        if (commands.length === 0) this.#fail(`missing value for ${context}`);
        commands.slice(1).forEach((command, i) => {
          const kind = command.args[0]?.kind;
          if (kind === "bool" || kind === "dot" || kind === "nil" || kind === "number" || kind === "string")
            this.#fail(`non executable command in pipeline stage ${i + 2}`);
        });
        if (!assigns) this.#variables.push(...declares);
        return { kind: "pipe", declares, assigns, commands, pos };
      }
      commands.push(this.#command(context));
    }
  }

  /** `$x :=`, `$x =`, and in a range `$i, $x :=`. */
  #declarations(context: string): [string[], boolean] {
    const start = this.#at;
    const names: string[] = [];
    while (this.#peek().type === "variable") {
      names.push(this.#next().value);
      this.#skipSpace();
      const item = this.#next();
      if (item.type === "declare" || item.type === "assign") {
        const assigns = item.type === "assign";
        if (assigns) for (const name of names) this.#known(name);
        if (names.length > (context === "range" ? 2 : 1)) this.#fail(`too many declarations in ${context}`);
        return [names, assigns];
      }
      if (item.type !== "comma" || context !== "range") break;
      this.#skipSpace();
    }
    this.#at = start;
    return [[], false];
  }

  #command(context: string): Command {
    const pos = this.#peek().pos;
    const args: Operand[] = [];
    for (;;) {
      this.#skipSpace();
      const operand = this.#operand();
      if (operand) args.push(operand);
      const item = this.#peek();
      if (item.type === "space") continue;
      if (item.type === "pipe") {
        this.#next();
        this.#skipSpace();
        if (this.#peek().type === "right") this.#fail(`missing value for ${context}`);
        break;
      }
      if (item.type === "right" || item.type === "rightParen") break;
      this.#fail(`unexpected ${describe(item)} in operand`);
    }
    if (args.length === 0) this.#fail("empty command");
    return { args, pos };
  }

  /** A term with the fields that hang on it. */
  #operand(): Operand | undefined {
    const term = this.#term();
    if (!term || this.#peek().type !== "field") return term;
    const pos = this.#peek().pos;
    const path: string[] = [];
    while (this.#peek().type === "field") path.push(this.#next().value.slice(1));
    switch (term.kind) {
      case "field":
        return { kind: "field", path: [...term.path, ...path], pos };
      case "variable":
        return { kind: "variable", name: term.name, path: [...term.path, ...path], pos };
      case "bool":
      case "string":
      case "number":
      case "nil":
      case "dot":
        return this.#fail(`unexpected . after term ${JSON.stringify(this.#text.slice(term.pos, pos))}`);
      default:
        return { kind: "chain", of: term, path, pos };
    }
  }

  #term(): Operand | undefined {
    const item = this.#peek();
    const { pos, value } = item;
    switch (item.type) {
      case "identifier":
        if (!this.#functions.has(value)) this.#fail(`function ${JSON.stringify(value)} not defined`);
        this.#next();
        return { kind: "identifier", name: value, pos };
      case "dot":
      case "nil":
        this.#next();
        return { kind: item.type, pos };
      case "variable":
        this.#known(value);
        this.#next();
        return { kind: "variable", name: value, path: [], pos };
      case "field":
        this.#next();
        return { kind: "field", path: [value.slice(1)], pos };
      case "bool":
        this.#next();
        return { kind: "bool", value: value === "true", pos };
      case "char":
      case "number":
        this.#next();
        return { kind: "number", value: this.#number(item), text: value, pos };
      case "string":
      case "raw":
        this.#next();
        return { kind: "string", value: this.#unquote(value), quoted: value, pos };
      case "leftParen":
        this.#next();
        return this.#pipeline("parenthesized pipeline");
      default:
        return undefined;
    }
  }

  #number({ type, value }: Item): bigint | number {
    if (type === "char") return BigInt([...this.#unquote(value)][0]?.codePointAt(0) ?? 0);
    const digits = value.replace(/^[+-]/, "");
    const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
    if (/^(?:0[xXo][0-9a-fA-F]+|[0-9]+)$/.test(octal) && !/^0[89]/.test(digits)) {
      return value.startsWith("-") ? -BigInt(octal) : BigInt(octal);
    }
    const float = Number(value);
    if (Number.isNaN(float) || digits === "") this.#fail(`illegal number syntax: ${JSON.stringify(value)}`);
    return float;
  }

  #unquote(quoted: string): string {
    return unquote(quoted) ?? this.#fail("invalid syntax");
  }

  #known(name: string): void {
    if (!this.#variables.includes(name)) this.#fail(`undefined variable ${JSON.stringify(name)}`);
  }

  /** The quoted name in `{{define "name"}}` and `{{template "name"}}`. */
  #name(context: string): string {
    this.#skipSpace();
    const item = this.#next();
    if (item.type !== "string" && item.type !== "raw") this.#fail(`unexpected ${describe(item)} in ${context}`);
    return this.#unquote(item.value);
  }

  #endAction(context: string): void {
    this.#skipSpace();
    const item = this.#next();
    if (item.type !== "right") this.#fail(`unexpected ${describe(item)} in ${context}`);
  }

  #skipSpace(): void {
    while (this.#peek().type === "space") this.#at++;
  }

  #peek(): Item {
    return this.#items[this.#at] as Item;
  }

  /** The first word of the action `ahead` items from here. */
  #peekWord(ahead: number): string {
    const item = this.#items[this.#at + ahead];
    return item?.type === "space" ? this.#peekWord(ahead + 1) : (item?.value ?? "");
  }

  #next(): Item {
    const item = this.#peek();
    if (item.type !== "eof") this.#at++;
    return item;
  }

  #fail(what: string): never {
    throw new TemplateSyntaxError(this.#text, this.#peek().pos, what);
  }
}

/** A word in an error message. */
function describe(item: Item): string {
  if (item.type === "eof") return "EOF";
  if (item.type === "keyword") return `<${item.value}>`;
  return [...item.value].length > 10
    ? `${JSON.stringify([...item.value].slice(0, 10).join(""))}...`
    : JSON.stringify(item.value);
}
