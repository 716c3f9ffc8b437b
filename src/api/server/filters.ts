/**
 * The `filters` of a query, in both notations: `{"name":["a"]}` of old and `{"name":{"a":true}}` of today.
 *
 * @module
 */

import { BadRequestError } from "../../errdefs/errdefs.ts";
import { goJson } from "../../utils/go-json.ts";
import { unmarshal } from "../../utils/go-json-decode.ts";

/** What is asked for, by kind. */
export type Filters = Map<string, string[]>;

/** @throws {BadRequestError} when it is in neither notation, with Go's text */
export function decodeFilters(text: string): Filters {
  const filters: Filters = new Map();
  if (text === "") return filters;
  const value = unmarshal(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BadRequestError("Bad parameter: filters is no JSON object");
  }
  for (const [kind, wanted] of Object.entries(value)) {
    if (Array.isArray(wanted)) filters.set(kind, wanted.map(String));
    else if (typeof wanted === "object" && wanted !== null) {
      filters.set(
        kind,
        Object.entries(wanted).flatMap(([name, on]) => (on ? [name] : [])),
      );
    } else throw new BadRequestError(`Bad parameter: filters has no list under ${kind}`);
  }
  return filters;
}

/** The old notation, which the jobs read. */
export function encodeFilters(filters: Filters): string {
  return goJson(Object.fromEntries(filters));
}

/** @throws {BadRequestError} `Invalid filter 'x'` */
export function acceptOnly(filters: Filters, kinds: readonly string[]): void {
  for (const kind of filters.keys()) if (!kinds.includes(kind)) throw new BadRequestError(`Invalid filter '${kind}'`);
}

/** Whether a label filter, `key` or `key=value`, fits. */
export function hasLabel(labels: Record<string, unknown>, wanted: string): boolean {
  const at = wanted.indexOf("=");
  if (at < 0) return Object.hasOwn(labels, wanted);
  const key = wanted.slice(0, at);
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(at + 1);
}
