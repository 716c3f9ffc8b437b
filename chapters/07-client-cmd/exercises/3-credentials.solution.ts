/** An answer to exercise 3. @module */

import type { Credentials } from "./3-credentials.ts";

/** A header, base64 for URLs, JSON: three wrappings, and none of them is a lock. */
export function readCredentials(request: string): Credentials | undefined {
  const value = /^X-Registry-Auth: *(\S+)/im.exec(request)?.[1];
  if (value === undefined) return undefined;
  const { username, password } = JSON.parse(Buffer.from(value, "base64url").toString());
  return username === undefined ? undefined : { username, password };
}
