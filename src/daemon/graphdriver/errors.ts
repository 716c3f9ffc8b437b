/**
 * @origin daemon/graphdriver/driver.go
 * @module
 */

import { EngineError } from "../../errdefs/errdefs.ts";

/**
 * The driver cannot work here; the next one may.
 *
 * @origin daemon/graphdriver/driver.go ErrNotSupported, ErrPrerequisites, ErrIncompatibleFS
 */
export class DriverUnavailableError extends EngineError {
  readonly statusCode = 500;
}

/** No driver holds a layer of this id. */
export class NoSuchLayerError extends EngineError {
  readonly statusCode = 404;

  /** Reads like the failed call that 1.2.0 reports. */
  constructor(path: string, call: "stat" | "open" = "stat") {
    super(`${call} ${path}: no such file or directory`);
  }
}
