/**
 * Go's `text/template`, for `docker inspect --format`: fields, pipelines, variables, `if`, `range`, `with`, `define`,
 * Go's own functions, and `json` and `join`.
 *
 * Of Go's language all is here but methods, imaginary numbers, and the places of arguments in `printf`. An integer of the
 * template and a number of the data, which Go takes for a float, can be compared.
 *
 * Data is what JSON holds. A key that is not there, and nil, print as `<no value>`. The texts of errors are Go's.
 *
 * @module
 */

import { execute } from "./exec.ts";
import type { Value } from "./format.ts";
import { builtins, type FunctionEntry } from "./funcs.ts";
import { parse, type Tree } from "./parse.ts";

export { TemplateExecError } from "./exec.ts";
export { display, type Value } from "./format.ts";
export type { FunctionEntry } from "./funcs.ts";
export { TemplateSyntaxError } from "./lex.ts";

/** A template that was read and can be applied any number of times. */
export class Template {
  readonly #tree: Tree;
  readonly #functions: Readonly<Record<string, FunctionEntry>>;

  /**
   * @param functions - what it may call besides Go's own functions
   * @throws {TemplateSyntaxError} `template: :<line>: <what is wrong>`
   */
  constructor(text: string, functions: Readonly<Record<string, FunctionEntry>> = {}) {
    this.#functions = { ...builtins, ...functions };
    this.#tree = parse(text, new Set(Object.keys(this.#functions)));
  }

  /** Applies the template. @throws {TemplateExecError} with what was printed until then */
  execute(data: Value): string {
    return execute(this.#tree, data, this.#functions);
  }
}
