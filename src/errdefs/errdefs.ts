/**
 * One class per kind of failure, each with the HTTP status that the API answers with.
 *
 * The text of an error that crosses the wire is Docker's to the letter: clients compare it. The class carries what the
 * text cannot: the status for clients of API 1.15 and newer. For 1.0–1.14 the server derives the status from the text,
 * as 1.2.0 does.
 *
 * @module
 */

import { fileErrorText } from "./errno-text.ts";

/** Base of every error the engine raises on purpose. */
export abstract class EngineError extends Error {
  /** HTTP status code the API server answers with. */
  abstract readonly statusCode: number;

  /** Keeps `message` as it will appear on the wire. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The named object does not exist. */
export class NoSuchError extends EngineError {
  readonly statusCode = 404;

  /** Builds the message `No such <kind>: <name>`. */
  constructor(
    kind: "container" | "image" | "id" | "tag" | "repository" | "link",
    name: string,
    options?: ErrorOptions,
  ) {
    super(`No such ${kind}: ${name}`, options);
  }
}

/** Something that was asked for does not exist; the message is free. */
export class NotFoundError extends EngineError {
  readonly statusCode = 404;
}

/** The request cannot be understood or contradicts itself. */
export class BadRequestError extends EngineError {
  readonly statusCode = 400;
}

/** The state of the object forbids it. */
export class ConflictError extends EngineError {
  readonly statusCode = 409;
}

/** The object is already in the state that was asked for: nothing was done. */
export class NotModifiedError extends EngineError {
  readonly statusCode = 304;
}

/** Name or password are missing or wrong. */
export class UnauthorizedError extends EngineError {
  readonly statusCode = 401;
}

/** The request is understood and refused. */
export class ForbiddenError extends EngineError {
  readonly statusCode = 403;
}

/** The request cannot be served in the form that was asked for. */
export class NotAcceptableError extends EngineError {
  readonly statusCode = 406;
}

/** Everything else that went wrong in the daemon and has a message of its own. */
export class SystemError extends EngineError {
  readonly statusCode = 500;
}

/** Narrows an unknown failure to a system call's error with one of these codes (`ENOENT`, …). */
export function isErrno(cause: unknown, ...codes: string[]): cause is NodeJS.ErrnoException {
  return cause instanceof Error && "code" in cause && codes.includes(String(cause.code));
}

/** The text of anything that was thrown; of a failed call on a file, the one that Go has for it. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? (fileErrorText(cause) ?? cause.message) : String(cause);
}
