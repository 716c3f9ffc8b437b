/**
 * Failures with a new text and the old meaning.
 *
 * @module
 */

import { JobError } from "../engine/job.ts";
import {
  BadRequestError,
  ConflictError,
  EngineError,
  messageOf,
  NotAcceptableError,
  NotFoundError,
  NotModifiedError,
  SystemError,
} from "../errdefs/errdefs.ts";

const byStatus = new Map<number, new (message: string, options?: ErrorOptions) => EngineError>([
  [304, NotModifiedError],
  [400, BadRequestError],
  [404, NotFoundError],
  [406, NotAcceptableError],
  [409, ConflictError],
]);

/** Wraps a failure: `phrase` makes the new text from the old one, the HTTP status stays. */
export function rephrase(cause: unknown, phrase: (text: string) => string): EngineError {
  const status = cause instanceof EngineError ? cause.statusCode : 500;
  const Kind = byStatus.get(status) ?? SystemError;
  return new Kind(phrase(messageOf(cause)), { cause: cause instanceof JobError ? cause.cause : cause });
}
