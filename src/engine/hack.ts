/**
 * Values that parts of the daemon leave for each other: 1.2.0's own name for it is temporary hackery.
 *
 * @origin engine/hack.go
 * @module
 */

/** What is kept under which key: `httpapi.daemon`, `httpapi.bridgeIP`. */
export class Hack {
  #values: Map<string, unknown> | undefined;

  /** @returns `undefined` when nothing was set @origin engine/hack.go (*Engine).Hack_GetGlobalVar */
  get(key: string): unknown {
    return this.#values?.get(key);
  }

  /** @origin engine/hack.go (*Engine).Hack_SetGlobalVar */
  set(key: string, value: unknown): void {
    this.#values ??= new Map();
    this.#values.set(key, value);
  }
}
