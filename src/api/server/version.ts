/**
 * What a request's version means.
 *
 * 1.0 to 1.14 are Docker 1.2.0's, to the letter. 1.15 to 1.30 are answered for the clients that came after; a request
 * without a version gets what 1.2.0 would have said.
 *
 * @deviation 1.2.0 refuses what is above 1.14; here that begins above 1.30, and the text names both versions.
 * @module
 */

import { greaterThan, greaterThanOrEqualTo, lessThan } from "../../pkg/version/version.ts";

/** The version of 1.2.0, and of requests that name none. @origin api/common.go APIVERSION */
export const API_VERSION = "1.14";
/** The newest version whose promises are kept; what clients of today are told to speak. */
export const MAX_API_VERSION = "1.30";
/** The oldest version that is understood. */
export const MIN_API_VERSION = "1.0";

/** @origin pkg/version/version.go Version */
export class ApiVersion {
  readonly #text: string;

  /** @param text - digits and dots */
  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }

  /** @origin pkg/version/version.go (Version).LessThan */
  before(other: string): boolean {
    return lessThan(this.#text, other);
  }

  /** @origin pkg/version/version.go (Version).GreaterThanOrEqualTo */
  atLeast(other: string): boolean {
    return greaterThanOrEqualTo(this.#text, other);
  }

  /** @origin pkg/version/version.go (Version).GreaterThan */
  after(other: string): boolean {
    return greaterThan(this.#text, other);
  }

  /** Whether the client is newer than 1.2.0. */
  get modern(): boolean {
    return this.after(API_VERSION);
  }
}
