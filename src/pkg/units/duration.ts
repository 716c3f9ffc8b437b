/**
 * Lengths of time for people: `About a minute`.
 *
 * @origin pkg/units/duration.go
 * @module
 */

/**
 * A length of time, roughly.
 *
 * @param ms - milliseconds
 * @origin pkg/units/duration.go HumanDuration
 */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  const minutes = Math.trunc(ms / 60_000);
  const hours = Math.trunc(ms / 3_600_000);
  if (seconds < 1) return "Less than a second";
  if (seconds < 60) return `${seconds} seconds`;
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 3) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${(ms / 3_600_000 / 24 / 365).toFixed(6)} years`;
}
