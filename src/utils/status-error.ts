/**
 * How a command ends when it does not simply fail.
 *
 * @module
 */

/**
 * Ends the program with an exit code, and with a log line if there is something to say.
 *
 * @origin utils/utils.go StatusError
 */
export class StatusError extends Error {
  /** Exit code of the program. */
  readonly statusCode: number;

  /** @param status - what is logged; `""`: nothing */
  constructor(statusCode: number, status = "") {
    super(status);
    this.name = "StatusError";
    this.statusCode = statusCode;
  }
}
