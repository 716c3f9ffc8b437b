/**
 * Which events a client wants to see.
 *
 * @since Docker 1.3
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";
import type { Event } from "./event.ts";

/** Names a filter may have: those of today's daemon, also for kinds of objects that cannot have events here. */
const KNOWN: ReadonlySet<string> = new Set([
  "config",
  "container",
  "daemon",
  "event",
  "image",
  "label",
  "network",
  "node",
  "plugin",
  "scope",
  "secret",
  "service",
  "type",
  "volume",
]);

/** Decides about one event. */
export type EventFilter = (event: Event) => boolean;

const everything: EventFilter = () => true;

/**
 * Reads the `filters` of a request: names with the values wanted, as lists or as maps to `true`.
 *
 * An event passes when each name given has one value that fits; of labels, all must fit.
 *
 * @param filters - the JSON value of the request, as yet unknown
 * @throws {BadRequestError} for a name nobody knows, or a value of the wrong kind
 */
export function eventFilter(filters: unknown): EventFilter {
  if (filters === undefined) return everything;
  if (typeof filters !== "object" || filters === null || Array.isArray(filters)) throw invalid();
  const tests = Object.entries(filters).map(([name, given]) => {
    if (!KNOWN.has(name)) throw new BadRequestError(`invalid filter '${name}'`);
    const values = valuesOf(given);
    return values.length === 0 ? everything : testOf(name, values);
  });
  return tests.length === 0 ? everything : (event) => tests.every((fits) => fits(event));
}

function invalid(): BadRequestError {
  return new BadRequestError("invalid filter");
}

function valuesOf(given: unknown): string[] {
  if (Array.isArray(given)) {
    if (!given.every((value) => typeof value === "string")) throw invalid();
    return given;
  }
  if (typeof given !== "object" || given === null) throw invalid();
  return Object.entries(given)
    .filter(([, wanted]) => wanted !== false)
    .map(([value]) => value);
}

function testOf(name: string, values: readonly string[]): EventFilter {
  switch (name) {
    case "type":
      return (event) => values.includes(event.type);
    case "scope":
      return () => values.includes("local");
    case "event":
      // `exec_start: ls` has its command behind a colon, and is found without it.
      return ({ status }) => values.some((value) => status === value || status.startsWith(`${value}:`));
    case "label":
      return ({ attributes }) => values.every((value) => hasLabel(attributes, value));
    case "image":
      return (event) => values.some((value) => isImage(event, value));
    default:
      return (event) => event.type === name && values.some((value) => isNamed(event, value));
  }
}

/** `key` or `key=value`. */
function hasLabel(attributes: ReadonlyMap<string, string>, wanted: string): boolean {
  const equals = wanted.indexOf("=");
  if (equals < 0) return attributes.has(wanted);
  return attributes.get(wanted.slice(0, equals)) === wanted.slice(equals + 1);
}

/** By the beginning of its id or name. */
function isNamed(event: Event, wanted: string): boolean {
  return event.id.startsWith(wanted) || (event.attributes.get("name") ?? "").startsWith(wanted);
}

/** By the image's id or name, with or without the tag; a container's events are found by its image too. */
function isImage(event: Event, wanted: string): boolean {
  const name = event.attributes.get(event.type === "image" ? "name" : "image") ?? "";
  if (event.type === "image" && event.id === wanted) return true;
  return name !== "" && (name === wanted || stripTag(name) === wanted);
}

function stripTag(name: string): string {
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/") ? name.slice(0, colon) : name;
}
