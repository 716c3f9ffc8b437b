/**
 * Undoing gzip faster than zlib does, where the machine can.
 *
 * @module
 */

/** What came of some input. */
export interface Inflated {
  /** Valid until the next call. */
  readonly output: Uint8Array;
  /** How much of the input is done with. */
  readonly used: number;
  /** The member has ended, and its sum and length were right; what follows begins another one. */
  readonly ended: boolean;
  /** Whether more comes out of what was taken in, even without more input. */
  readonly more: boolean;
}

/** Why a member is refused. */
export type InflateFailure = "header" | "data" | "checksum";

/** A gzip member is broken. */
export class InflateError extends Error {
  readonly failure: InflateFailure;

  constructor(failure: InflateFailure) {
    super(`broken gzip: ${failure}`);
    this.failure = failure;
  }
}

/** Inflates one gzip member after another, in memory that never grows. */
export interface Inflater {
  /** Starts a member. Call it before the first, too. */
  reset(): void;
  /** Inflates as much as fits into one piece of output. @throws {InflateError} when the member is broken */
  inflate(input: Uint8Array): Inflated;
}
