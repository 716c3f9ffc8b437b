/**
 * Compares versions of the remote API: `1.14` is newer than `1.9`.
 *
 * @origin pkg/version/version.go
 * @module
 */

/** Numbers separated by dots. A part that is no number counts as 0, a missing one too. */
export type Version = string;

function partsOf(version: Version): number[] {
  return version.split(".").map((part) => (/^[+-]?[0-9]+$/.test(part) ? Number(part) : 0));
}

/** @returns −1, 0 or 1 @origin pkg/version/version.go (Version).compareTo */
export function compareTo(a: Version, b: Version): -1 | 0 | 1 {
  const left = partsOf(a);
  const right = partsOf(b);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0 ? 1 : -1;
  }
  return 0;
}

/** @origin pkg/version/version.go (Version).LessThan */
export const lessThan = (a: Version, b: Version): boolean => compareTo(a, b) < 0;

/** @origin pkg/version/version.go (Version).LessThanOrEqualTo */
export const lessThanOrEqualTo = (a: Version, b: Version): boolean => compareTo(a, b) <= 0;

/** @origin pkg/version/version.go (Version).GreaterThan */
export const greaterThan = (a: Version, b: Version): boolean => compareTo(a, b) > 0;

/** @origin pkg/version/version.go (Version).GreaterThanOrEqualTo */
export const greaterThanOrEqualTo = (a: Version, b: Version): boolean => compareTo(a, b) >= 0;

/** @origin pkg/version/version.go (Version).Equal */
export const equal = (a: Version, b: Version): boolean => compareTo(a, b) === 0;
