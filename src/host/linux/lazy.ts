/**
 * Modules that are loaded when they are first used, and not before.
 *
 * A command line tool is started thousands of times: the client must not pay for `node:http` or koffi that only
 * the daemon uses. All of this is synchronous, so that a property can stay a property.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** What {@link builtin} gives, by name. */
interface Builtins {
  child_process: typeof import("node:child_process");
  crypto: typeof import("node:crypto");
  dgram: typeof import("node:dgram");
  http: typeof import("node:http");
  https: typeof import("node:https");
  module: typeof import("node:module");
  net: typeof import("node:net");
  tls: typeof import("node:tls");
  tty: typeof import("node:tty");
  worker_threads: typeof import("node:worker_threads");
}

/** A module of Node's own. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  return process.getBuiltinModule(`node:${name}`) as unknown as Builtins[Name];
}

/**
 * The file that runs: the bundle (where `__filename` exists), or this source file.
 *
 * @returns an absolute path
 */
export function runningFile(): string {
  return typeof __filename === "string" ? __filename : fileURLToPath(import.meta.url);
}

/** A package from `node_modules`, found from the place of {@link runningFile}. */
export function installed<T>(name: string): T {
  return builtin("module").createRequire(runningFile())(name) as T;
}
