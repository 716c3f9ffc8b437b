/**
 * How a command line can be wrong.
 *
 * @module
 */

/** The command line cannot be read. Message and usage were written already. */
export class FlagError extends Error {
  override readonly name: string = "FlagError";
}

/** The user asked for help with a flag that no one declared; the usage was written. @origin pkg/mflag/flag.go ErrHelp */
export class HelpRequested extends FlagError {
  override readonly name = "HelpRequested";

  /** Carries Go's text. */
  constructor() {
    super("flag: help requested");
  }
}

/** A flag was declared twice, or a set that panics met a wrong command line. */
export class FlagPanic extends Error {
  override readonly name = "FlagPanic";
}
