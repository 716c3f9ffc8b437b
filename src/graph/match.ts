/**
 * Patterns for the names of repositories, as Go's `path.Match` understands them.
 *
 * @module
 */

import { fromText } from "../archive/byte-string.ts";
import { BadPatternError, match } from "../pkg/filepath/match.ts";

/** Whether the whole of `name` fits. A pattern that is malformed fits nothing. */
export function pathMatch(pattern: string, name: string): boolean {
  try {
    return match(fromText(pattern), fromText(name));
  } catch (cause) {
    if (cause instanceof BadPatternError) return false;
    throw cause;
  }
}
