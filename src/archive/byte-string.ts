/**
 * Names of files as the kernel has them: bytes, not text.
 *
 * A layer may hold names that are no UTF-8, and they must come out as they went in. Here such a name is a *byte
 * string*: a JavaScript string with one character (U+0000–U+00FF) per byte. For ASCII, that is nearly always, it is the
 * same as the text, and costs nothing.
 *
 * @module
 */

const BEYOND_ASCII = /[\x80-\xff]/;

/** Whether each byte is below 128. */
export function isAscii(bytes: string): boolean {
  return !BEYOND_ASCII.test(bytes);
}

/** A byte string as Node's file calls take it. */
export function toPath(bytes: string): string | Buffer {
  return BEYOND_ASCII.test(bytes) ? Buffer.from(bytes, "latin1") : bytes;
}

/** A byte string as text; bytes that are no UTF-8 become U+FFFD. */
export function toText(bytes: string): string {
  return BEYOND_ASCII.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}

/** Text as a byte string. */
export function fromText(text: string): string {
  return /[^\x00-\x7f]/.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}
