/**
 * The terminal a command was started from.
 *
 * @module
 */

/** A window size in characters. */
export interface TerminalSize {
  readonly height: number;
  readonly width: number;
}

/** The terminal behind standard output, as far as there is one: `isTerminal` of the streams says whether. */
export interface Terminal {
  /** The window's size now; `undefined` when standard output is no terminal. */
  size(): TerminalSize | undefined;
  /** Calls `handler` after each change of the window's size. Returns what ends that. */
  onResize(handler: () => void): () => void;
  /**
   * Raw mode: every byte passes as it is typed and as it is written, nothing is echoed, no key raises a signal.
   *
   * @returns what puts the terminal back as it was; safe to call twice
   */
  setRaw(): Promise<() => void>;
  /** Stops showing what is typed, for passwords. Returns what puts the terminal back; safe to call twice. */
  disableEcho(): Promise<() => void>;
}
