/** An answer to exercise 2. @module */

import type { Wire } from "./2-wire.ts";

/** What stands between `http://` and the next slash is a host, even when a version was meant. */
export function wire(method: string, text: string, address: string): Wire {
  const [, named, path = text] = /^https?:\/\/([^/]*)(.*)$/.exec(text) ?? [];
  return { line: `${method} ${path}`, host: named || address };
}
