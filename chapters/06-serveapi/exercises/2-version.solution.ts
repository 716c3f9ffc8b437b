/** An answer to exercise 2. @module */

import { greaterThan } from "../../../src/pkg/version/version.ts";

/** What the router answers by itself. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
}

/** First the route, then the version. */
export function front(path: string, known: readonly string[]): Refusal | undefined {
  const [, version, rest] = /^\/v([0-9.]+)(\/.*)$/.exec(path) ?? [undefined, undefined, path];
  if (!known.includes(rest ?? path)) return { status: 404, body: "404 page not found\n" };
  if (version === undefined || !greaterThan(version, "1.14")) return undefined;
  return { status: 404, body: `client and server don't have same version (client : ${version}, server: 1.14)\n` };
}
