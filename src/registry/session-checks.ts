/**
 * What goes along with requests to a registry of version 1, and what must not come back.
 *
 * @origin registry/session.go
 * @module
 */

import { SystemError } from "../errdefs/errdefs.ts";
import { ID_PATTERN } from "../utils/utils.ts";
import type { HttpResponse } from "./client.ts";

/** What an index gave to be shown to its registries. @origin registry/session.go setTokenAuth */
export function tokenAuth(tokens: readonly string[]): Record<string, string> {
  return { Authorization: `Token ${tokens.join(",")}` };
}

/** The tokens in an answer of an index. */
export function tokensOf(response: HttpResponse): string[] {
  const tokens = response.headers.get("x-docker-token") ?? "";
  return tokens === "" ? [] : tokens.split(", ");
}

/** A tag becomes part of a name here; those of 2014 may have any sign but two. */
export function checkTag(tag: string, what: string): string {
  if (/^[!-.0-9;-~]{1,128}$/.test(tag)) return tag;
  throw new SystemError(`Cannot use ${what}: ${JSON.stringify(tag).slice(0, 140)} is no tag`);
}

/** An id becomes part of an address and of a path. */
export function checkId(id: string): string {
  if (!ID_PATTERN.test(id))
    throw new SystemError(`Invalid image id from the registry: ${JSON.stringify(id).slice(0, 100)}`);
  return id;
}
