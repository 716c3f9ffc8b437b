/**
 * Walks a template's tree, as Go's `text/template` does.
 *
 * @module
 */

import { display, isMap, sortedKeys, typeName, type Value } from "./format.ts";
import { type FunctionEntry, truth } from "./funcs.ts";
import { type Command, type Node, type Operand, type Pipe, show } from "./nodes.ts";
import type { Tree } from "./parse.ts";

/** A template met data it cannot be applied to. Carries what was printed before that. */
export class TemplateExecError extends Error {
  /** What the template had printed when it failed. */
  readonly printed: string;

  /** @param message - Go's text, with line and column */
  constructor(message: string, printed: string) {
    super(message);
    this.name = "TemplateExecError";
    this.printed = printed;
  }
}

/**
 * A value and how it was come by: what was found in a map or slice is known as `interface {}` until it goes through a
 * pipeline, and error messages say so. `undefined` is no value at all: a key that is not there.
 */
interface Found {
  readonly value: Value | undefined;
  readonly viaInterface: boolean;
}

const nothing: Found = { value: undefined, viaInterface: false };

/** Templates that call each other end here. */
const MAX_DEPTH = 1000;

/** Applies a tree to data. @throws {TemplateExecError} */
export function execute(tree: Tree, data: Value, functions: Readonly<Record<string, FunctionEntry>>): string {
  const run = new Execution(tree, functions);
  run.run(tree.root, { value: data, viaInterface: false });
  return run.printed;
}

class Execution {
  printed = "";
  readonly #tree: Tree;
  readonly #functions: Readonly<Record<string, FunctionEntry>>;
  #variables: { readonly name: string; found: Found }[] = [];
  #depth = 0;
  #name = "";

  constructor(tree: Tree, functions: Readonly<Record<string, FunctionEntry>>) {
    this.#tree = tree;
    this.#functions = functions;
  }

  run(nodes: readonly Node[], dot: Found): void {
    const before = this.#variables;
    this.#variables = [{ name: "$", found: dot }];
    this.#walkAll(nodes, dot);
    this.#variables = before;
  }

  #walkAll(nodes: readonly Node[], dot: Found): void {
    for (const node of nodes) this.#walk(node, dot);
  }

  #walk(node: Node, dot: Found): void {
    switch (node.kind) {
      case "text":
        this.printed += node.text;
        return;
      case "action": {
        const found = this.#pipeline(dot, node.pipe);
        // A pipeline that declares or assigns is not printed.
        if (node.pipe.declares.length === 0)
          this.printed += found.value === undefined ? "<no value>" : display(found.value);
        return;
      }
      case "template":
        this.#call(node, dot);
        return;
      default: {
        const mark = this.#variables.length;
        this.#control(node, dot);
        this.#variables.length = mark;
      }
    }
  }

  #call(node: Extract<Node, { kind: "template" }>, dot: Found): void {
    const body = this.#tree.defined.get(node.name);
    const shown = `{{template ${JSON.stringify(node.name)}}}`;
    if (body === undefined) this.#fail(node.pos, shown, `template ${JSON.stringify(node.name)} not defined`);
    if (++this.#depth > MAX_DEPTH) this.#fail(node.pos, shown, `exceeded maximum template depth (${MAX_DEPTH})`);
    const argument = node.pipe ? this.#pipeline(dot, node.pipe) : nothing;
    const name = this.#name;
    this.#name = node.name;
    this.run(body as readonly Node[], argument);
    this.#name = name;
    this.#depth--;
  }

  #control(node: Extract<Node, { kind: "if" | "range" | "with" }>, dot: Found): void {
    const found = this.#pipeline(dot, node.pipe);
    if (node.kind === "range") this.#range(node, dot, found);
    else if (found.value === undefined || !truth(found.value)) this.#walkAll(node.otherwise, dot);
    else this.#walkAll(node.body, node.kind === "with" ? found : dot);
  }

  #range(node: Extract<Node, { kind: "if" | "range" | "with" }>, dot: Found, found: Found): void {
    const { declares } = node.pipe;
    const items = this.#items(found.value, node.pipe);
    if (items.length === 0) this.#walkAll(node.otherwise, dot);
    const mark = this.#variables.length;
    for (const [key, value] of items) {
      const element = { value, viaInterface: true };
      // The pipeline has declared its variables already, with the whole collection as value.
      if (declares.length > 0) this.#set(declares.length, 1, element);
      if (declares.length > 1) this.#set(declares.length, 2, { value: key, viaInterface: false });
      this.#walkAll(node.body, element);
      this.#variables.length = mark;
    }
  }

  /** The `nth` variable from the end of those that the range declared. */
  #set(count: number, nth: number, found: Found): void {
    const at = this.#variables.length - (count === 1 ? 1 : nth);
    const variable = this.#variables[at];
    if (variable) variable.found = found;
  }

  #items(value: Value | undefined, pipe: Pipe): [Value, Value][] {
    if (value === undefined || value === null) return [];
    if (typeof value !== "object")
      return this.#fail(pipe.pos, show(pipe), `range can't iterate over ${display(value)}`);
    if (isMap(value)) return sortedKeys(value).map((key) => [key, value[key] as Value]);
    return value.map((item, i) => [BigInt(i), item]);
  }

  #pipeline(dot: Found, pipe: Pipe): Found {
    let found = nothing;
    let first = true;
    for (const command of pipe.commands) {
      const { value } = this.#command(dot, command, first ? undefined : found);
      // Through a pipeline, an interface is what is in it, and an empty one is nothing.
      found = { value: value ?? undefined, viaInterface: false };
      first = false;
    }
    for (const name of pipe.declares) {
      const known = pipe.assigns ? this.#variables.findLast((variable) => variable.name === name) : undefined;
      if (known) known.found = found;
      else this.#variables.push({ name, found });
    }
    return found;
  }

  /** @param last - the result of the stage before: the last argument */
  #command(dot: Found, command: Command, last: Found | undefined): Found {
    const [first, ...rest] = command.args as [Operand, ...Operand[]];
    if (first.kind === "identifier") return this.#function(dot, first.name, command, rest, last);
    if (first.kind === "field" || first.kind === "variable" || first.kind === "chain") {
      if (rest.length === 0 && last === undefined) return this.#operand(dot, first);
      const found = this.#operand(dot, first);
      const name = "path" in first ? first.path.at(-1) : undefined;
      if (name === undefined) this.#fail(first.pos, show(first), `can't give argument to non-function ${show(first)}`);
      return this.#fail(
        first.pos,
        show(first),
        found.value === undefined ? "nil data; no entry for key" : `${name} is not a method but has arguments`,
      );
    }
    if (rest.length > 0 || last !== undefined) {
      return this.#fail(first.pos, show(first), `can't give argument to non-function ${show(first)}`);
    }
    if (first.kind === "nil") return this.#fail(first.pos, "nil", "nil is not a command");
    return this.#operand(dot, first);
  }

  #function(dot: Found, name: string, command: Command, operands: readonly Operand[], last: Found | undefined): Found {
    const entry = this.#functions[name] as FunctionEntry;
    const args = operands.map((operand) =>
      operand.kind === "nil" ? null : (this.#operand(dot, operand).value ?? null),
    );
    if (last) args.push(last.value ?? null);
    const context = show(command);
    if (entry.variadic ? args.length < entry.arity : args.length !== entry.arity) {
      const wanted = entry.variadic ? `at least ${entry.arity}` : String(entry.arity);
      this.#fail(command.pos, name, `wrong number of args for ${name}: want ${wanted} got ${args.length}`);
    }
    try {
      return { value: entry.call(...args), viaInterface: false };
    } catch (cause) {
      if (cause instanceof TemplateExecError || !(cause instanceof Error)) throw cause;
      return this.#fail(command.pos, context, `error calling ${name}: ${cause.message}`);
    }
  }

  #operand(dot: Found, operand: Operand): Found {
    switch (operand.kind) {
      case "dot":
        return dot;
      case "nil":
        return { value: null, viaInterface: false };
      case "bool":
      case "number":
      case "string":
        return { value: operand.value, viaInterface: false };
      case "field":
        return this.#fields(dot, operand.path, operand);
      case "variable": {
        const variable = this.#variables.findLast(({ name }) => name === operand.name);
        return this.#fields(variable?.found ?? nothing, operand.path, operand);
      }
      case "chain":
        return this.#fields(this.#operand(dot, operand.of), operand.path, operand);
      case "pipe":
        return this.#pipeline(dot, operand);
      case "identifier":
        return this.#function(dot, operand.name, { args: [operand], pos: operand.pos }, [], undefined);
    }
  }

  #fields(from: Found, path: readonly string[], node: Operand): Found {
    let found = from;
    for (const name of path) {
      const { value, viaInterface } = found;
      if (value === undefined) return nothing;
      if (value === null && viaInterface)
        this.#fail(node.pos, show(node), `nil pointer evaluating interface {}.${name}`);
      if (!isMap(value))
        this.#fail(
          node.pos,
          show(node),
          `can't evaluate field ${name} in type ${viaInterface ? "interface {}" : typeName(value)}`,
        );
      else found = Object.hasOwn(value, name) ? { value: value[name], viaInterface: true } : nothing;
    }
    return found;
  }

  #fail(pos: number, context: string, what: string): never {
    const before = this.#tree.text.slice(0, pos);
    const line = before.split("\n").length;
    const column = Buffer.byteLength(before.slice(before.lastIndexOf("\n") + 1));
    const shown = [...context].length > 20 ? `${[...context].slice(0, 20).join("")}...` : context;
    const name = JSON.stringify(this.#name);
    throw new TemplateExecError(`template: :${line}:${column}: executing ${name} at <${shown}>: ${what}`, this.printed);
  }
}
