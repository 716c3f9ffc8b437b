/** An answer to exercise 1. @module */

const words: readonly (readonly [string, number])[] = [
  ["No such", 404],
  ["Bad parameter", 400],
  ["Conflict", 409],
  ["Impossible", 406],
  ["Wrong login/password", 401],
  ["hasn't been activated", 403],
];

/** The status of the answer: the first words that stand somewhere in the text decide. */
export function statusOf(text: string): number {
  return words.find(([part]) => text.includes(part))?.[1] ?? 500;
}
