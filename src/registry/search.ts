/**
 * What an index answers to a search.
 *
 * @origin registry/types.go SearchResults
 * @module
 */

import { SystemError } from "../errdefs/errdefs.ts";
import { objectOf, parseJson } from "./json.ts";

/** Longest answer that is read. An index of 2014 sends 25 results at a time. */
export const MAX_SEARCH_BYTES = 4 << 20;
const MAX_RESULTS = 1_000;
const WHAT = "the results of the search";

/** A repository that was found. @origin registry/types.go SearchResult */
export interface SearchResult {
  readonly star_count: number;
  readonly is_official: boolean;
  readonly name: string;
  readonly is_trusted: boolean;
  readonly description: string;
}

/** The results by themselves; the index repeats the question, too. @origin registry/types.go SearchResults */
export interface SearchResults {
  readonly results: readonly SearchResult[];
}

/**
 * Reads an answer. What is missing or `null` is empty, as Go leaves it.
 *
 * @throws {SystemError} when it is no JSON, or a value is not of its kind
 * @deviation At most 1,000 results; 1.2.0 takes as many as come.
 */
export function parseSearchResults(bytes: Uint8Array): SearchResults {
  const answer = parseJson(bytes, WHAT);
  const list = answer === null ? null : (objectOf(answer, WHAT)["results"] ?? null);
  if (list === null) return { results: [] };
  if (!Array.isArray(list)) throw new SystemError(`Cannot read ${WHAT}: it is no list`);
  return { results: list.slice(0, MAX_RESULTS).map(resultOf) };
}

function resultOf(value: unknown): SearchResult {
  const fields = value === null ? {} : objectOf(value, WHAT);
  const stars = fields["star_count"] ?? 0;
  if (!Number.isSafeInteger(stars)) throw new SystemError(`Cannot read ${WHAT}: star_count is no whole number`);
  return {
    star_count: stars as number,
    is_official: kind(fields, "is_official", false),
    name: kind(fields, "name", ""),
    is_trusted: kind(fields, "is_trusted", false),
    description: kind(fields, "description", ""),
  };
}

/** The value of a field, which must be of the kind of `empty`. */
function kind<T extends string | boolean>(fields: Record<string, unknown>, key: string, empty: T): T {
  const value = fields[key] ?? empty;
  if (typeof value !== typeof empty) throw new SystemError(`Cannot read ${WHAT}: ${key} is no ${typeof empty}`);
  return value as T;
}
