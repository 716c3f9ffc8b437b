/**
 * Names that Node gives every module: the bundle puts them where they are used.
 *
 * @module
 */

export { Buffer } from "buffer/";
export { process } from "./process.ts";

/** Runs a function when the page has had its turn. */
export function setImmediate(run: (...args: unknown[]) => void, ...args: unknown[]): unknown {
  return setTimeout(run, 0, ...args);
}

/** Forgets a function that {@link setImmediate} was given. */
export function clearImmediate(id: unknown): void {
  clearTimeout(id as number);
}
