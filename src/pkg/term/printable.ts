/**
 * Text from elsewhere, made safe for a terminal.
 *
 * @module
 */

/** C0 and C1 controls but tab and line feed, and the marks that turn the direction of writing. */
const UNSAFE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Drops control characters: a name or a message of a registry must not move the cursor, retitle the window or hide a
 * part of itself.
 *
 * @deviation 1.2.0 prints such text raw.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, "");
}
