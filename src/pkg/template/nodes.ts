/**
 * The tree of a template.
 *
 * @module
 */

/** A value in a command. */
export type Operand =
  | { readonly kind: "dot" | "nil"; readonly pos: number }
  | { readonly kind: "bool"; readonly value: boolean; readonly pos: number }
  /** Go's untyped constant: a bigint is an integer, a number is floating point. */
  | { readonly kind: "number"; readonly value: bigint | number; readonly text: string; readonly pos: number }
  | { readonly kind: "string"; readonly value: string; readonly quoted: string; readonly pos: number }
  | { readonly kind: "field"; readonly path: readonly string[]; readonly pos: number }
  | { readonly kind: "variable"; readonly name: string; readonly path: readonly string[]; readonly pos: number }
  | { readonly kind: "identifier"; readonly name: string; readonly pos: number }
  | { readonly kind: "chain"; readonly of: Operand; readonly path: readonly string[]; readonly pos: number }
  | Pipe;

/** One stage of a pipeline: a function with its arguments, or a value. */
export interface Command {
  readonly args: readonly Operand[];
  readonly pos: number;
}

/** Stages, each one's result being the last argument of the next. */
export interface Pipe {
  readonly kind: "pipe";
  readonly declares: readonly string[];
  /** `$x = …` instead of `$x := …`. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
  readonly pos: number;
}

/** A piece of a template. */
export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "break" | "continue" }
  | { readonly kind: "action"; readonly pipe: Pipe }
  | {
      readonly kind: "if" | "range" | "with";
      readonly pipe: Pipe;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly kind: "template"; readonly name: string; readonly pipe: Pipe | undefined; readonly pos: number };

/** A node as the text it came from, for error messages. */
export function show(node: Operand | Command): string {
  if (!("kind" in node)) return node.args.map((arg) => (arg.kind === "pipe" ? `(${show(arg)})` : show(arg))).join(" ");
  switch (node.kind) {
    case "dot":
      return ".";
    case "nil":
      return "nil";
    case "bool":
      return String(node.value);
    case "number":
      return node.text;
    case "string":
      return node.quoted;
    case "field":
      return node.path.map((name) => `.${name}`).join("");
    case "variable":
      return [node.name, ...node.path].join(".");
    case "identifier":
      return node.name;
    case "chain":
      return `${node.of.kind === "pipe" ? `(${show(node.of)})` : show(node.of)}${node.path.map((name) => `.${name}`).join("")}`;
    case "pipe": {
      const names = node.declares.length > 0 ? `${node.declares.join(", ")} ${node.assigns ? "=" : ":="} ` : "";
      return names + node.commands.map(show).join(" | ");
    }
  }
}
