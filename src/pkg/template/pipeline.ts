/**
 * Reads what stands inside an action: pipelines, their commands, and the operands of those.
 *
 * @module
 */

import { quote } from "../strconv/strconv.ts";
import { type Item, type ItemType, lex, TemplateSyntaxError } from "./lex.ts";
import { type Command, type Operand, type Pipe, show } from "./nodes.ts";
import { parseNumber } from "./number.ts";
import { unquote } from "./unquote.ts";

/** What a command can begin with. */
const OPERANDS: ReadonlySet<ItemType> = new Set<ItemType>([
  "bool",
  "char",
  "dot",
  "field",
  "identifier",
  "leftParen",
  "nil",
  "number",
  "raw",
  "string",
  "variable",
]);

/** Walks over the words of a template. */
export class PipelineParser {
  protected readonly text: string;
  protected readonly items: Item[];
  protected at = 0;
  /** Variables in scope, innermost last. */
  protected variables: string[] = ["$"];
  readonly #functions: ReadonlySet<string>;

  /** @param functions - names that may be called */
  constructor(text: string, functions: ReadonlySet<string>) {
    this.text = text;
    this.#functions = functions;
    this.items = lex(text);
  }

  /** A pipeline up to the end of its action or parenthesis, which it reads too. */
  protected pipeline(context: string, end: "right" | "rightParen" = "right"): Pipe {
    this.skipSpace();
    const pos = this.peek().pos;
    const [declares, assigns] = this.#declarations(context);
    const commands: Command[] = [];
    for (;;) {
      this.skipSpace();
      const item = this.peek();
      if (item.type === end) {
        this.next();
        this.#check(commands, context);
        return { kind: "pipe", declares, assigns, commands, pos };
      }
      if (!OPERANDS.has(item.type)) this.unexpected(item, context);
      commands.push(this.#command());
    }
  }

  #check(commands: readonly Command[], context: string): void {
    if (commands.length === 0) this.fail(`missing value for ${context}`);
    commands.slice(1).forEach((command, i) => {
      const kind = command.args[0]?.kind;
      if (kind === "bool" || kind === "dot" || kind === "nil" || kind === "number" || kind === "string")
        this.fail(`non executable command in pipeline stage ${i + 2}`);
    });
  }

  /** `$x :=`, `$x =`, and in a range `$i, $x :=`. */
  #declarations(context: string): [string[], boolean] {
    const names: string[] = [];
    while (this.peek().type === "variable") {
      const start = this.at;
      const name = this.next().value;
      this.skipSpace();
      const item = this.peek();
      if (item.type === "declare" || item.type === "assign") {
        this.next();
        this.variables.push(name);
        return [[...names, name], item.type === "assign"];
      }
      if (item.type !== "comma") {
        this.at = start;
        break;
      }
      this.next();
      this.variables.push(name);
      names.push(name);
      if (context !== "range" || names.length > 1) this.fail(`too many declarations in ${context}`);
      this.skipSpace();
      const { type } = this.peek();
      if (type !== "variable" && type !== "right" && type !== "rightParen")
        this.fail("range can only initialize variables");
    }
    return [names, false];
  }

  #command(): Command {
    this.skipSpace();
    const pos = this.peek().pos;
    const args: Operand[] = [];
    for (;;) {
      this.skipSpace();
      const operand = this.#operand();
      if (operand) args.push(operand);
      const item = this.peek();
      if (item.type === "right" || item.type === "rightParen") break;
      this.next();
      if (item.type === "pipe") break;
      if (item.type !== "space") this.unexpected(item, "operand");
    }
    if (args.length === 0) this.fail("empty command");
    return { args, pos };
  }

  /** A term with the fields that hang on it. */
  #operand(): Operand | undefined {
    const term = this.#term();
    if (!term || this.peek().type !== "field") return term;
    const pos = this.peek().pos;
    const path: string[] = [];
    while (this.peek().type === "field") path.push(this.next().value.slice(1));
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
        return this.fail(`unexpected . after term ${quote(show(term))}`);
      default:
        return { kind: "chain", of: term, path, pos };
    }
  }

  #term(): Operand | undefined {
    const item = this.peek();
    const { pos, value } = item;
    switch (item.type) {
      case "identifier":
        if (!this.#functions.has(value)) this.fail(`function ${quote(value)} not defined`);
        this.next();
        return { kind: "identifier", name: value, pos };
      case "dot":
      case "nil":
        this.next();
        return { kind: item.type, pos };
      case "variable":
        this.#known(value);
        this.next();
        return { kind: "variable", name: value, path: [], pos };
      case "field":
        this.next();
        return { kind: "field", path: [value.slice(1)], pos };
      case "bool":
        this.next();
        return { kind: "bool", value: value === "true", pos };
      case "char":
      case "number":
        this.next();
        return { kind: "number", value: this.#number(item), text: value, pos };
      case "string":
      case "raw":
        this.next();
        return { kind: "string", value: this.#unquote(value), quoted: value, pos };
      case "leftParen":
        this.next();
        return this.pipeline("parenthesized pipeline", "rightParen");
      default:
        return undefined;
    }
  }

  #number({ type, value }: Item): bigint | number {
    if (type === "char") {
      const char = unquote(value) ?? this.fail(`malformed character constant: ${value}`);
      return BigInt(char.codePointAt(0) ?? 0);
    }
    const number = parseNumber(value);
    return number ?? this.fail(`illegal number syntax: ${quote(value)}`);
  }

  #unquote(quoted: string): string {
    return unquote(quoted) ?? this.fail("invalid syntax");
  }

  #known(name: string): void {
    if (!this.variables.includes(name)) this.fail(`undefined variable ${quote(name)}`);
  }

  /** The quoted name in `{{define "name"}}` and `{{template "name"}}`. */
  protected name(context: string): string {
    this.skipSpace();
    const item = this.next();
    if (item.type !== "string" && item.type !== "raw") this.unexpected(item, context);
    return this.#unquote(item.value);
  }

  protected endAction(context: string): void {
    this.skipSpace();
    const item = this.next();
    if (item.type !== "right") this.unexpected(item, context);
  }

  protected skipSpace(): void {
    while (this.peek().type === "space") this.at++;
  }

  protected peek(): Item {
    return this.items[this.at] as Item;
  }

  /** Whether the action that begins here is a definition. */
  protected isDefinition(): boolean {
    let at = this.at + 1;
    while (this.items[at]?.type === "space") at++;
    return this.isKeyword("define", at);
  }

  protected isKeyword(word: string, at = this.at): boolean {
    const item = this.items[at];
    return item?.type === "keyword" && item.value === word;
  }

  protected next(): Item {
    const item = this.peek();
    if (item.type !== "eof" && item.type !== "error") this.at++;
    return item;
  }

  /** A word that cannot stand here. */
  protected unexpected(item: Item, context: string): never {
    return this.fail(item.type === "error" ? item.value : `unexpected ${describe(item)} in ${context}`);
  }

  protected fail(what: string): never {
    throw new TemplateSyntaxError(this.text, this.peek().pos, what);
  }
}

/** A word in an error message. */
function describe(item: Item): string {
  if (item.type === "eof") return "EOF";
  if (item.type === "keyword" || item.type === "dot" || item.type === "nil") return `<${item.value}>`;
  return [...item.value].length > 10 ? `${quote([...item.value].slice(0, 10).join(""))}...` : quote(item.value);
}
