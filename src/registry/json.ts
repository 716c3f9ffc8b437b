/**
 * Documents of a registry: bounded, and of the shape they must have.
 *
 * @module
 */

import { messageOf, SystemError } from "../errdefs/errdefs.ts";
import { type Reader, readAll } from "../sync/io.ts";

/** A manifest, a description of one image. */
export const MAX_DOCUMENT_BYTES = 4 << 20;
/** A list of tags or images. */
export const MAX_LIST_BYTES = 20 << 20;

/** Deeper than any document: what walks through it needs stack for every level. */
const MAX_DEPTH = 1000;

/**
 * Parses JSON bytes.
 *
 * @param what - named in the error
 * @throws {SystemError} also when it is nested more than a thousand times
 */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  if (depthOf(bytes) > MAX_DEPTH) throw new SystemError(`Cannot read ${what}: it is nested too deeply`);
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new SystemError(`Cannot read ${what}: it is no JSON (${messageOf(cause)})`, { cause });
  }
}

/** How many brackets are open at once; those in texts do not count. */
function depthOf(bytes: Uint8Array): number {
  const [quote, backslash, open, close] = [0x22, 0x5c, 0x5b, 0x5d];
  let depth = 0;
  let most = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === quote) inText = !inText;
    else if (inText) at += byte === backslash ? 1 : 0;
    // A brace is a bracket with one bit more.
    else if ((byte & ~0x20) === open) most = Math.max(most, ++depth);
    else if ((byte & ~0x20) === close) depth--;
  }
  return most;
}

/** Reads a body to its end. @throws {SystemError} when it is longer than `limit` bytes */
export async function readDocument(body: Reader, limit: number, what: string): Promise<Buffer> {
  try {
    return await readAll(body, limit);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new SystemError(`Cannot read ${what}: it is longer than ${limit} bytes`, { cause });
  }
}

/** @throws {SystemError} unless the value is an object */
export function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new SystemError(`Cannot read ${what}: it is no object`);
}

/** @throws {SystemError} unless the value is a list */
export function listOf(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new SystemError(`Cannot read ${what}: it is no list`);
}

/** @throws {SystemError} unless the value is a text */
export function textOf(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw new SystemError(`Cannot read ${what}: it is no text`);
}
