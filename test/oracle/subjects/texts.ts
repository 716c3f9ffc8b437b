/** Texts that hurt. */

import fc from "fast-check";

/** Pieces put together. */
export function joined(pieces: readonly string[], maxLength = 8): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...pieces), { maxLength }).map((list) => list.join(""));
}

/** Mostly made of pieces, sometimes of anything. */
export function mostly(pieces: readonly string[], maxLength = 8): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 9, arbitrary: joined(pieces, maxLength) },
    { weight: 1, arbitrary: fc.string({ unit: "grapheme-ascii", maxLength: 12 }) },
  );
}

/** One of these texts. */
export function oneOf(...texts: string[]): fc.Arbitrary<string> {
  return fc.constantFrom(...texts);
}
