/**
 * Walks a template's tree, as Go's `text/template` does.
 *
 * @module
 */

import { quote } from "../strconv/strconv.ts";
import { display, isMap, sortedKeys, typeName, type Value } from "./format.ts";
import { type ArgumentType, type FunctionEntry, truth } from "./funcs.ts";
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

/** Leaves a range, or the present round of it. */
class Leave extends Error {
  readonly kind: "break" | "continue";

  constructor(kind: "break" | "continue") {
    super(kind);
    this.kind = kind;
  }
}

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
  /** What was looked at last: errors without a place of their own are found there. */
  #last: Operand | undefined;

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
      case "break":
      case "continue":
        throw new Leave(node.kind);
      default: {
        const mark = this.#variables.length;
        this.#control(node, dot);
        this.#variables.length = mark;
      }
    }
  }

  #call(node: Extract<Node, { kind: "template" }>, dot: Found): void {
    const body = this.#tree.defined.get(node.name);
    const shown = `{{template ${quote(node.name)}${node.pipe ? ` ${show(node.pipe)}` : ""}}}`;
    if (body === undefined) this.#fail(node.pos, shown, `template ${quote(node.name)} not defined`);
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
      const goOn = this.#round(node.body, element);
      this.#variables.length = mark;
      if (!goOn) return;
    }
  }

  /** One round of a range; whether there is to be another. */
  #round(body: readonly Node[], element: Found): boolean {
    try {
      this.#walkAll(body, element);
      return true;
    } catch (cause) {
      if (!(cause instanceof Leave)) throw cause;
      return cause.kind === "continue";
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
    if (typeof value !== "object") return this.#failHere(pipe, `range can't iterate over ${display(value)}`);
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
      else if (pipe.assigns) this.#failHere(pipe, `undefined variable: ${name}`);
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
      this.#operand(dot, first);
      const name = "path" in first ? first.path.at(-1) : undefined;
      const what = name === undefined ? `can't give argument to non-function ${show(first)}` : undefined;
      return this.#fail(first.pos, show(first), what ?? `${name} is not a method but has arguments`);
    }
    if (rest.length > 0 || last !== undefined)
      return this.#failHere(first, `can't give argument to non-function ${show(first)}`);
    if (first.kind === "nil") return this.#fail(first.pos, "nil", "nil is not a command");
    return this.#operand(dot, first);
  }

  #function(dot: Found, name: string, command: Command, operands: readonly Operand[], last: Found | undefined): Found {
    const entry = this.#functions[name] as FunctionEntry;
    this.#last = command.args[0];
    const count = operands.length + (last ? 1 : 0);
    if (entry.variadic ? count < entry.arity : count !== entry.arity) {
      const wanted = entry.variadic ? `at least ${entry.arity}` : String(entry.arity);
      const got = entry.variadic ? operands.length : count;
      this.#fail(command.pos, name, `wrong number of args for ${name}: want ${wanted} got ${got}`);
    }
    const args: Value[] = [];
    for (const operand of operands) {
      const value = this.#argument(dot, operand, entry.types?.[args.length]);
      if (entry.decides?.(value) === true) return { value, viaInterface: false };
      args.push(value);
    }
    if (last) args.push(this.#checked(last.value ?? null, entry.types?.[args.length], command.args.at(-1) as Operand));
    try {
      return { value: entry.call(...args), viaInterface: false };
    } catch (cause) {
      if (cause instanceof TemplateExecError || !(cause instanceof Error)) throw cause;
      return this.#fail(command.pos, show(command), `error calling ${name}: ${cause.message}`);
    }
  }

  /** An argument's value, which has to be of the type that the function wants. */
  #argument(dot: Found, operand: Operand, type: ArgumentType | undefined): Value {
    if (operand.kind === "nil") {
      if (type === "string") this.#fail(operand.pos, "nil", "cannot assign nil to string");
      return null;
    }
    const literal = operand.kind === "bool" || operand.kind === "number" || operand.kind === "string";
    if (literal && type !== undefined && !(type === "string" && operand.kind === "string")) {
      const text = show(operand);
      const what =
        type === "string" ? `expected string; found ${text}` : `can't handle ${text} for arg of type ${type}`;
      this.#fail(operand.pos, text, what);
    }
    return this.#checked(this.#operand(dot, operand).value ?? null, type, operand);
  }

  #checked(value: Value, type: ArgumentType | undefined, node: Operand): Value {
    if (type === undefined || typeName(value) === type || (value === null && type !== "string")) return value;
    const text = value === null ? `invalid value; expected ${type}` : undefined;
    return this.#fail(node.pos, show(node), text ?? `wrong type for value; expected ${type}; got ${typeName(value)}`);
  }

  #operand(dot: Found, operand: Operand): Found {
    if (operand.kind !== "pipe") this.#last = operand;
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
        if (variable === undefined) this.#fail(operand.pos, show(operand), `undefined variable: ${operand.name}`);
        return this.#fields((variable as { found: Found }).found, operand.path, operand);
      }
      case "chain": {
        const of = this.#operand(dot, operand.of);
        return this.#fields(of, operand.path, this.#last ?? operand);
      }
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

  #failHere(otherwise: Operand, what: string): never {
    const node = this.#last ?? otherwise;
    return this.#fail(node.pos, show(node), what);
  }

  #fail(pos: number, context: string, what: string): never {
    const before = this.#tree.text.slice(0, pos);
    const line = before.split("\n").length;
    const column = Buffer.byteLength(before.slice(before.lastIndexOf("\n") + 1));
    const name = quote(this.#name);
    throw new TemplateExecError(
      `template: :${line}:${column}: executing ${name} at <${context}>: ${what}`,
      this.printed,
    );
  }
}
