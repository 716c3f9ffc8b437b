/** An answer to exercise 3. @module */

import type { Step } from "./3-foreign-key.ts";

/** b waited for a, and its end frees the key that c has taken meanwhile: d finds it free, while c is still at it. */
export function story(): readonly Step[] {
  return [
    ["a", "enter"],
    ["b", "enter"],
    ["a", "end"],
    ["c", "enter"],
    ["b", "end"],
    ["d", "enter"],
  ];
}
