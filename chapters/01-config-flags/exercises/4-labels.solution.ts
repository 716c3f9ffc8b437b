/** An answer to exercise 4. @module */

import type { Value } from "../../../src/pkg/mflag/mflag.ts";

/** Labels by key. */
export class Labels implements Value {
  readonly #labels = new Map<string, string>();

  /** Takes `key=value`; the value may hold more `=`. @throws Error `bad label: …` */
  set(text: string): void {
    const at = text.indexOf("=");
    if (at < 1) throw new Error(`bad label: ${text}`);
    this.#labels.set(text.slice(0, at), text.slice(at + 1));
  }

  /** The value of a key. */
  get(key: string): string | undefined {
    return this.#labels.get(key);
  }

  /** Go's `map[a:1 b:2]`. */
  toString(): string {
    const sorted = [...this.#labels].sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${sorted.map(([key, value]) => `${key}:${value}`).join(" ")}]`;
  }
}
