/**
 * When a container was made.
 *
 * @module
 */

import { parseRfc3339 } from "../utils/go-time.ts";
import type { Container } from "./container.ts";

/** Nanoseconds since 1970. */
export function createdNs({ created }: Pick<Container, "created">): bigint {
  return parseRfc3339(created);
}

/** Unix seconds. */
export function createdSeconds(container: Pick<Container, "created">): number {
  const ns = createdNs(container);
  const second = 1_000_000_000n;
  return Number(ns / second - (ns % second < 0n ? 1n : 0n));
}
