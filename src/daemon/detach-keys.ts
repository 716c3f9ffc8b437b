/**
 * The keys that take a client away from a container's terminal: Ctrl-P Ctrl-Q.
 *
 * @origin utils/utils.go CopyEscapable
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";

const defaultKeys = Buffer.from([16, 17]);

/**
 * Reads `ctrl-p,ctrl-q`; "" is the default.
 *
 * @throws {BadRequestError} for a key that there is not
 * @since Docker 1.10
 */
export function parseDetachKeys(text: string): Buffer {
  if (text === "") return defaultKeys;
  return Buffer.from(
    text.split(",").map((key) => {
      const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
      if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
      if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
      throw new BadRequestError(`Invalid escape keys (${text}) provided`);
    }),
  );
}

/** What is to be passed on of something typed, and whether the keys came after it. */
export interface Typed {
  readonly bytes: Uint8Array;
  readonly detached: boolean;
}

/**
 * Makes a filter for typed bytes.
 *
 * @deviation A Ctrl-P that is not followed by Ctrl-Q is passed on with the next key; 1.2.0 swallows it, and only sees
 *   the keys when each arrives alone.
 */
export function escapable(keys: Uint8Array): (typed: Uint8Array) => Typed {
  /** What could be the beginning of the keys. */
  let held: number[] = [];
  return (typed) => {
    const out: number[] = [];
    for (const byte of typed) {
      held.push(byte);
      while (!held.every((key, i) => key === keys[i])) out.push(held.shift() as number);
      if (held.length < keys.length) continue;
      held = [];
      return { bytes: Uint8Array.from(out), detached: true };
    }
    return { bytes: Uint8Array.from(out), detached: false };
  };
}
