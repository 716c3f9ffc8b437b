/**
 * Builds the tree of a template, as Go's `text/template/parse` does.
 *
 * @module
 */

import { quote } from "../strconv/strconv.ts";
import type { Node } from "./nodes.ts";
import { PipelineParser } from "./pipeline.ts";

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

class Parser extends PipelineParser {
  readonly #defined = new Map<string, readonly Node[]>();
  /** How many ranges are around: only in one there is something to break. */
  #rangeDepth = 0;

  tree(): Tree {
    const root: Node[] = [];
    while (this.peek().type !== "eof") {
      if (this.peek().type === "left" && this.isDefinition()) this.#definition();
      else {
        const end = this.#node(root);
        if (end) this.fail(`unexpected {{${end}}}`);
      }
    }
    return { root, defined: this.#defined, text: this.text };
  }

  #definition(): void {
    this.next();
    this.skipSpace();
    this.next();
    const name = this.name("define clause");
    this.endAction("define clause");
    this.#body(name, "define clause");
  }

  /** The pieces of a template of its own, in which no variable outside is known. */
  #body(name: string, context: string): void {
    const [before, depth] = [this.variables, this.#rangeDepth];
    this.variables = ["$"];
    this.#rangeDepth = 0;
    const [body, end] = this.#list();
    if (end !== "end") this.fail(`unexpected {{${end}}} in ${context}`);
    this.variables = before;
    this.#rangeDepth = depth;
    const known = this.#defined.get(name);
    if (known !== undefined && !isEmpty(known)) {
      if (!isEmpty(body)) this.fail(`template: multiple definition of template ${quote(name)}`);
    } else this.#defined.set(name, body);
  }

  /** Parses one piece into `into`, or returns the keyword of `{{else}}` and `{{end}}`, whose action it has then read. */
  #node(into: Node[]): "end" | "else" | undefined {
    const item = this.next();
    if (item.type === "text") {
      into.push({ kind: "text", text: item.value });
      return undefined;
    }
    if (item.type !== "left") this.unexpected(item, "input");
    this.skipSpace();
    const word = this.peek().type === "keyword" ? this.next().value : "";
    switch (word) {
      case "end":
        this.endAction("end");
        return "end";
      case "else":
        this.skipSpace();
        if (!this.isKeyword("if")) this.endAction("else");
        return "else";
      case "break":
      case "continue":
        this.endAction(`{{${word}}}`);
        if (this.#rangeDepth === 0) this.fail(`{{${word}}} outside {{range}}`);
        into.push({ kind: word });
        return undefined;
      case "block": {
        this.skipSpace();
        const pos = this.peek().pos;
        const name = this.name("block clause");
        const pipe = this.pipeline("block clause");
        this.#body(name, "block clause");
        into.push({ kind: "template", name, pipe, pos });
        return undefined;
      }
      case "if":
      case "range":
      case "with":
        into.push(this.#control(word));
        return undefined;
      case "template": {
        this.skipSpace();
        const pos = this.peek().pos;
        const name = this.name("template clause");
        this.skipSpace();
        const pipe = this.peek().type === "right" ? undefined : this.pipeline("template clause");
        if (pipe === undefined) this.next();
        into.push({ kind: "template", name, pipe, pos });
        return undefined;
      }
      case "define":
        return this.fail("unexpected <define> in command");
      default:
        into.push({ kind: "action", pipe: this.pipeline("command") });
        return undefined;
    }
  }

  /** Pieces up to `{{end}}` or `{{else}}`. */
  #list(): [Node[], "end" | "else"] {
    const nodes: Node[] = [];
    while (this.peek().type !== "eof") {
      const end = this.#node(nodes);
      if (end) return [nodes, end];
    }
    return this.fail("unexpected EOF");
  }

  #control(kind: "if" | "range" | "with"): Node {
    const depth = this.variables.length;
    const pipe = this.pipeline(kind);
    if (kind === "range") this.#rangeDepth++;
    const [body, end] = this.#list();
    if (kind === "range") this.#rangeDepth--;
    let otherwise: Node[] = [];
    if (end === "else") {
      if (kind === "if" && this.isKeyword("if")) {
        // {{else if}} is {{else}}{{if}} with one {{end}} for both.
        this.next();
        otherwise = [this.#control("if")];
      } else {
        const [list, last] = this.#list();
        if (last === "else") this.fail("expected end; found {{else}}");
        otherwise = list;
      }
    }
    this.variables.length = depth;
    return { kind, pipe, body, otherwise };
  }
}

/** Whether there is nothing to show in a template: a later one of the same name may then take its place. */
function isEmpty(nodes: readonly Node[]): boolean {
  return nodes.every((node) => node.kind === "text" && node.text.trim() === "");
}
