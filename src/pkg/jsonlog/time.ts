/**
 * Times as Go prints them.
 *
 * @module
 */

/** Go's zero time. */
export const zeroTime = "0001-01-01T00:00:00Z";

/** Nanoseconds since 1970 as RFC 3339 in UTC, fraction without trailing zeros: Go's RFC3339Nano. */
export function rfc3339Nano(ns: bigint): string {
  let seconds = ns / 1_000_000_000n;
  let fraction = ns % 1_000_000_000n;
  if (fraction < 0n) {
    fraction += 1_000_000_000n;
    seconds -= 1n;
  }
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, -5);
  if (fraction === 0n) return `${whole}Z`;
  return `${whole}.${String(fraction).padStart(9, "0").replace(/0+$/, "")}Z`;
}

/** Nanoseconds since 1970 of an RFC 3339 time, or `undefined` for a text that is none. */
export function parseRfc3339(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return undefined;
  const ms = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}
