/**
 * `/images/search` for clients newer than 1.2.0.
 *
 * @module
 */

import { BadRequestError } from "../../../errdefs/errdefs.ts";
import { acceptOnly, type Filters } from "../filters.ts";
import { type JsonObject, numberAt } from "../services.ts";
import type { ApiVersion } from "../version.ts";

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;

/** What a client wants of a search. */
export interface SearchTerms {
  /** As in the query: `""` and `0` mean the default. @since Docker 1.12 */
  readonly limit: string;
  /** `stars`, `is-official`, `is-automated`. @since Docker 1.12 */
  readonly filters: Filters;
}

/**
 * Leaves what fits, no more than wanted, and says `is_automated` for `is_trusted`.
 *
 * @param rows - what the job `search` says
 * @throws {BadRequestError} for a limit or a filter that is none
 */
export function shapeSearch(rows: readonly JsonObject[], terms: SearchTerms, version: ApiVersion): JsonObject[] {
  const shaped = rows.map((row) => ({ is_automated: row["is_trusted"] === true, ...row }));
  if (!version.atLeast("1.24")) return shaped;
  acceptOnly(terms.filters, ["stars", "is-official", "is-automated"]);
  const stars = Math.max(0, ...all(terms.filters, "stars").map(starsOf));
  const [official, automated] = [flagOf(terms.filters, "is-official"), flagOf(terms.filters, "is-automated")];
  const fits = (row: JsonObject) =>
    numberAt(row, "star_count") >= stars &&
    (official === undefined || row["is_official"] === official) &&
    (automated === undefined || row["is_automated"] === automated);
  return shaped.filter(fits).slice(0, limitOf(terms.limit));
}

function all(filters: Filters, kind: string): string[] {
  return filters.get(kind) ?? [];
}

function starsOf(text: string): number {
  if (!/^[+-]?\d{1,15}$/.test(text)) throw new BadRequestError(`Invalid filter 'stars=${text}'`);
  return Number(text);
}

/** `undefined` where nothing is wanted. */
function flagOf(filters: Filters, kind: string): boolean | undefined {
  const [first, ...others] = all(filters, kind);
  if (first === undefined) return undefined;
  const on = first === "true" || first === "1";
  if (others.length > 0 || (!on && first !== "false" && first !== "0")) {
    throw new BadRequestError(`Invalid filter '${kind}=${[first, ...others].join(",")}'`);
  }
  return on;
}

function limitOf(text: string): number {
  const limit = text === "" ? 0 : Number(text);
  if (!Number.isSafeInteger(limit)) throw new BadRequestError(`Bad parameter: limit is no number: ${text}`);
  if (limit === 0) return DEFAULT_LIMIT;
  if (limit < 0 || limit > MAX_LIMIT) {
    throw new BadRequestError(`Limit ${limit} is outside the range of [1, ${MAX_LIMIT}]`);
  }
  return limit;
}
