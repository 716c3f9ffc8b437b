/**
 * Exercise 3: how often does the client ask?
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** How many HTTP requests the client sends to the daemon. */
export function requests(): {
  /** `docker pull busybox` */
  readonly pull: number;
  /** `docker run busybox true`, the image is there */
  readonly run: number;
  /** the same, and the image is not there */
  readonly runAndPull: number;
  /** `docker run -d busybox true`, the image is there */
  readonly detached: number;
  /** `docker run --rm busybox true`, the image is there */
  readonly andRemove: number;
  /** `docker rm` with two names */
  readonly removeTwo: number;
} {
  return yourTurn();
}
