/**
 * Two clients want the same thing at the same time.
 *
 * @module
 */

import { ConflictError } from "../errdefs/errdefs.ts";
import type { SharedWork } from "./shared-work.ts";

/** Somebody else does it already; {@link shared} is their work. */
export class PoolBusyError extends ConflictError {
  readonly kind: "pull" | "push";
  readonly shared: SharedWork<unknown>;

  /** @param key - what is being pulled or pushed */
  constructor(kind: "pull" | "push", key: string, shared: SharedWork<unknown>) {
    super(`${kind} ${key} is already in progress`);
    this.kind = kind;
    this.shared = shared;
  }
}

/** @origin graph/tags.go DEFAULTTAG */
export const DEFAULT_TAG = "latest";
